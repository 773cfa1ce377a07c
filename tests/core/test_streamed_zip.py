"""A zip that is sent while it is written."""

import io
import time
import zipfile

import pytest

from api.core.streamed_zip import StreamedZip


def written(files: dict[str, bytes]) -> zipfile.ZipFile:
    archive = StreamedZip()
    parts = [
        archive.add(name, data, compress=name.endswith("json")) for name, data in files.items()
    ]
    return zipfile.ZipFile(io.BytesIO(b"".join([*parts, archive.close()])))


FILES = {"a/1.jpg": b"\xff\xd8" * 500, "a.json": b"[1, 2, 3]" * 500}


def test_files_come_back_and_only_texts_are_compressed() -> None:
    with written(FILES) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert [info.compress_type for info in archive.infolist()] == [
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ]


def test_parts_are_sent_as_they_are_written() -> None:
    archive = StreamedZip()
    assert FILES["a/1.jpg"] in archive.add("a/1.jpg", FILES["a/1.jpg"])
    assert archive.close()


@pytest.mark.parametrize("year", [1970, 2200])
def test_no_clock_prevents_a_zip(monkeypatch: pytest.MonkeyPatch, year: int) -> None:
    """A zip has only the years 1980 to 2107."""
    wrong = time.struct_time((year, 1, 1, 0, 0, 0, 3, 1, 0))
    monkeypatch.setattr(time, "localtime", lambda *_: wrong)
    with written(FILES) as archive:
        assert archive.testzip() is None
