"""Cross-validation of a recipe: sources left out, five folds, and the supplied split.

In the order of what they are worth. Leaving one source out says what photographs of other people
get; five folds, what new photographs of known sources get; the supplied split is what others
publish, and leaks.
"""

import json
from pathlib import Path
from typing import Any, Literal

from api.core.imaging.hashing import content_hash
from api.core.progress import Progress, silent
from api.evaluation.by_source import SourceRuns, leave_one_source_out
from api.evaluation.folds import Folds, five_folds
from api.evaluation.supplied_split import supplied_split
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe
from api.training.split_leakage import find_leakage

Part = Literal["sources", "folds", "supplied"]
PARTS: tuple[Part, ...] = ("sources", "folds", "supplied")


def crossvalidate(
    corpus: TrainingCorpus,
    recipe: Recipe,
    cache: Path,
    progress: Progress = silent,
    only: Part | None = None,
) -> dict[str, Any]:
    """Train and measure; JSON-ready figures, the most telling first.

    What each grader said is kept under `cache` by recipe and data, so that an interrupted run goes
    on. With `only` one part is trained; of the others, those that were measured whole before stand
    beside it.
    """
    folder = cache / f"{_data_hash(corpus)}-{_recipe_hash(recipe)}"
    runs, folds, supplied = SourceRuns.of(corpus), Folds(corpus), folder / "supplied.npz"
    measured: dict[str, Any] = {}

    def wanted(part: Part, paths: list[Path]) -> bool:
        return only in (None, part) or all(path.exists() for path in paths)

    if runs.sources and wanted("sources", runs.paths(folder)):
        measured["leave_one_source_out"] = leave_one_source_out(runs, recipe, folder, progress)
    if wanted("folds", folds.paths(folder)):
        measured |= five_folds(folds, recipe, folder, progress)
    if find_leakage(corpus.listing.files) and wanted("supplied", [supplied]):
        measured["supplied_split"] = supplied_split(
            corpus, recipe, supplied, _within(progress, "Supplied split")
        )
    return {
        **measured,
        "recipe": recipe.as_dict(),
        "data": corpus.fingerprint().model_dump(),
    }


def _data_hash(corpus: TrainingCorpus) -> str:
    """By everything that a grader sees, not the class folders alone."""
    root = corpus.listing.root
    seen = [
        corpus.fingerprint().sha256,
        *sorted(
            f"{box.path.relative_to(root)} {box.fruit} {box.level} "
            f"{box.xmin} {box.ymin} {box.xmax} {box.ymax}"
            for box in corpus.boxes
        ),
        *sorted(str(path.relative_to(root)) for path in (*corpus.near, *corpus.others)),
    ]
    return content_hash("\n".join(seen).encode(errors="surrogateescape"))[:12]


def _recipe_hash(recipe: Recipe) -> str:
    return content_hash(json.dumps(recipe.as_dict(), sort_keys=True).encode())[:12]


def _within(progress: Progress, part: str) -> Progress:
    return lambda stage, done, total: progress(f"{part}: {stage}", done, total)
