"""Photos with boxes, from imported folders and the catalog, by split."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.core.boxes import Box as PixelBox
from api.training.bounding_boxes import Box
from api.training.corpus import TrainingCorpus, read_corpus
from api.training.detection import sampler
from api.training.detection.sampler import kinds_of, read_material, read_scene
from api.training.detection.targets import UNKNOWN
from api.training.frames import Frame, FrameBox, imported_frames, sample_frames
from tests.training.drawn_collection import draw_collection

FRUITS = ("apple", "banana")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("drawn")))


def a_frame(path: Path, *boxes: FrameBox, complete: bool = True) -> Frame:
    Image.new("RGB", (100, 50), "white").save(path)
    return Frame(path, path.name, "catalog", "train", boxes, complete)


def test_frame_is_in_the_split_of_its_run(corpus: TrainingCorpus) -> None:
    for split in ("train", "validation", "test"):
        frames = {frame.path for frame in corpus.frames(split)}
        assert frames == {sample.copies[0] for sample in corpus.boxed(split)}
    assert all(len(frame.boxes) == 2 and frame.complete for frame in corpus.frames("train"))


def test_imported_frame_without_levels_may_have_more_fruit(tmp_path: Path) -> None:
    box = Box(tmp_path / "1.jpg", "apple", None, "run", 0, 0, 9, 9, source="web")
    [frame] = imported_frames([box], FRUITS, lambda _: "train")
    assert (frame.source, frame.complete) == ("web", False)
    [frame] = imported_frames([box, replace(box, level="rotten")], FRUITS, lambda _: "train")
    assert frame.complete
    assert imported_frames([replace(box, fruit="kiwi")], FRUITS, lambda _: "train") == []


def test_small_sources_are_sampled_in_full(tmp_path: Path) -> None:
    def of_source(source: str, count: int) -> list[Frame]:
        return [
            Frame(tmp_path / f"{source}-{k}", f"{k}", source, "train", (), complete=True)
            for k in range(count)
        ]

    few, many, most = of_source("phone", 3), of_source("shop", 20), of_source("catalog", 40)
    frames = [*most, *few, *many]
    assert sample_frames(frames, 63) == frames
    kept = sample_frames(frames, 33)
    assert Counter(frame.source for frame in kept) == {"phone": 3, "shop": 15, "catalog": 15}
    assert kept == [frame for frame in frames if frame in kept] == sample_frames(frames, 33)
    assert kept != sample_frames(frames[::-1], 33)
    assert len(sample_frames(frames, 2)) <= 2


@pytest.mark.slow
def test_only_the_detector_learns_frames_of_the_catalog(
    corpus: TrainingCorpus, tmp_path: Path
) -> None:
    frame = a_frame(tmp_path / "1.png", FrameBox(PixelBox(10, 5, 60, 45), "apple", None))
    more = replace(corpus, catalog_frames=(frame, replace(frame, split="test")))
    assert len(read_material(more, "train").boxed["catalog"]) == 1
    assert "catalog" not in read_material(more, "validation").boxed
    # The grader learns the boxes as crops, which count among the photos.
    assert more.training_split() == corpus.training_split()


@pytest.mark.slow
def test_boxed_photos_in_memory_are_bounded(
    corpus: TrainingCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(corpus.frames("train")) > 1
    monkeypatch.setattr(sampler, "MAX_BOXED", 1)
    assert [len(scenes) for scenes in read_material(corpus, "train").boxed.values()] == [1]


def test_scene_tells_unnamed_fruit_from_fruit_to_ignore(tmp_path: Path) -> None:
    places = [PixelBox(10, 5, 60, 45), PixelBox(0, 0, 20, 50), PixelBox(50, 0, 150, 25)]
    names = (None, "kiwi", "banana")
    boxes = [FrameBox(*pair, None) for pair in zip(places, names, strict=True)]
    frame = a_frame(tmp_path / "1.png", *boxes, complete=False)
    scene = read_scene(frame, kinds_of(FRUITS))
    assert list(scene.kinds) == [UNKNOWN, 1]
    # In shares of the sides, clipped at the edge.
    assert scene.boxes == pytest.approx(np.array([(0.1, 0.1, 0.6, 0.9), (0.5, 0, 1, 0.5)]))
    assert scene.ignored == pytest.approx(np.array([(0, 0, 0.2, 1)]))
    assert not scene.complete
    assert frame.levels(FRUITS) == [None, None]


def test_frame_without_boxes_shows_no_fruit(tmp_path: Path) -> None:
    scene = read_scene(a_frame(tmp_path / "1.png"), kinds_of(FRUITS))
    assert (scene.boxes.shape, scene.ignored.shape, scene.complete) == ((0, 4), (0, 4), True)
