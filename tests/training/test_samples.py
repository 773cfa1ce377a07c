"""Training samples of each kind: target, freshness, source and group."""

from pathlib import Path

import numpy as np
import pytest

from api.core.labels import Level, fruits_of
from api.training.bounding_boxes import Box
from api.training.class_folders import PhotoFile
from api.training.samples import (
    Sample,
    balance_keys,
    boxed_samples,
    far_ood_samples,
    file_samples,
    near_ood_samples,
    photograph_samples,
    targets,
)

CLASSES = ("freshapples", "freshkiwi", "overripemangoes", "pears", "rottenapples")
ROOT = Path("root")


def row(path: str, photograph: str) -> PhotoFile:
    class_name = Path(path).parent.name
    return PhotoFile(path, class_name, "", photograph, "train", 1, 1, 1, "", "")


def box(fruit: str, level: Level | None) -> Box:
    return Box(Path("1.jpg"), fruit, level, "1", 0, 0, 9, 9, source="phone")


def test_photo_is_one_sample_with_the_unaltered_file_first() -> None:
    files = [
        row("shop/test/freshapples/rotated_by_15_a.jpg", "freshapples/a"),
        row("shop/train/freshapples/a.jpg", "freshapples/a"),
        row("freshkiwi/b.jpg", "freshkiwi/b"),
    ]
    samples = photograph_samples(ROOT, files, CLASSES)
    assert [len(sample.copies) for sample in samples] == [2, 1]
    assert samples[0].copies[0] == ROOT / "shop/train/freshapples/a.jpg"
    assert [sample.source for sample in samples] == ["shop", ""]
    assert [sample.group for sample in samples] == ["freshapples/a", "freshkiwi/b"]
    assert samples[1].target == (0, 1, 0, 0, 0)
    assert len(file_samples(ROOT, files, CLASSES)) == 3


def test_files_of_two_sources_are_two_samples_of_one_group() -> None:
    """Files of the same name: if they are the same photo, it must stay in one split."""
    files = [row(f"{source}/freshapples/1.jpg", "freshapples/1") for source in ("a", "b")]
    samples = photograph_samples(ROOT, files, CLASSES)
    assert [(sample.source, sample.group) for sample in samples] == [
        ("a", "freshapples/1"),
        ("b", "freshapples/1"),
    ]


@pytest.mark.parametrize(
    ("class_name", "freshness"),
    [("freshapples", 1), ("overripemangoes", 1), ("rottenapples", 0), ("pears", None)],
)
def test_freshness_follows_the_class_name(class_name: str, freshness: float | None) -> None:
    (sample,) = file_samples(ROOT, [row(f"shop/{class_name}/a.jpg", "a")], CLASSES)
    assert sample.freshness == freshness
    assert (sample.source, sample.group, sample.box) == ("shop", "a", None)


@pytest.mark.parametrize(
    ("level", "target", "freshness"),
    [
        ("fresh", (1, 0, 0, 0, 0), 1),
        ("past_best", (1, 0, 0, 0, 0), 1),
        ("rotten", (0, 0, 0, 0, 1), 0),
        (None, (0.5, 0, 0, 0, 0.5), None),
    ],
)
def test_box_gets_the_class_of_its_level(
    level: Level | None, target: tuple[float, ...], freshness: float | None
) -> None:
    (sample,) = boxed_samples([box("apple", level)], CLASSES)
    assert sample.target == target
    assert sample.freshness == freshness
    assert (sample.source, sample.group) == ("phone", "phone/1")
    assert sample.box == box("apple", level)


def test_past_best_box_gets_the_overripe_class_if_it_exists() -> None:
    classes = ("freshapples", "overripeapples", "rottenapples")
    samples = boxed_samples([box("apple", "past_best"), box("apple", None)], classes)
    assert [sample.target for sample in samples] == [(0, 1, 0), (0.5, 0, 0.5)]
    assert samples[0].freshness == 1


@pytest.mark.parametrize(("level", "freshness"), [("past_best", 1), ("rotten", 0), (None, None)])
def test_box_of_a_plain_class_gets_that_class(level: Level | None, freshness: float | None) -> None:
    for fruit in ("pear", "pears"):
        (sample,) = boxed_samples([box(fruit, level)], CLASSES)
        assert sample.target == (0, 0, 0, 1, 0)
        assert sample.freshness == freshness


def test_boxes_without_both_classes_are_left_out() -> None:
    assert boxed_samples([box("kiwi", "fresh"), box("plum", "fresh")], CLASSES) == []


def test_near_ood_samples_have_no_target_and_are_grouped_by_kind() -> None:
    folders = ("market/other/pear", "other/rottenguava", "paper/other/freshguavas")
    samples = near_ood_samples(ROOT, [ROOT / folder / "1.jpg" for folder in folders])
    assert [sample.target for sample in samples] == [()] * 3
    assert [sample.freshness for sample in samples] == [None, 0, 1]
    assert [sample.source for sample in samples] == ["market", "", "paper"]
    assert [sample.group for sample in samples] == ["other/pear", "other/guava", "other/guava"]


def test_far_ood_samples_have_no_target_and_are_grouped_by_file() -> None:
    (sample,) = far_ood_samples(ROOT, [ROOT / "not_fruit/chair.jpg"])
    assert sample == Sample((ROOT / "not_fruit/chair.jpg",), (), group="far/chair.jpg")


def test_targets_have_a_row_for_every_sample() -> None:
    known, unknown = Sample((Path("x"),), (0.5, 0.5)), Sample((Path("y"),), ())
    assert targets([unknown, known]).tolist() == [[0, 0], [0.5, 0.5]]
    assert targets([known]).dtype == np.float32
    assert targets([]).shape == (0, 0)
    assert targets([unknown]).shape == (1, 0)


def test_fruit_names_match_those_of_boxes() -> None:
    assert fruits_of("pears") == {"pears", "pear"}
    assert fruits_of("rotten_pears") == {"pear"}


def test_balance_keys_name_class_fruit_and_ood_samples() -> None:
    samples = [
        *file_samples(ROOT, [row("shop/rottenapples/a.jpg", "a")], CLASSES),
        *boxed_samples([box("apple", "fresh"), box("apple", None), box("pear", None)], CLASSES),
        *near_ood_samples(
            ROOT, [ROOT / f"m/other/{kind}/1.jpg" for kind in ("lime", "rottenplum")]
        ),
        *far_ood_samples(ROOT, [ROOT / "not_fruit/1.jpg"]),
    ]
    sources, labels, kinds = balance_keys(samples, CLASSES)
    assert sources == ["shop", "phone", "phone", "phone", "m", "m", ""]
    assert labels == ["rottenapples", "freshapples", "apple", "pears", "near", "near 0", "far"]
    assert kinds == ["apple", "apple", "apple", "pears", "", "", ""]
