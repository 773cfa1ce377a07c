"""What a run would have to do, and how long it would take: told before it starts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api.model.package import REPLAY, read_manifest
from api.model.replay_buffer import learned_labels
from api.registry import repository as registry
from api.registry.store import fetch_package
from api.retraining import repository
from api.retraining.class_selection import choose_classes
from api.retraining.errors import NoChampionError
from api.retraining.service import Mode
from api.storage.blobs import Blobs

# Measured on two cores: seconds to start and to finish, a photograph that is new, and one that the
# grader learns from (in the mode full: each view of one).
START = {"fast": 6.0, "full": 60.0}
NEW = {"fast": 0.02, "full": 0.02}
ROW = {"fast": 0.003, "full": 0.017}
# A run that was slowed down or hurried by something else is no guide beyond this.
MOST_CORRECTION = 10.0


@dataclass(frozen=True)
class CatalogDiff:
    """New images by class; how many have another label now, and how many were removed."""

    added: dict[str, int]
    relabelled: int
    removed: int

    @property
    def any(self) -> bool:
        return bool(self.added or self.relabelled or self.removed)


@dataclass(frozen=True)
class Plan:
    """From which version a run would start, what is new to it, and on how many photographs."""

    champion: str
    catalog_diff: CatalogDiff
    rows: int
    recipe: dict[str, Any]

    @property
    def new(self) -> int:
        return sum(self.catalog_diff.added.values())


def plan(session: Session, blobs: Blobs, cache: Path, classes: Sequence[str] | None = None) -> Plan:
    """Raises NoChampionError, UnknownClassesError, TooFewClassesError."""
    version = registry.champion(session)
    if version is None:
        raise NoChampionError()
    manifest = registry.model(session, version).manifest
    labels = repository.labels(session)
    choose_classes(manifest["classes"], labels.values(), classes)
    found = catalog_diff(labels, fetch_package(blobs, version, cache))
    rows = manifest["data"]["files"] + sum(found.added.values()) - found.removed
    return Plan(version, found, rows, manifest["recipe"])


def seconds(session: Session, mode: Mode, planned: Plan) -> float:
    """How long the run would take."""
    expected = expected_seconds(mode, planned.recipe, planned.rows, planned.new)
    return round(corrected(expected, _last(session, mode)), 1)


def _last(session: Session, mode: Mode) -> tuple[float, float] | None:
    """How long the last run of the mode that succeeded took, and was expected to take."""
    run = repository.last_succeeded(session, mode)
    if run is None or run.started_at is None or run.finished_at is None or run.candidate is None:
        return None
    made = registry.known(session, run.candidate)
    if made is None:
        return None
    taken = (run.finished_at - run.started_at).total_seconds()
    manifest = made.manifest
    return taken, expected_seconds(mode, manifest["recipe"], manifest["data"]["files"], 0)


def catalog_diff(labels: Mapping[str, str], package: Path) -> CatalogDiff:
    """Compare the catalog's `labels`, by SHA-256, with what the version in `package` learned."""
    learned, of_catalog = _learned(package)
    added = Counter(name for sha256, name in labels.items() if sha256 not in learned)
    return CatalogDiff(
        added=dict(sorted(added.items())),
        relabelled=sum(learned.get(sha256, name) != name for sha256, name in labels.items()),
        removed=len(of_catalog - labels.keys()),
    )


@lru_cache(maxsize=2)  # A package never changes.
def _learned(package: Path) -> tuple[dict[str, str], frozenset[str]]:
    return learned_labels(package / REPLAY, read_manifest(package).classes)


def expected_seconds(mode: Mode, recipe: dict[str, Any], rows: int, new: int) -> float:
    """Without knowing the machine, by a package's `recipe`.

    `rows` is how many photographs are learned from, `new` of them are new.
    """
    shown = rows
    if mode == "full":
        # Imported here: a service that only grades loads nothing of training.
        from api.training.recipe import Recipe  # noqa: PLC0415

        # An old package's recipe has no `views`: its epochs show every photograph.
        shown = recipe.get("views", rows) * recipe.get("epochs", Recipe.epochs)
    return START[mode] + NEW[mode] * new + ROW[mode] * shown


def corrected(expected: float, last: tuple[float, float] | None) -> float:
    """`expected` on this machine, where the last run took and was expected to take so much."""
    if last is None:
        return expected
    taken, then_expected = last
    factor = taken / then_expected
    return expected * min(max(factor, 1 / MOST_CORRECTION), MOST_CORRECTION)
