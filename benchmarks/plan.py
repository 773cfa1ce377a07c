"""Durations and counts of the benchmarks, in full and for `--quick`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Times in seconds. Each round measures every server in turn, so noise affects all equally."""

    rounds: int = 7
    round_seconds: float = 6
    batch_images: int = 500
    large_repeats: int = 25
    users: tuple[int, ...] = (10, 50, 100)
    locust_seconds: int = 30
    flood_seconds: int = 60
    retraining_epochs: int = 12
    retraining_seconds: float = 60
    starts: int = 7
    steady_predictions: int = 50_000


QUICK = Plan(
    rounds=3,
    round_seconds=2,
    batch_images=120,
    large_repeats=7,
    users=(10, 100),
    locust_seconds=8,
    flood_seconds=15,
    retraining_epochs=1,
    retraining_seconds=12,
    starts=3,
    steady_predictions=3_000,
)
