"""Back up everything that the service stores to a folder, or restore such a backup.

Reads DATABASE_URL, STORAGE_URL and RIPELINE_STATE_DIR like the service.
"""

import argparse
import sys

from api.commands.backup import service
from api.commands.cli_args import finish, path
from api.settings import get_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m api.commands.backup", description=__doc__)
    commands = parser.add_subparsers(required=True)
    save = commands.add_parser(
        "save", help="save a backup to a new folder; the service may be running"
    )
    save.set_defaults(
        function=service.save,
        done="Saved",
        again="The backup is not complete. Remove its folder, or name another, and save again.",
    )
    restore = commands.add_parser(
        "restore", help="restore a backup from a folder; the catalog must not exist yet"
    )
    restore.set_defaults(
        function=service.restore, done="Restored", again="Run the restore again to continue."
    )
    for command in (save, restore):
        command.add_argument("folder", type=path)
    arguments = parser.parse_args()
    return finish(lambda: _run(arguments), arguments.again)


def _run(arguments: argparse.Namespace) -> int:
    report = arguments.function(get_settings(), arguments.folder)
    print(f"{arguments.done}: {arguments.folder}", *report.lines, sep="\n")
    return 0 if report.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
