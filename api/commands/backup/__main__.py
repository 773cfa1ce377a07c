"""Save everything that the service stores into a folder, or restore it.

Reads DATABASE_URL, STORAGE_URL and RIPELINE_STATE_DIR, as the service does.
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
    for name, function, done, description in (
        ("save", service.save, "Saved", "into a new folder; the service may run"),
        (
            "restore",
            service.restore,
            "Restored",
            "from such a folder; there must be no catalog yet",
        ),
    ):
        command = commands.add_parser(name, help=description)
        command.add_argument("folder", type=path)
        command.set_defaults(function=function, done=done)
    arguments = parser.parse_args()
    try:
        manifest = arguments.function(get_settings(), arguments.folder)
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    print(
        f"{arguments.done}: the catalog ({manifest.catalog}) and {manifest.blobs} blobs of "
        f"{manifest.made_at:%Y-%m-%d %H:%M} UTC."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
