"""What a run would learn, and how long it would take."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.model.package import REPLAY, read_manifest
from api.model.replay_buffer import load_labels
from api.registry import repository as registry
from api.registry.store import fetch_package
from api.retraining import repository
from api.retraining.service import Mode, NoChampionError
from api.storage.blobs import Blobs
from api.storage.tables import ModelRow

# Measured on two cores, by mode where it differs. A view is a training row (fast), or one augmented
# image of one epoch (full).
FIXED_SECONDS = {"fast": 6.0, "full": 60.0}
SECONDS_PER_NEW = 0.02
SECONDS_PER_VIEW = {"fast": 0.003, "full": 0.017}
# A last run that differs from the estimate by more than this factor was an outlier.
MAX_CORRECTION = 10.0


class TooFewClassesError(ConflictError):
    code = "too-few-classes"

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"A grader needs at least two classes; this one would have {len(classes)} "
            f"({', '.join(classes) or 'none'})."
        )


class UnknownClassesError(ConflictError):
    code = "unknown-classes"

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"There are no photographs of {', '.join(unknown)}. There are some of: "
            f"{', '.join(known)}."
        )


@dataclass(frozen=True)
class CatalogDiff:
    """The catalog compared with what the champion learned: numbers of images.

    `added` are by class; `relabelled` have another class now.
    """

    added: dict[str, int]
    relabelled: int
    removed: int

    @property
    def any(self) -> bool:
        return bool(self.added or self.relabelled or self.removed)


@dataclass(frozen=True)
class RetrainPlan:
    """What a run would start from; `rows` is the number of photos to train and test on."""

    champion: str
    catalog_diff: CatalogDiff
    rows: int
    recipe: dict[str, Any]

    @property
    def new(self) -> int:
        return sum(self.catalog_diff.added.values())


def make_plan(
    session: Session, blobs: Blobs, cache: Path, classes: Sequence[str] | None = None
) -> RetrainPlan:
    """Raises NoChampionError, UnknownClassesError, TooFewClassesError."""
    version = registry.champion(session)
    if version is None:
        raise NoChampionError()
    manifest = registry.get_model(session, version).manifest
    labels = repository.labels(session)
    select_classes(manifest["classes"], labels.values(), classes)
    diff = catalog_diff(labels, fetch_package(blobs, version, cache).folder)
    rows = manifest["data"]["files"] + sum(diff.added.values()) - diff.removed
    return RetrainPlan(version, diff, rows, manifest["recipe"])


def select_classes(
    known: Sequence[str], in_catalog: Iterable[str], requested: Sequence[str] | None
) -> tuple[str, ...]:
    """The candidate's classes: those `requested`, or else all known ones, then new ones by name.

    Raises UnknownClassesError, TooFewClassesError.
    """
    available = {*known, *in_catalog}
    if requested is None:
        classes = (*known, *sorted(available - set(known)))
    elif unknown := sorted(set(requested) - available):
        raise UnknownClassesError(unknown, sorted(available))
    else:
        classes = tuple(sorted(set(requested)))
    if len(classes) < 2:
        raise TooFewClassesError(classes)
    return classes


def catalog_diff(labels: Mapping[str, str], package: Path) -> CatalogDiff:
    """Compare the catalog's `labels`, by SHA-256, with the replay buffer of `package`."""
    learned, from_catalog = _learned_labels(package)
    added = Counter(name for sha256, name in labels.items() if sha256 not in learned)
    return CatalogDiff(
        added=dict(sorted(added.items())),
        relabelled=sum(learned.get(sha256, name) != name for sha256, name in labels.items()),
        removed=len(from_catalog - labels.keys()),
    )


@lru_cache(maxsize=2)  # A package never changes.
def _learned_labels(package: Path) -> tuple[dict[str, str], frozenset[str]]:
    return load_labels(package / REPLAY, read_manifest(package).classes)


def estimate_seconds(session: Session, mode: Mode, plan: RetrainPlan) -> float:
    """How long the run would take, corrected by how long the last one of its mode took here."""
    expected = expected_seconds(mode, plan.recipe, plan.rows, plan.new)
    last = repository.last_succeeded(session, mode)
    model = session.get(ModelRow, last.candidate) if last and last.candidate else None
    if last and last.started_at and last.finished_at and model:
        data, recipe = model.manifest["data"], model.manifest["recipe"]
        actual = (last.finished_at - last.started_at).total_seconds()
        correction = actual / expected_seconds(mode, recipe, data["files"], 0)
        expected *= min(max(correction, 1 / MAX_CORRECTION), MAX_CORRECTION)
    return round(expected, 1)


def expected_seconds(mode: Mode, recipe: dict[str, Any], rows: int, new: int) -> float:
    """Seconds on the reference machine for `rows` photos, of which `new` are new."""
    views = rows
    if mode == "full":
        # Imported here: a process that only serves loads nothing of training.
        from api.training.recipe import Recipe  # noqa: PLC0415

        # The recipe of an old package has no `views`: an epoch was every photo once.
        views = recipe.get("views", rows) * recipe.get("epochs", Recipe.epochs)
    return FIXED_SECONDS[mode] + SECONDS_PER_NEW * new + SECONDS_PER_VIEW[mode] * views
