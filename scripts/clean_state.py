"""Empty the state folder (uploads, versions, runs) after asking: `make clean-state`."""

import shutil
import sys

from api.settings import Settings


def main() -> int:
    folder = Settings().state_dir.resolve()
    if not folder.is_dir() or not any(folder.iterdir()):
        print(f"{folder} is already empty.")
        return 0
    print(
        f"This deletes everything in {folder}: uploaded photographs, corrections, predictions and"
    )
    print("all model versions except the shipped one. Stop the services first.")
    if input("Type yes to continue: ").strip().lower() != "yes":
        print("Nothing was deleted.")
        return 1
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    print(f"{folder} is now empty. The service will start with the shipped model.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
