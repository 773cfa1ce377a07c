"""Thumbnails are fetched once, and the cache is bounded."""

from collections.abc import Iterator

import pytest
from client import ApiClient
from thumbnails import Thumbnails

from tests.ui.fake_api import Answer, FakeApi
from tests.waiting import ANSWER_SECONDS

MOST = 3


@pytest.fixture
def thumbnails(api: FakeApi) -> Iterator[Thumbnails]:
    client = ApiClient(api.address, timeout=ANSWER_SECONDS, health_timeout=ANSWER_SECONDS)
    for number in range(5):
        api.answers[f"/{number}"] = Answer(bytes([number]), content_type="image/jpeg")
    created = Thumbnails(client, pixels=192, max_cached=MOST)
    yield created
    created.close()
    client.close()


def test_thumbnails_are_in_order_and_fetched_once(thumbnails: Thumbnails, api: FakeApi) -> None:
    assert thumbnails.get(["/2", "/0"]) == [b"\2", b"\0"]
    assert thumbnails.get(["/0", "/2"]) == [b"\0", b"\2"]
    assert sorted(path for path, _ in api.received) == ["/0?size=192", "/2?size=192"]


def test_missing_thumbnail_does_not_affect_others_and_is_requested_again(
    thumbnails: Thumbnails, api: FakeApi
) -> None:
    assert thumbnails.get(["/9", "/1"]) == [None, b"\1"]
    api.answers["/9"] = Answer(b"back")
    assert thumbnails.get(["/9"]) == [b"back"]


def test_least_recently_used_thumbnails_are_evicted(thumbnails: Thumbnails, api: FakeApi) -> None:
    for path in ("/0", "/1", "/2", "/0", "/3", "/0", "/1"):
        thumbnails.get([path])

    assert [path[1] for path, _ in api.received] == ["0", "1", "2", "3", "1"]
