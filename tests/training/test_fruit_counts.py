"""Class-folder photos that do not show exactly one fruit are left out where that matters."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from api.evaluation.detection import measure_several, measure_single
from api.model.detector import Detector
from api.model.package import load_package
from api.settings import PROJECT
from api.training import fruit_counts
from api.training.corpus import TrainingCorpus, read_corpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import read_material
from api.training.detection.several import VIEWS, draw_counted_photos
from api.training.samples import Sample
from tests.training.drawn_collection import draw_collection

ListAs = Callable[[Sample, str], None]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


@pytest.fixture
def list_as(
    corpus: TrainingCorpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ListAs]:
    """Lists the last file of a photo instead of the project's list."""
    path = tmp_path / "fruit_counts.csv"
    path.write_text("sha256,photo,shows\n")
    monkeypatch.setattr(fruit_counts, "LIST", path)
    fruit_counts._listed.cache_clear()

    def add(sample: Sample, shows: str) -> None:
        with path.open("a") as stream:
            stream.write(f"{corpus.by_path[sample.copies[-1]].sha256},drawn,{shows}\n")
        fruit_counts._listed.cache_clear()

    yield add
    fruit_counts._listed.cache_clear()


def test_every_row_names_a_file_once_and_what_it_shows() -> None:
    with fruit_counts.LIST.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert rows
    assert {row["shows"] for row in rows} == {"one", "several", "unclear"}
    assert all(re.fullmatch("[0-9a-f]{64}", row["sha256"]) for row in rows)
    assert len({row["sha256"] for row in rows}) == len(rows)
    assert fruit_counts.fruit_count(rows[0]["sha256"]) == rows[0]["shows"]
    assert fruit_counts.fruit_count("0" * 64) is None


def test_unknown_fruit_count_is_an_error(corpus: TrainingCorpus, list_as: ListAs) -> None:
    sample = corpus.photographs("train")[0]
    list_as(sample, "many")
    with pytest.raises(ValueError, match=r"fruit_counts\.csv: many is not a number of fruits"):
        corpus.fruit_count(sample)


def test_detector_learns_single_fruits_only_from_photos_of_one(
    corpus: TrainingCorpus, list_as: ListAs
) -> None:
    before = read_material(corpus, "train")
    copied = next(each for each in corpus.photographs("train") if len(each.copies) > 1)
    first = next(each for each in corpus.photographs("train") if each != copied)
    list_as(copied, "several")
    list_as(first, "unclear")
    after = read_material(corpus, "train")
    assert len(after.single) == len(before.single) - 2
    assert len(after.cutouts) == len(before.cutouts) - 2
    assert len(corpus.of_one_fruit("train")) == len(corpus.photographs("train")) - 2


def test_only_counted_photos_teach_what_several_fruits_look_like(
    corpus: TrainingCorpus, list_as: ListAs
) -> None:
    def examples() -> list[tuple[NDArray[np.uint8], bool]]:
        return list(draw_counted_photos(DetectorRecipe(), corpus, 96))

    assert not examples()
    one, several, unclear = corpus.photographs("train")[:3]
    list_as(one, "one")
    list_as(several, "several")
    list_as(unclear, "unclear")
    assert [has_several for _, has_several in examples()] == [False] * VIEWS + [True] * VIEWS
    views = np.stack([pixels for pixels, _ in examples()])
    assert views.shape == (2 * VIEWS, 96, 96, 3)
    assert len(np.unique(views, axis=0)) == 2 * VIEWS


def test_single_fruit_metrics_exclude_photos_of_several(
    corpus: TrainingCorpus, list_as: ListAs
) -> None:
    def finds_one(_: NDArray[np.uint8]) -> list[int]:
        return [1]

    def photographs() -> int:
        metrics = measure_single(cast(Detector, finds_one), corpus, "test")
        return sum(int(row["photographs"]) for row in metrics.values())

    samples = corpus.photographs("test")
    assert photographs() == len(samples)
    list_as(samples[0], "several")
    list_as(samples[1], "unclear")
    assert photographs() == len(samples) - 2


def test_photos_listed_as_several_are_measured_as_several(
    corpus: TrainingCorpus, list_as: ListAs
) -> None:
    package = load_package(PROJECT / "models" / "default")
    samples = corpus.photographs("test")
    list_as(samples[0], "several")
    list_as(samples[1], "unclear")
    measured = measure_several(package, corpus, "test")[samples[0].source]
    assert measured["several"]["photographs"] == 1
    assert measured["one"]["photographs"] == len(samples) - 2
