"""What the arguments of more than one command may be."""

import argparse
from pathlib import Path


def path(text: str) -> Path:
    # Not every shell expands ~ after a variable's name.
    return Path(text).expanduser()


def count(text: str) -> int:
    """At least 1. Raises argparse.ArgumentTypeError, and ValueError for what is no number."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give 1 or more")
    return number
