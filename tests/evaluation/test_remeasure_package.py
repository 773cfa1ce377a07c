"""Recomputing the metrics of a package, with a stub grader."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from api.commands import training as command_line
from api.core.progress import silent
from api.evaluation import build as module
from api.evaluation.build import OtherPhotographsError, remeasure_package
from api.model.manifest import Manifest
from api.model.package import BACKBONE, HEAD, REPLAY, Package, load_package, write_package
from api.model.replay_buffer import ReplayBuffer
from api.training.corpus import TrainingCorpus, read_corpus
from api.training.recipe import Recipe
from api.training.replay import build_replay
from tests.registry.samples import describer
from tests.training.collection import SIDE, colour_grader, colours, draw_collection

SIZE = 32


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


@pytest.fixture
def package(corpus: TrainingCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package without test metrics, whose backbone is `colours`."""
    recipe = Recipe(input_size=SIZE)
    grader = colour_grader(recipe, corpus.training_split())
    replay = build_replay(grader, corpus, silent)
    unknown = np.full_like(replay.looks, np.nan)
    replay = dataclasses.replace(replay, looks=unknown, copies=np.zeros_like(replay.copies))

    def describe(hashes: dict[str, str]) -> Manifest:
        known = {
            "classes": corpus.classes,
            "feature_shape": (1, 1, 48),
            "input_size": SIZE,
            "data": corpus.fingerprint(),
            "metrics": {"training_curves": [{"loss": 1.0}], "rejection": {}},
        }
        return describer()(hashes).model_copy(update=known)

    def fill(parts: Path) -> None:
        (parts / BACKBONE).write_bytes(b"TFL3 graph")
        grader.head.save(parts / HEAD)
        replay.save(parts / REPLAY)

    write_package(tmp_path / "package", fill, describe)
    monkeypatch.setattr(module, "LiteRTBackbone", lambda _: colours)
    return load_package(tmp_path / "package")


def test_metrics_are_rewritten_and_the_rest_is_kept(
    package: Package, corpus: TrainingCorpus
) -> None:
    manifest = remeasure_package(package, corpus)
    assert manifest.metrics["test_by_photograph"]["accuracy"] >= 0.75
    rejection = manifest.metrics["rejection"]
    assert rejection["other_files"] == len(corpus.far_ood("test")) > 0
    assert rejection["near_files"] == len(corpus.near_ood("test")) > 0
    assert 0 <= rejection["near_auroc"] <= 1
    by_source = manifest.metrics["by_source"]
    assert set(by_source["by_source"]) == {"", "phone"}
    assert by_source["fruits"] == len(corpus.photographs("test")) + len(corpus.boxed("test"))
    assert manifest.metrics["training_curves"] == [{"loss": 1.0}]
    reloaded = load_package(package.folder).manifest
    assert reloaded.version == package.manifest.version
    for name in (BACKBONE, HEAD):
        assert reloaded.files[name] == package.manifest.files[name]
    assert reloaded.metrics["test_by_photograph"]["files"] == len(corpus.files("test"))


def test_appearance_is_added_to_the_replay(package: Package, corpus: TrainingCorpus) -> None:
    before = ReplayBuffer.load(package.folder / REPLAY)
    remeasure_package(package, corpus)
    after = ReplayBuffer.load(package.folder / REPLAY)
    boxed = after.boxed
    assert np.isfinite(after.looks).all()
    assert set(map(tuple, after.looks[:, 3:].tolist())) == {(float(SIDE), float(SIDE))}
    fresh_banana = after.targets[:, corpus.classes.index("freshbanana")] > 0.5
    assert (np.abs(after.looks[fresh_banana & ~boxed, 2] - 50) < 15).all()  # Yellow.
    assert sum(after.copies[~boxed]) == len(corpus.listing.files)
    assert (after.copies[boxed] == 1).all()
    for name in ("targets", "splits", "photographs", "sha256", "signatures", "sources"):
        assert getattr(after, name).tolist() == getattr(before, name).tolist()
    assert after.others.groups.tolist() == before.others.groups.tolist() != []
    assert np.allclose(after.embeddings, before.embeddings, atol=1e-4)


def test_different_boxes_are_rejected(package: Package, corpus: TrainingCorpus) -> None:
    with pytest.raises(OtherPhotographsError):
        remeasure_package(package, dataclasses.replace(corpus, boxes=corpus.boxes[1:]))


def test_different_photos_are_rejected(package: Package, corpus: TrainingCorpus) -> None:
    reduced = dataclasses.replace(corpus.listing, files=corpus.listing.files[1:])
    with pytest.raises(OtherPhotographsError, match="train again"):
        remeasure_package(package, dataclasses.replace(corpus, listing=reduced))
    assert "test_by_photograph" not in load_package(package.folder).manifest.metrics


@pytest.mark.slow
def test_command_prints_the_accuracy(
    package: Package,
    corpus: TrainingCorpus,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = str(corpus.listing.root)
    arguments = ["", "measure", folder, "--package", str(package.folder)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert command_line.main() == 0
    assert "photographs right" in capsys.readouterr().out
    assert "test_by_photograph" in load_package(package.folder).manifest.metrics
