from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.evaluation.figures import slices, thirds, traits
from api.training.class_folders import PhotoFile


def test_thirds_hold_a_third_each_and_say_their_bounds() -> None:
    parts = thirds(range(9), "KiB", digits=1)
    assert parts[0] == parts[2] == "up to 2.7 KiB"
    assert parts[3] == parts[5] == "2.7 to 5.3 KiB"
    assert parts[6] == parts[8] == "over 5.3 KiB"


def test_equal_values_make_one_part() -> None:
    assert set(thirds([4, 4, 4], "KiB", digits=1)) == {"up to 4.0 KiB"}


def test_every_slice_is_scored_by_itself() -> None:
    correct = np.array([True, True, False, True])
    of = {"fruit": ["apple", "apple", "banana", "banana"]}
    apple, banana = slices(correct, ["a", "a", "b", "c"], of)
    assert (apple["by"], apple["part"], apple["accuracy"]) == ("fruit", "apple", 1)
    assert (banana["files"], banana["photographs"], banana["accuracy"]) == (2, 2, 0.5)
    assert (apple["photographs"], apple["accuracy_interval_95"]) == (1, (1, 1))


def test_thirds_stand_in_their_order() -> None:
    parts = thirds(range(30), "KiB", digits=0)
    rows = slices(np.ones(30, bool), [str(k) for k in range(30)], {"file size": parts})
    assert [row["part"].split()[0] for row in rows] == ["up", "10", "over"]


@pytest.mark.parametrize(("shade", "part"), [(20, "up to"), (210, "over")])
def test_brightness_is_read_from_the_pixels(tmp_path: Path, shade: int, part: str) -> None:
    row = PhotoFile("", "freshapples", "", "a", "test", 8, 8, 100, "", "")
    files = []
    for value in (20, 120, 210):
        Image.new("RGB", (8, 8), (value, value, value)).save(tmp_path / f"{value}.png")
        files.append(replace(row, path=f"{value}.png"))
    found = traits(tmp_path, files)
    assert found["fruit"] == ["apple"] * 3
    assert found["brightness"][(20, 120, 210).index(shade)].startswith(part)
