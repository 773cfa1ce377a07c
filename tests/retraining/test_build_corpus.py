"""Of the imported set, other produce and other things come into a full retraining as they lie."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

from api.core.progress import silent
from api.retraining.build_corpus import IMPORTED, build_corpus
from api.retraining.candidate import RetrainJob
from tests.training.drawn_collection import CLASSES, draw_collection


def test_all_kinds_of_imported_photographs_lie_under_the_root_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    none = np.zeros(0, bool)
    order = SimpleNamespace(
        folder=tmp_path / "run",
        imported=draw_collection(tmp_path / "imported"),
        champion=SimpleNamespace(manifest=SimpleNamespace(classes=CLASSES)),
        replay=SimpleNamespace(
            boxed=none, catalog=none, targets=np.zeros((0, 4)), photographs=np.zeros(0, str)
        ),
        photos=[],
        options={},
        progress=silent,
    )
    corpus = build_corpus(cast("RetrainJob", order))
    linked = corpus.listing.root / IMPORTED
    assert sorted(path.relative_to(linked).parts[-2] for path in corpus.near[::4]) == [
        "lemon",
        "papaya",
        "pear",
        "rottenguava",
    ]
    assert {path.relative_to(linked).parts[0] for path in corpus.others} == {"not_fruit"}
    found = [*corpus.near_misses("train"), *corpus.far("train"), *corpus.boxed("train")]
    assert all(sample.copies[0].is_file() for sample in found)
    assert {sample.source for sample in corpus.near_misses("train")} == {"market"}
