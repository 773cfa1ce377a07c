"""What several commands share: argument types, and how they end."""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from api.core.errors import ProblemError
from api.storage.failures import ModelCacheError, StoreError, UnusableCatalogError

# The exit status after Ctrl-C, as shells have it.
INTERRUPTED = 130


def path(text: str) -> Path:
    # Some shells do not expand ~ inside `make FROM=~/photos`.
    return Path(text).expanduser()


def count(text: str, least: int = 1) -> int:
    """An integer of at least 1, or of at least `least`."""
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"{number} is too small: it must be at least {least}")
    return number


def natural(text: str) -> int:
    """An integer of at least 0."""
    return count(text, 0)


def positive(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be a number above 0")
    return number


def finish(command: Callable[[], int], again: str = "") -> int:
    """Run a command and return its exit status. What went wrong is printed in words.

    `again` says what running it again does, once the disk works or the person wants to go on.
    """
    status = 1
    try:
        return command()
    except ProblemError as error:
        words = error.detail
    except UnusableCatalogError as error:
        words = str(error)
    except (StoreError, ModelCacheError) as error:
        words = f"{error}. {again}"
    except OSError as error:
        # The second is the copy that could not be written.
        name = error.filename2 or error.filename
        where = f"{name}: " if name else ""
        words = f"{where}{error.strerror or error}. {again}"
    except KeyboardInterrupt:
        words, status = f"Stopped. {again}", INTERRUPTED
    print(words.rstrip(), file=sys.stderr)
    return status
