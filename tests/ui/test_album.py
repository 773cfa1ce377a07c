"""Pictures are fetched once, and their number is bounded."""

from collections.abc import Iterator

import album
import pytest
from album import Album
from client import ApiClient

from tests.ui.fake_api import Answer, FakeApi


@pytest.fixture
def pictures(api: FakeApi) -> Iterator[Album]:
    client = ApiClient(api.address, timeout=10, health_timeout=10)
    for number in range(5):
        api.answers[f"/{number}"] = Answer(bytes([number]), content_type="image/jpeg")
    found = Album(client, size=192)
    yield found
    found.close()
    client.close()


def test_pictures_come_in_order_and_only_once(pictures: Album, api: FakeApi) -> None:
    assert pictures.pictures(["/2", "/0"]) == [b"\2", b"\0"]
    assert pictures.pictures(["/0", "/2"]) == [b"\0", b"\2"]
    assert sorted(path for path, _ in api.received) == ["/0?size=192", "/2?size=192"]


def test_a_picture_that_is_gone_spoils_no_other_and_is_asked_for_again(
    pictures: Album, api: FakeApi
) -> None:
    assert pictures.pictures(["/9", "/1"]) == [None, b"\1"]
    api.answers["/9"] = Answer(b"back")
    assert pictures.pictures(["/9"]) == [b"back"]


def test_those_not_seen_for_longest_are_let_go(
    pictures: Album, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(album, "MOST_KEPT", 2)
    for path in ("/0", "/1", "/0", "/2", "/0", "/1"):
        pictures.pictures([path])

    assert [path[1] for path, _ in api.received] == ["0", "1", "2", "1"]
