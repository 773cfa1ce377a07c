"""Import a folder of training photos, or download the public data set.

To import photos with bounding boxes: `python -m api.commands.dataset import-boxes FOLDER`.
"""

import argparse
import sys
from pathlib import Path

from api.catalog.import_folder import download_public_set, import_folder
from api.commands import import_boxes
from api.commands.cli_args import finish, path
from api.core.progress import terminal
from api.settings import PROJECT

AGAIN = "Run the import again to continue."


def main() -> int:
    if sys.argv[1:2] == [import_boxes.COMMAND]:
        return finish(lambda: import_boxes.main(sys.argv[2:]), AGAIN)
    return finish(_import_folder, AGAIN)


def _import_folder() -> int:
    parser = argparse.ArgumentParser(prog="python -m api.commands.dataset", description=__doc__)
    parser.add_argument(
        "folder",
        type=path,
        nargs="?",
        help="folder of photos to import (default: download the public data set)",
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=PROJECT / "data" / "photographs",
        help="folder to copy the photos to (default: data/photographs)",
    )
    parser.add_argument(
        "--new-class",
        action="store_true",
        help="accept new classes whose names resemble those of known classes",
    )
    arguments = parser.parse_args()
    source = arguments.folder or download_public_set()
    with terminal() as progress:
        report = import_folder(source, arguments.to, progress, new_class=arguments.new_class)
    print("\n".join(report.lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
