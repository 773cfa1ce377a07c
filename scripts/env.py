"""`make env`: write .env for docker compose, with a random value for each secret.

An existing .env is left unchanged. Needs only Python.
"""

import os
import secrets
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BYTES = 24


def main(folder: Path = PROJECT) -> int:
    target = folder / ".env"
    lines = (folder / ".env.example").read_text().splitlines()
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(".env already exists and was left unchanged.")
        return 0
    with os.fdopen(handle, "w") as stream:
        # Hexadecimal, so that a value can be part of a URL.
        stream.writelines(
            f"{line}{secrets.token_hex(BYTES) if line.endswith('=') else ''}\n" for line in lines
        )
    print("Wrote .env, readable only by you. Next: docker compose up --build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
