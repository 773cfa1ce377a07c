"""Downloading the public data set, with a fake kagglehub."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from api.catalog.import_folder import PUBLIC_SET, DownloadError, download_public_set


def test_public_set_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handles: list[str] = []

    def download(handle: str) -> str:
        handles.append(handle)
        return str(tmp_path)

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    assert download_public_set() == tmp_path
    assert handles == [PUBLIC_SET]


@pytest.mark.parametrize("failure", [ConnectionError("no route"), ValueError("404"), OSError()])
def test_download_error_names_the_offline_alternative(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def download(_handle: str) -> str:
        raise failure

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    with pytest.raises(DownloadError) as raised:
        download_public_set()
    assert "make data FROM=" in raised.value.detail
    assert type(failure).__name__ in raised.value.detail
    assert raised.value.__cause__ is failure
