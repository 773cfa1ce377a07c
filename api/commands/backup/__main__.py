"""Save everything that the service knows into a folder, or bring it back.

What is meant is what DATABASE_URL, STORAGE_URL and RIPELINE_STATE_DIR say, as for the service.
"""

import argparse
import sys

from api.commands.backup import service
from api.commands.cli_args import path
from api.core.errors import ProblemError
from api.settings import get_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m api.commands.backup", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, does, told in (
        ("save", service.save, "into a new folder; the service may run"),
        ("restore", service.restore, "from such a folder, where there is no catalog yet"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("folder", type=path)
        command.set_defaults(does=does, said="Saved" if name == "save" else "Brought back")
    arguments = parser.parse_args()
    try:
        note = arguments.does(get_settings(), arguments.folder)
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    print(
        f"{arguments.said}: the catalog ({note.catalog}) and {note.blobs} blobs of "
        f"{note.made_at:%Y-%m-%d %H:%M} UTC."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
