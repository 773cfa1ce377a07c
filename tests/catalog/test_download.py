"""Downloading the public data set, with a fake kagglehub."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from api.catalog.import_folder import PUBLIC_SET, DownloadError, download_public_set


def test_the_folder_of_the_public_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def download(handle: str) -> str:
        asked.append(handle)
        return str(tmp_path)

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    assert download_public_set() == tmp_path
    assert asked == [PUBLIC_SET]


@pytest.mark.parametrize("failure", [ConnectionError("no route"), ValueError("404"), OSError()])
def test_a_failure_names_the_offline_way(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def download(_handle: str) -> str:
        raise failure

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    with pytest.raises(DownloadError) as refusal:
        download_public_set()
    assert "make data FROM=" in refusal.value.detail
    assert type(failure).__name__ in refusal.value.detail
    assert refusal.value.__cause__ is failure
