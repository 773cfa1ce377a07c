"""Reads untrusted .npz files: sizes are checked before memory is allocated."""

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def load_npz(path: Path, max_bytes: int) -> dict[str, NDArray[Any]]:
    """All arrays of the file. Raises ValueError if they have more than `max_bytes` in total, or an
    array is not as large as its header says, and BadZipFile or OSError for any other file."""
    check_npz(path, max_bytes)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def check_npz(path: Path, max_bytes: int) -> None:
    """Raises what `load_npz` raises, without reading any array."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if total > max_bytes:
            raise ValueError(f"holds {total:,} bytes, more than {max_bytes:,}")
        for member in members:
            with archive.open(member) as stream:
                version = npy.read_magic(stream)
                read_header = (
                    npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                )
                shape, _, dtype = read_header(stream)
                if dtype.hasobject:
                    raise ValueError(f"{member.filename} holds objects, which are never loaded")
                if math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
                    raise ValueError(f"{member.filename} is not what its header says")
