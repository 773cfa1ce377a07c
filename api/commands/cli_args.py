"""Argument types that several commands share."""

import argparse
from pathlib import Path


def path(text: str) -> Path:
    # Some shells do not expand ~ inside `make FROM=~/photos`.
    return Path(text).expanduser()


def count(text: str) -> int:
    """An integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too small: it must be at least 1")
    return number
