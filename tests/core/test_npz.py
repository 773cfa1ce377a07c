"""Untrusted files never allocate more memory than was checked beforehand."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from api.core.npz import load_npz

LIMIT = 10_000


def a_file(folder: Path, **members: bytes) -> Path:
    path = folder / "arrays.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def test_arrays_are_read(tmp_path: Path) -> None:
    numbers, names = np.arange(6).reshape(2, 3), np.array(["x", "äpfel"])
    np.savez_compressed(tmp_path / "arrays.npz", a=numbers, b=names, c=np.float32(2))
    read = load_npz(tmp_path / "arrays.npz", LIMIT)
    assert sorted(read) == ["a", "b", "c"]
    np.testing.assert_array_equal(read["a"], numbers)
    np.testing.assert_array_equal(read["b"], names)
    assert read["c"] == 2


def test_file_that_inflates_too_far_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "arrays.npz", zeros=np.zeros(10**7, np.uint8))
    assert (tmp_path / "arrays.npz").stat().st_size < 20_000
    with pytest.raises(ValueError, match="more than 10,000"):
        load_npz(tmp_path / "arrays.npz", LIMIT)


@pytest.mark.parametrize("shape", [(10**15,), (10**9, 10**9, 10**9), (3,)])
def test_array_must_be_as_large_as_its_header_says(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = a_file(tmp_path, a=header(shape) + bytes(8))
    with pytest.raises(ValueError, match="not what its header says"):
        load_npz(path, LIMIT)


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", a=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="holds objects"):
        load_npz(tmp_path / "arrays.npz", LIMIT)


def test_file_without_arrays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="magic"):
        load_npz(a_file(tmp_path, a=b"no array, only text"), LIMIT)
