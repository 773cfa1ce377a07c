"""Files with what was measured of the recipe: `make crossvalidate`, `make compare`."""

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.report.schemas import Comparison

CROSSVALIDATION = "crossvalidation.json"
COMPARISON = "comparison.json"
log = logging.getLogger(__name__)


def crossvalidation(folder: Path) -> dict[str, Any]:
    """The figures of `api.evaluation.crossvalidate`; empty where they were not measured."""
    return _read(folder / CROSSVALIDATION)


def comparison(folder: Path) -> Comparison | None:
    """The rows of `api.evaluation.compare`; None where they were not measured."""
    found = _read(folder / COMPARISON)
    try:
        return Comparison.model_validate(found) if found else None
    except ValidationError as error:
        log.warning("%s is not used: %s", folder / COMPARISON, error)
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=4)
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    """`_changed` is there for the cache: a file that was written anew is read anew."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        log.warning("%s is not used: %s", path, error)
        return {}
    return found if isinstance(found, dict) else {}
