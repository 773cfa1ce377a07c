"""The golden answers still hold: on any processor the same words, and numbers within a hair."""

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

# Engines of different processors round differently.
CLOSE = 0.02
PERCENT = re.compile(r"\d+ %")
SHIPPED = PROJECT / "models" / "default"


def test_drawn_images_get_the_golden_answers(client: TestClient) -> None:
    same(drawn_answers(client), json.loads(DRAWN.read_text()))


def test_photos_get_the_golden_answers(client: TestClient, dataset: Path) -> None:
    same(photo_answers(client, dataset), json.loads(PHOTOS.read_text()))


def test_a_package_is_stored_as_before() -> None:
    assert package_format(SHIPPED) == json.loads(PACKAGE.read_text())


def test_what_is_read_is_written_again_array_for_array(tmp_path: Path) -> None:
    Head.load(SHIPPED / "head.npz").save(tmp_path / "head.npz")
    ReplayBuffer.load(SHIPPED / "replay.npz").save(tmp_path / "replay.npz")
    for name in ("head.npz", "replay.npz"):
        with np.load(SHIPPED / name) as before, np.load(tmp_path / name) as after:
            assert sorted(before.files) == sorted(after.files)
            for array in before.files:
                assert before[array].dtype == after[array].dtype, array
                np.testing.assert_array_equal(before[array], after[array], err_msg=array)


def same(found: Any, golden: Any, path: str = "") -> None:
    """Words, keys and lengths equal; numbers but integers within CLOSE."""
    if isinstance(golden, dict):
        assert found.keys() == golden.keys(), path
        for name in golden:
            same(found[name], golden[name], f"{path}/{name}")
    elif isinstance(golden, float):
        assert found == pytest.approx(golden, abs=CLOSE), path
    elif isinstance(golden, str):
        assert PERCENT.sub("", found) == PERCENT.sub("", golden), path
    else:
        assert found == golden, path
