"""The index of a photo folder: round trips and atomic writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.training.class_folders import INDEX, DamagedIndexError, PhotoFile, read_index, write_index


def row(path: str) -> PhotoFile:
    return PhotoFile(
        path=path,
        class_name="äpfel",
        supplied_split="",
        photograph='äpfel/a, "b"',
        split="validation",
        width=640,
        height=480,
        bytes=12345,
        sha256="0" * 64,
        signature="ff" * 80,
    )


ROWS = (row('äpfel/a, "b".png'), row("äpfel/new\nline.png"), row("äpfel/ 007 .png"))


def test_rows_are_read_as_written(tmp_path: Path) -> None:
    write_index(ROWS, tmp_path / INDEX)
    assert read_index(tmp_path / INDEX) == ROWS


def test_missing_index_is_empty(tmp_path: Path) -> None:
    assert read_index(tmp_path / INDEX) == ()


def test_failed_write_keeps_the_old_index(tmp_path: Path) -> None:
    def failing() -> Iterator[PhotoFile]:
        yield row("x/y.png")
        raise RuntimeError("the disk is full")

    write_index(ROWS, tmp_path / INDEX)
    with pytest.raises(RuntimeError):
        write_index(failing(), tmp_path / INDEX)
    assert read_index(tmp_path / INDEX) == ROWS


@pytest.mark.parametrize(
    ("damage", "line"), [(b"a.png,apple\n", "line 3"), (b"\xff\xfe,,,,,,,,,\n", "line 1")]
)
def test_damaged_row_is_reported_with_its_line(tmp_path: Path, damage: bytes, line: str) -> None:
    path = tmp_path / INDEX
    write_index(ROWS[:1], path)
    with path.open("ab") as stream:
        stream.write(damage)
    with pytest.raises(DamagedIndexError, match=line):
        read_index(path)
