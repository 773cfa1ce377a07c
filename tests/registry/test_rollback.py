"""Promotions push a version onto the rollback stack; rollbacks pop one, and only once."""

from pathlib import Path

import pytest

from api.registry import repository, service
from api.registry.repository import RollbackChangedError, rollback_stack
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.versions import a_servable_package, register_package


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "c", "back to b"], ["a", "b"]),
        (["a", "b", "c", "back to b", "back to a"], ["a"]),
        (["a", "b", "c", "back to b", "d"], ["a", "b", "d"]),
        (["a", "b", "a", "back to b"], ["a", "b"]),
        (["a", "b", "a", "b", "back to a"], ["a", "b", "a"]),
        # A history with a missing row still has a champion.
        (["a", "b", "back to x"], ["x"]),
    ],
)
def test_rollback_stack(changes: list[str], expected: list[str]) -> None:
    rows = [
        (change.removeprefix("back to "), "rollback" if " " in change else "gate")
        for change in changes
    ]
    assert rollback_stack(rows) == expected


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "store"))


@pytest.fixture
def three_versions(database: Database, blobs: Blobs, tmp_path: Path) -> Path:
    """Versions a, b and c were put in use, in this order; returns the folder of copies."""
    for version in "abc":
        kind: repository.Kind = "first" if version == "a" else "manual"
        register_package(database, blobs, a_servable_package(tmp_path, version), kind)
    return tmp_path / "cache"


def test_rollback_to_a_named_version_that_is_sent_twice_goes_back_once(
    database: Database, blobs: Blobs, three_versions: Path
) -> None:
    """A double click, or a second try after a timeout."""
    first = service.roll_back(database, blobs, three_versions, to="b")
    again = service.roll_back(database, blobs, three_versions, to="b")

    assert (first.version, first.replaced, again.id) == ("b", "c", first.id)
    with database.reading() as session:
        assert repository.champion_version(session) == "b"


def test_rollback_that_would_lead_elsewhere_by_now_changes_nothing(
    database: Database, blobs: Blobs, three_versions: Path
) -> None:
    """Its page is older than what somebody else put in use."""
    service.promote(database, blobs, three_versions, "a")

    with pytest.raises(RollbackChangedError, match="version 'b' any more, but to 'c'"):
        service.roll_back(database, blobs, three_versions, to="b")

    with database.reading() as session:
        assert repository.champion_version(session) == "a"


def test_version_that_was_not_verified_is_not_rolled_back_to(
    database: Database, blobs: Blobs, three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another rollback is committed while this one verifies its version."""
    check = service.check_package

    def check_slowly(*arguments: object) -> object:
        monkeypatch.setattr(service, "check_package", check)
        service.roll_back(database, blobs, three_versions)
        return check(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "check_package", check_slowly)

    assert service.roll_back(database, blobs, three_versions).version == "b"
    with database.reading() as session:
        assert repository.champion_version(session) == "b"
