from pathlib import Path

import numpy as np
import pytest

from api.dataset.boxed import Box
from api.dataset.folder import PhotoFile
from api.training.samples import (
    Sample,
    balanced_weights,
    boxed_samples,
    epoch_order,
    file_samples,
    photograph_samples,
    targets,
)

CLASSES = ("freshapples", "freshkiwi", "rottenapples")


def row(path: str, class_name: str, photograph: str) -> PhotoFile:
    return PhotoFile(path, class_name, "", photograph, "train", 1, 1, 1, "", "")


def test_a_photograph_is_one_sample_with_its_unaltered_file_first() -> None:
    files = [
        row("freshapples/rotated_by_15_a.jpg", "freshapples", "freshapples/a"),
        row("freshapples/a.jpg", "freshapples", "freshapples/a"),
        row("freshkiwi/b.jpg", "freshkiwi", "freshkiwi/b"),
    ]
    samples = photograph_samples(Path("root"), files, CLASSES)
    assert [len(sample.copies) for sample in samples] == [2, 1]
    assert samples[0].copies[0] == Path("root/freshapples/a.jpg")
    assert samples[1].target == (0, 1, 0)
    assert len(file_samples(Path("root"), files, CLASSES)) == 3


@pytest.mark.parametrize(
    ("level", "target"),
    [("fresh", (1, 0, 0)), ("normal", (0.8, 0, 0.2)), ("rotten", (0, 0, 1))],
)
def test_the_level_of_a_box_sets_how_fresh_it_counts(level: str, target: tuple[float, ...]) -> None:
    box = Box(Path("1.jpg"), "apple", level, "1", 0, 0, 9, 9)  # type: ignore[arg-type]
    (sample,) = boxed_samples([box], CLASSES, normal_freshness=0.8)
    assert sample.target == pytest.approx(target)
    assert not sample.studio


def test_boxes_of_fruits_without_both_classes_are_left_out() -> None:
    boxes = [Box(Path("1.jpg"), fruit, "fresh", "1", 0, 0, 9, 9) for fruit in ("kiwi", "plum")]
    assert boxed_samples(boxes, CLASSES, normal_freshness=0.8) == []


def test_weights_give_every_class_the_same_say() -> None:
    samples = [Sample((Path("x"),), (1.0, 0.0))] * 30 + [Sample((Path("y"),), (0.0, 1.0))] * 10
    shares = balanced_weights(samples) @ targets(samples)
    assert shares[0] == pytest.approx(shares[1])
    assert balanced_weights(samples).mean() == pytest.approx(1)


def test_boxed_samples_do_not_shift_the_balance() -> None:
    studio = [Sample((Path("x"),), (1.0, 0.0)), Sample((Path("y"),), (0.0, 1.0))]
    box = Box(Path("1.jpg"), "apple", "fresh", "1", 0, 0, 9, 9)
    boxed = [Sample((Path("1.jpg"),), (1.0, 0.0), 0.5, box)] * 50
    weights = balanced_weights([*studio, *boxed])
    assert weights[0] == pytest.approx(weights[1])
    assert weights[2] == pytest.approx(weights[0] / 2)
    assert weights.dtype == np.float32


def test_an_epoch_takes_all_of_the_studio_and_a_share_of_the_boxed() -> None:
    box = Box(Path("1.jpg"), "apple", "fresh", "1", 0, 0, 9, 9)
    studio = [Sample((Path(f"{n}.jpg"),), (1.0, 0.0)) for n in range(6)]
    boxed = [Sample((Path("1.jpg"),), (1.0, 0.0), 1.0, box)] * 10
    orders = [epoch_order([*studio, *boxed], 0.4, 1, epoch) for epoch in range(3)]
    for order in orders:
        assert len(order) == len(set(order.tolist())) == 10
        assert set(range(6)) <= set(order.tolist())
    assert len({order.tobytes() for order in orders}) == 3
    assert sorted(epoch_order(boxed, 0.4, 1, 0)) == list(range(10))
