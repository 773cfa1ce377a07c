"""Reading the training index of a model package."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from api.catalog.duplicate_index import load_training_index
from api.model.package import MANIFEST, write_package
from api.model.training_index import TrainingIndex
from tests.registry.samples import CLASSES, a_replay, describer, filler


def test_training_index_of_a_package_is_read_and_cached(tmp_path: Path) -> None:
    write_package(tmp_path / "p", filler(), describer())
    training_index = load_training_index(tmp_path / "p")
    replay = a_replay()
    assert training_index.sha256.tolist() == replay.sha256.tolist()
    assert training_index.photographs.tolist() == replay.photographs.tolist()
    assert training_index.splits.tolist() == replay.splits.tolist()
    assert np.array_equal(training_index.signatures, replay.signatures)
    assert training_index.class_names.tolist() == [CLASSES[row % 2] for row in range(5)]
    assert training_index.row_of[f"{3:064x}"] == 3
    assert load_training_index(tmp_path / "p") is training_index


def test_replaced_package_is_read_again(tmp_path: Path) -> None:
    write_package(tmp_path / "p", filler(), describer())
    before = load_training_index(tmp_path / "p")
    write_package(tmp_path / "p", filler(), describer("2026-11-22"))
    assert load_training_index(tmp_path / "p") is not before


def test_training_index_without_a_package_is_empty(tmp_path: Path) -> None:
    assert len(load_training_index(tmp_path / "p").sha256) == 0
    write_package(tmp_path / "p", filler(), describer())
    (tmp_path / "p" / MANIFEST).unlink()
    assert load_training_index(tmp_path / "p").row_of == TrainingIndex.empty().row_of == {}


def test_duplicate_file_maps_to_its_first_row() -> None:
    index = replace(TrainingIndex.empty(), sha256=np.array(["a", "b", "a"]))
    assert index.row_of == {"a": 0, "b": 1}


def test_without_catalog_leaves_out_catalog_rows() -> None:
    names = np.array(["a", "b", "c"])
    signatures = np.arange(240, dtype=np.uint8).reshape(3, 80)
    from_catalog = np.array([False, True, False])
    appearance, copies = np.zeros((3, 5), np.float32), np.ones(3, np.int32)
    training_index = TrainingIndex(
        names, signatures, names, names, names, from_catalog, appearance, copies
    )
    remaining = training_index.without_catalog
    assert remaining.sha256.tolist() == remaining.splits.tolist() == ["a", "c"]
    assert np.array_equal(remaining.signatures, signatures[[0, 2]])
    assert not remaining.catalog.any()
