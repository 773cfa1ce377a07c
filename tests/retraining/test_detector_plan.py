"""When a full run trains the detector, on which photos, and the expected time."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.catalog import boxed_repository
from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_repository import BoxedPhoto
from api.core.boxes import Box
from api.model.manifest import BoxedFingerprint
from api.retraining.detector_plan import (
    DetectorPlan,
    detector_seconds,
    fingerprint,
    load_learnable,
    plan_detector,
)
from api.retraining.plan import detector_share
from api.retraining.progress import Stage, stage_ranges
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.retraining.catalog import DEFAULT
from tests.retraining.test_boxed_fruits import add_boxed_photo

FRUITS = ("apple", "banana")
ONE = BoxedFingerprint(photographs=1, boxes=2, sha256="one")
assert DEFAULT.manifest.detector
CURRENT = DEFAULT.manifest.detector.model_copy(update={"fruits": FRUITS, "catalog": None})
LEARNED = CURRENT.model_copy(update={"catalog": ONE})
MORE = ("apple", "banana", "kiwi")


def a_photo(split: str = "train", complete: bool = True, *boxes: LabelledBox) -> BoxedPhoto:
    row = SimpleNamespace(sha256="ab", split=split, complete=complete)
    return BoxedPhoto(cast("Any", row), list(boxes))


APPLE, SOME = LabelledBox(Box(0, 0, 9, 9), "freshapples"), LabelledBox(Box(9, 0, 19, 9), None)


AUTO, KEEP, TRAIN = "auto", "keep", "train"


@pytest.mark.parametrize(
    ("arguments", "plan"),
    [
        ((AUTO, CURRENT, FRUITS, None, ()), DetectorPlan.KEEP),
        ((AUTO, CURRENT, FRUITS, ONE, ()), DetectorPlan.TUNE),
        ((AUTO, LEARNED, FRUITS, ONE, ()), DetectorPlan.KEEP),
        ((AUTO, LEARNED, FRUITS, None, ()), DetectorPlan.TUNE),
        ((KEEP, CURRENT, FRUITS, ONE, FRUITS), DetectorPlan.KEEP),
        ((TRAIN, LEARNED, FRUITS, ONE, ()), DetectorPlan.TRAIN),
        # Other fruits.
        ((AUTO, CURRENT, MORE, ONE, MORE), DetectorPlan.TRAIN),
        ((AUTO, CURRENT, MORE, ONE, FRUITS), DetectorPlan.NONE),
        ((KEEP, CURRENT, MORE, ONE, MORE), DetectorPlan.NONE),
        # A package without a detector.
        ((AUTO, None, FRUITS, ONE, FRUITS), DetectorPlan.NONE),
        ((TRAIN, None, FRUITS, ONE, FRUITS), DetectorPlan.TRAIN),
    ],
)
def test_plan(arguments: tuple[Any, ...], plan: DetectorPlan) -> None:
    assert plan_detector(*arguments) is plan


def test_fingerprint_is_of_what_is_learned() -> None:
    assert fingerprint([]) is None
    assert fingerprint([a_photo("test", True, APPLE)]) is None
    one = fingerprint([a_photo("train", True, APPLE, SOME)])
    assert one == fingerprint(
        [a_photo("train", True, SOME, APPLE), a_photo("validation", True, APPLE)]
    )
    assert one
    assert (one.photographs, one.boxes) == (1, 2)
    others = [
        a_photo("train", False, APPLE, SOME),
        a_photo("train", True, APPLE),
        a_photo("train", True, APPLE, LabelledBox(SOME.box, "freshbanana")),
        a_photo("train", True, APPLE, LabelledBox(Box(9, 0, 19, 8), None)),
    ]
    assert len({fingerprint([photo]) for photo in others} | {one}) == 5


def test_unreadable_photos_do_not_count_as_new(database: Database, blobs: Blobs) -> None:
    ids = [add_boxed_photo(database, blobs, seed, None) for seed in range(3)]
    with database.session() as session:
        boxed_repository.get(session, ids[0]).row.unreadable = "its file is missing"
    with database.reading() as session:
        assert [photo.row.id for photo in load_learnable(session, 128 * 64)] == ids[1:]
        assert load_learnable(session, 128 * 64 - 1) == []


def test_time_of_the_detector_is_part_of_the_progress() -> None:
    manifest = DEFAULT.manifest.model_copy(update={"detector": CURRENT})
    boxed = [a_photo("train", True, APPLE)]
    assert detector_share(manifest, [], "auto") == detector_share(manifest, boxed, "keep") == 0
    tuned, trained = (detector_share(manifest, boxed, option) for option in ("auto", "train"))
    assert 0 < tuned < trained < 1
    assert detector_seconds(DetectorPlan.NONE, manifest.model_dump()) == 0

    assert Stage.TRAINING_DETECTOR not in stage_ranges("full")
    ranges = stage_ranges("full", tuned)
    spans = sorted(ranges.values())
    assert spans[-1][1] <= 100
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    first, last = ranges[Stage.TRAINING_DETECTOR]
    assert ranges[Stage.EMBEDDING_NEW][1] == first
    assert last - first == pytest.approx(0.92 * tuned * (100 - first))
