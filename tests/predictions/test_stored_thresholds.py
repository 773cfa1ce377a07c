"""One pair of thresholds, on either database."""

from api.core.freshness_levels import LevelThresholds
from api.predictions import freshness_thresholds
from api.storage.db import Database


def stored(database: Database) -> LevelThresholds | None:
    with database.reading() as session:
        return freshness_thresholds.user_thresholds(session)


def test_the_last_pair_holds_until_it_is_forgotten(database: Database) -> None:
    assert stored(database) is None
    for pair in (LevelThresholds(0.3, 0.7), LevelThresholds(0.4, 0.4)):
        with database.session() as session:
            freshness_thresholds.set_thresholds(session, pair.rotten_below, pair.fresh_from or 0)
        assert stored(database) == pair
    for _ in range(2):
        with database.session() as session:
            freshness_thresholds.clear_thresholds(session)
        assert stored(database) is None
