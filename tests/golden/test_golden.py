"""The golden answers hold on any processor: text is equal, numbers are within a tolerance."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.core.heads import Head
from api.model.replay_buffer import ReplayBuffer
from api.settings import PROJECT
from tests.golden.answers import (
    DRAWN,
    PACKAGE,
    PHOTOS,
    drawn_answers,
    package_format,
    photo_answers,
)

# Inference engines round differently on different processors.
TOLERANCE = 0.02
PERCENT = re.compile(r"\d+ %")
SHIPPED = PROJECT / "models" / "default"


def test_drawn_images_get_the_golden_answers(client: TestClient) -> None:
    assert_matches(drawn_answers(client), json.loads(DRAWN.read_text()))


def test_photos_get_the_golden_answers(client: TestClient, dataset: Path) -> None:
    assert_matches(photo_answers(client, dataset), json.loads(PHOTOS.read_text()))


def test_package_format_is_unchanged() -> None:
    assert package_format(SHIPPED) == json.loads(PACKAGE.read_text())


def test_loaded_arrays_are_saved_unchanged(tmp_path: Path) -> None:
    Head.load(SHIPPED / "head.npz").save(tmp_path / "head.npz")
    ReplayBuffer.load(SHIPPED / "replay.npz").save(tmp_path / "replay.npz")
    for name in ("head.npz", "replay.npz"):
        with np.load(SHIPPED / name) as before, np.load(tmp_path / name) as after:
            assert sorted(before.files) == sorted(after.files)
            for array in before.files:
                assert before[array].dtype == after[array].dtype, array
                np.testing.assert_array_equal(before[array], after[array], err_msg=array)


def assert_matches(actual: Any, expected: Any, path: str = "") -> None:
    """Compare recursively: text without percentages, floats within TOLERANCE, everything else
    exactly."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), path
        for name in expected:
            assert_matches(actual[name], expected[name], f"{path}/{name}")
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, abs=TOLERANCE), path
    elif isinstance(expected, str):
        assert PERCENT.sub("", actual) == PERCENT.sub("", expected), path
    else:
        assert actual == expected, path
