"""Cross-validation of a recipe, most meaningful first: one source left out, five folds, and the
supplied split.

Leaving one source out estimates accuracy on other people's photos; five folds, on new photos of the
same sources. The supplied split leaks, and only serves for comparison with published results.
"""

import json
from pathlib import Path
from typing import Any, Literal

from api.core.imaging.hashing import content_hash
from api.core.progress import Progress, silent
from api.evaluation.by_source import LeaveOneSourceOut, left_out_metrics
from api.evaluation.folds import FiveFold, fold_metrics
from api.evaluation.out_of_fold import code_hash, prefixed
from api.evaluation.supplied_split import supplied_split_metrics
from api.training.class_folders import find_leakage
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe

Part = Literal["sources", "folds", "supplied"]


def crossvalidate(
    corpus: TrainingCorpus,
    recipe: Recipe,
    cache: Path,
    progress: Progress = silent,
    only: Part | None = None,
) -> dict[str, Any]:
    """Train and evaluate; JSON-ready.

    Predictions are cached under `cache` by data, recipe and code, so that an interrupted run
    resumes. With `only`, one part is trained; parts whose predictions are all cached are included
    too.
    """
    recipe_hash = content_hash(json.dumps(recipe.as_dict(), sort_keys=True).encode())[:12]
    folder = cache / f"{_data_hash(corpus)}-{recipe_hash}-{code_hash()}"
    sources, folds, supplied = LeaveOneSourceOut(corpus), FiveFold(corpus), folder / "supplied.npz"
    leakage = find_leakage(corpus.listing.files)
    metrics: dict[str, Any] = {}

    def included(part: Part, files: list[Path]) -> bool:
        return only in (None, part) or all(path.exists() for path in files)

    if sources.sources and included("sources", sources.cache_files(folder)):
        results = sources.run_all(recipe, folder, progress)
        metrics["leave_one_source_out"] = left_out_metrics(sources, results)
    if included("folds", folds.cache_files(folder)):
        metrics |= fold_metrics(folds, folds.run_all(recipe, folder, progress))
    if leakage and included("supplied", [supplied]):
        metrics["supplied_split"] = supplied_split_metrics(
            corpus, leakage, recipe, supplied, prefixed(progress, "Supplied split")
        )
    return {
        **metrics,
        "recipe": recipe.as_dict(),
        "data": corpus.fingerprint().model_dump(),
    }


def _data_hash(corpus: TrainingCorpus) -> str:
    """Hash of all training data: class folders, boxes and OOD images."""
    root = corpus.listing.root
    parts = [
        corpus.fingerprint().sha256,
        *sorted(
            f"{box.path.relative_to(root)} {box.fruit} {box.level} "
            f"{box.xmin} {box.ymin} {box.xmax} {box.ymax}"
            for box in corpus.boxes
        ),
        *sorted(str(path.relative_to(root)) for path in (*corpus.near_files, *corpus.far_files)),
    ]
    return content_hash("\n".join(parts).encode(errors="surrogateescape"))[:12]
