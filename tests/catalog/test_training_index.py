"""Reading what a package was trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from api.catalog.duplicate_index import load_training_index
from api.model.package import MANIFEST, write_package
from api.model.replay_buffer import TrainingIndex
from tests.registry.samples import CLASSES, a_replay, describer, filler


def test_the_training_data_of_a_package(tmp_path: Path) -> None:
    write_package(tmp_path / "p", filler(), describer())
    learned = load_training_index(tmp_path / "p")
    replay = a_replay()
    assert learned.sha256.tolist() == replay.sha256.tolist()
    assert learned.photographs.tolist() == replay.photographs.tolist()
    assert learned.splits.tolist() == replay.splits.tolist()
    assert np.array_equal(learned.signatures, replay.signatures)
    assert learned.class_names.tolist() == [CLASSES[row % 2] for row in range(5)]
    assert learned.row_of[f"{3:064x}"] == 3
    assert load_training_index(tmp_path / "p") is learned


def test_a_replaced_package_is_read_again(tmp_path: Path) -> None:
    write_package(tmp_path / "p", filler(), describer())
    before = load_training_index(tmp_path / "p")
    write_package(tmp_path / "p", filler(), describer("2026-11-22"))
    assert load_training_index(tmp_path / "p") is not before


def test_without_a_package_it_is_empty(tmp_path: Path) -> None:
    assert len(load_training_index(tmp_path / "p").sha256) == 0
    write_package(tmp_path / "p", filler(), describer())
    (tmp_path / "p" / MANIFEST).unlink()
    assert load_training_index(tmp_path / "p").row_of == TrainingIndex.empty().row_of == {}


def test_the_first_row_of_a_file_counts() -> None:
    twice = replace(TrainingIndex.empty(), sha256=np.array(["a", "b", "a"]))
    assert twice.row_of == {"a": 0, "b": 1}


def test_rows_of_the_catalog_are_left_out() -> None:
    names = np.array(["a", "b", "c"])
    signatures = np.arange(240, dtype=np.uint8).reshape(3, 80)
    given, looks, once = np.array([False, True, False]), np.zeros((3, 5)), np.ones(3, np.int32)
    learned = TrainingIndex(
        names, signatures, names, names, names, given, looks.astype(np.float32), once
    )
    apart = learned.without_catalog
    assert apart.sha256.tolist() == apart.splits.tolist() == ["a", "c"]
    assert np.array_equal(apart.signatures, signatures[[0, 2]])
    assert not apart.catalog.any()
