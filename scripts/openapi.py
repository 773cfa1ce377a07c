"""Write the description of the API to docs/openapi.json (`make openapi`).

The file is committed so that reviewers see changes to the contract; a test compares it with the
service.
"""

import json
from pathlib import Path

from api.app import create_app
from api.settings import PROJECT, Settings

FILE = PROJECT / "docs" / "openapi.json"


def described() -> str:
    """The service's OpenAPI document, as in the file."""
    document = create_app(Settings()).openapi()
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(file: Path = FILE) -> None:
    file.write_text(described(), encoding="utf-8")
    print(f"Wrote {file}.")


if __name__ == "__main__":
    main()
