"""Fast retraining from a package of an early release, with one head and no sources."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, Package, load_package, write_package
from api.model.predictor import Predictor
from api.model.replay_buffer import ReplayBuffer
from api.registry.promotion_gate import judge
from api.retraining import fast
from api.retraining.job import Candidate, RetrainJob
from tests.heads import save_old_head
from tests.retraining.catalog import KNOWN, NEW, a_photo, picture, write_champion
from tests.small_grader import small_graph
from tests.synthetic_images import encode

# Each test does a whole fast run.
pytestmark = pytest.mark.slow

# The last channels of the embedding came from a second expert model.
EXPERT = 16
COUNT = 40
# Columns of replay buffers since then.
NEW_COLUMNS = ("sources", "first_class", "first_right", "contradicted")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The small champion as an early release would have saved it, with one head and an expert."""
    folder = tmp_path_factory.mktemp("models")
    # Early heads had no bias, so the network must not map white to zero.
    package = load_package(write_champion(folder, small_graph(64)))
    kinds = package.head.kinds.weights[:-EXPERT, : len(KNOWN)]

    def fill(parts: Path) -> None:
        shutil.copyfile(package.folder / BACKBONE, parts / BACKBONE)
        save_old_head(parts / HEAD, kinds - kinds.mean(axis=1, keepdims=True), more=EXPERT)
        with np.load(package.folder / REPLAY) as arrays:
            kept = {
                name: arrays[name]
                for name in arrays.files
                if name not in NEW_COLUMNS and not name.startswith(("other_", "retired_"))
            }
        others = ReplayBuffer.load(package.folder / REPLAY).others.embeddings
        np.savez(parts / REPLAY, **kept, others=others.astype(np.float16))

    def describe(files: dict[str, str]) -> Manifest:
        update = {"version": "old", "files": files, "thresholds": {"rejection_distance": 1e6}}
        return package.manifest.model_copy(update={**update, "detector": None})

    write_package(folder / "old", fill, describe)
    return load_package(folder / "old")


@pytest.fixture(scope="module")
def candidate(old: Package, tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    stored, photos = {}, []
    for seed in range(1000, 1000 + COUNT):
        image = picture(NEW, seed)
        data = encode(image)
        name = f"{NEW}/{seed}"
        stored[name] = data
        photos.append(a_photo(image, data, NEW, name, blob=name))
    job = RetrainJob(
        old,
        photos=photos,
        options={},
        started_by="me",
        read=stored.__getitem__,
        folder=tmp_path_factory.mktemp("run"),
        imported=Path("nothing"),
    )
    return fast.make_candidate(job)


def test_old_head_ignores_the_expert_channels(old: Package) -> None:
    replay = ReplayBuffer.load(old.folder / REPLAY)
    predicted = old.head.probabilities(replay.embeddings).argmax(axis=1)
    assert (predicted == replay.targets.argmax(axis=1)).mean() > 0.9
    assert old.head.freshness is None
    assert old.head.channels == replay.embeddings.shape[1]
    assert set(replay.sources) == set(replay.others.groups) == {""}


def test_fast_run_on_an_old_package_adds_a_class_and_both_heads(candidate: Candidate) -> None:
    comparison = candidate.comparison
    assert comparison
    verdict = judge(comparison)
    assert verdict.promote, verdict.reasons
    assert comparison.overall.photographs > 0
    # The old package does not record which OOD photos it was trained on.
    assert comparison.others_let_through is None
    retrained = load_package(candidate.folder)
    assert retrained.manifest.classes == (*KNOWN, NEW)
    assert retrained.manifest.thresholds == pytest.approx(retrained.head.thresholds)
    # Two fresh fruits and a rotten one give three kinds and a freshness head.
    assert retrained.head.freshness is not None
    grader = Predictor.of_package(retrained)
    graded = [grader.predict(encode(picture(NEW, seed))) for seed in range(5000, 5040)]
    assert np.mean([grade.class_name == NEW for grade in graded]) >= 0.9
    assert np.mean([grade.recognised for grade in graded]) >= 0.9


def test_only_new_rows_have_a_source(old: Package, candidate: Candidate) -> None:
    before = ReplayBuffer.load(old.folder / REPLAY)
    after = ReplayBuffer.load(candidate.folder / REPLAY)
    assert set(after.sources[~after.catalog]) == {""}
    assert set(after.sources[after.catalog]) == {"catalog"}
    assert len(after.others) == len(before.others)
