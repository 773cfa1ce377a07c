"""The corpus: which samples are in which split."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from api.core.splits import SPLITS, Split, position_of, split_of
from api.training.corpus import TrainingCorpus, read_corpus
from api.training.samples import Sample
from tests.synthetic_images import draw_fruit, encode
from tests.training.drawn_collection import draw_collection


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_collection(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def corpus(folder: Path) -> TrainingCorpus:
    return read_corpus(folder)


def kinds_of(corpus: TrainingCorpus) -> list[tuple[Callable[[Split], list[Sample]], int]]:
    """The methods that return samples of a split, with the number of samples of each."""
    listing = corpus.listing
    return [
        (corpus.photographs, len({file.photograph for file in listing.files})),
        (corpus.file_samples, len(listing.files)),
        (corpus.boxed, len(corpus.boxes)),
        (corpus.near_ood, len(corpus.near_files)),
        (corpus.far_ood, len(corpus.far_files)),
    ]


def test_every_kind_of_sample_is_split_by_its_group(corpus: TrainingCorpus) -> None:
    for samples_of, count in kinds_of(corpus):
        samples = {split: samples_of(split) for split in SPLITS}
        assert sum(map(len, samples.values())) == count > 0
        groups = [{item.group for item in samples[split]} for split in SPLITS]
        assert sum(map(len, groups)) == len(set().union(*groups))
        if samples_of != corpus.boxed:
            assert all(split_of(item.group) == split for split in SPLITS for item in samples[split])


def test_every_source_of_boxes_has_held_out_runs(corpus: TrainingCorpus) -> None:
    """Even if all its runs hash to train."""
    learned = [f"run {k}" for k in range(60) if split_of(f"phone/run {k}") == "train"][:8]
    box = replace(corpus.boxes[0], source="phone")
    boxes = [replace(box, run=run) for run in learned for _ in range(10)]
    boxes += [replace(box, source="web", run=str(k)) for k in range(100)]
    boxed = replace(corpus, boxes=tuple(boxes))
    held_out = [item.group for item in boxed.boxed("test") if item.source == "phone"]
    assert len(held_out) == 10
    assert held_out[0] == min((f"phone/{run}" for run in learned), key=position_of)
    # A source with enough held-out runs is still split by hash.
    assert {item.group for item in boxed.boxed("test") if item.source == "web"} == {
        f"web/{k}" for k in range(100) if split_of(f"web/{k}") == "test"
    }
    # A single long run stays in training, since otherwise nothing of the source would be learned.
    single = replace(corpus, boxes=tuple(one for one in boxes if one.run == learned[0]))
    assert not single.boxed("test")


def test_near_ood_kind_is_in_one_split(corpus: TrainingCorpus) -> None:
    groups = {split: {item.group for item in corpus.near_ood(split)} for split in SPLITS}
    assert groups == {
        "train": {"other/pear", "other/guava"},
        "validation": {"other/lemon"},
        "test": {"other/papaya"},
    }
    assert {item.source for item in corpus.near_ood("train")} == {"market"}


def test_near_ood_kind_that_became_a_class_is_dropped(corpus: TrainingCorpus) -> None:
    first, *rest = corpus.listing.files
    for name in ("rottenpears", "pears", "pear"):
        listing = replace(corpus.listing, files=(replace(first, class_name=name), *rest))
        samples = replace(corpus, listing=listing).near_ood("train")
        assert {item.group for item in samples} == {"other/guava"}


def test_training_split_has_all_but_the_test_split(corpus: TrainingCorpus) -> None:
    split = corpus.training_split()
    for samples_of, _ in kinds_of(corpus):
        if samples_of != corpus.file_samples:
            assert [item for item in samples_of("train") if item not in split.training] == []
        if samples_of != corpus.photographs:
            assert [item for item in samples_of("validation") if item not in split.validation] == []
        for item in samples_of("test"):
            assert item not in split.training
            assert item not in split.validation
    groups = [{item.group for item in part} for part in (split.training, split.validation)]
    assert not groups[0] & groups[1]


def test_skipped_sources_are_left_out(folder: Path, corpus: TrainingCorpus) -> None:
    reduced = read_corpus(folder, skip=["phone", "market"])
    assert (reduced.boxes, reduced.near_files) == ((), ())
    assert reduced.listing.files == corpus.listing.files
    assert {"phone", "market"} <= {item.path for item in reduced.listing.skipped}


def test_boxes_of_a_skipped_source_are_left_out(folder: Path, tmp_path: Path) -> None:
    root = shutil.copytree(folder, tmp_path / "photographs")
    picture, names = encode(draw_fruit("freshapples"), "JPEG"), ("web", "shop")
    for name in names:
        (root / "scenes" / name).mkdir(parents=True)
        (root / "scenes" / name / "1.jpg").write_bytes(picture)
    rows = "".join(f"{name}/1.jpg,apple,0,0,9,9\n" for name in names)
    (root / "scenes/boxes.csv").write_text(f"file,fruit,xmin,ymin,xmax,ymax\n{rows}")
    reduced = read_corpus(root, skip=["web"])
    assert {box.source for box in reduced.boxes} == {"phone", "shop"}
    assert "scenes/web" in {item.path for item in reduced.listing.skipped}
