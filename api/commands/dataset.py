"""`python -m api.commands.dataset [FOLDER]`: import photos or download the public set.

`python -m api.commands.dataset import-boxes FOLDER`: see `import_boxes`.
"""

import argparse
import sys
from pathlib import Path

from api.catalog.import_folder import download_public_set, import_folder
from api.commands import import_boxes
from api.commands.cli_args import path
from api.core.errors import ProblemError
from api.core.progress import terminal
from api.settings import PROJECT


def main() -> int:
    if sys.argv[1:2] == [import_boxes.COMMAND]:
        return import_boxes.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m api.commands.dataset", description=__doc__)
    parser.add_argument("folder", type=path, nargs="?", help="left out: download the public set")
    parser.add_argument("--to", type=Path, default=PROJECT / "data" / "photographs")
    parser.add_argument(
        "--new-class",
        action="store_true",
        help="accept new classes whose names look like those of known ones",
    )
    arguments = parser.parse_args()
    try:
        source = arguments.folder or download_public_set()
        with terminal() as progress:
            report = import_folder(source, arguments.to, progress, new_class=arguments.new_class)
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{error.filename}: {error.strerror}. Run the import again to go on.", file=sys.stderr
        )
        return 1
    print("\n".join(report.lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
