"""Scripted answers of the endpoints of a version's freshness thresholds."""

from dataclasses import asdict
from typing import Any

import numpy as np

from api.core.threshold_sweep import FEWEST, Costs, SweptFruits
from tests.ui.fake_api import Answer, FakeApi

OWN = {"rotten_below": 0.5, "fresh_from": 0.82}
OTHERS: dict[str, Any] = {**OWN, "set_by": "model", "model": OWN}
# Scores of held-out photos: nearly all rotten ones are below 0.7, good ones above 0.3.
ROTTEN = [*np.linspace(0.01, 0.6, 30).round(4), 0.75]
GOOD = [0.35, *np.linspace(0.7, 0.99, 50).round(4)]
CORRECTED = ([0.65, 0.1], [0.8, 0.9, 0.4])


def path(version: str, fruit: str = "") -> str:
    return f"/models/{version}/thresholds" + (f"/{fruit}" if fruit else "")


def sweep_path(version: str) -> str:
    return f"/models/{version}/threshold-sweep"


def of_fruit(fruit: str, **changes: Any) -> dict[str, Any]:
    shared = {"fruit": fruit, **OWN, "set_by": "model", "costs": None, "changed_at": None}
    return shared | changes


def of_version(version: str, *fruits: dict[str, Any]) -> Answer:
    return Answer(
        {
            "version": version,
            "others": OTHERS,
            "fruits": list(fruits),
            "compared_with": None,
            "lacks": [],
        }
    )


def counted(rotten: list[float], good: list[float], in_use: float, costs: Costs) -> dict[str, Any]:
    worse = np.arange(len(rotten) + len(good)) < len(rotten)
    fruits = SweptFruits(np.array([*rotten, *good], float), worse)
    suggested = fruits.cheapest(in_use, costs)
    return {
        "worse": len(rotten),
        "better": len(good),
        "in_use": asdict(fruits.at(in_use, costs)),
        "suggested": asdict(suggested) if suggested else None,
        "points": [asdict(errors) for errors in fruits.sweep(costs)],
    }


def swept(
    version: str,
    costs: Costs,
    *,
    fruit: str = "apple",
    line: str = "rotten_below",
    rotten: list[float] = ROTTEN,
    good: list[float] = GOOD,
    corrected: tuple[list[float], list[float]] = CORRECTED,
) -> Answer:
    in_use = OWN[line]
    return Answer(
        {
            "version": version,
            "fruit": fruit,
            "line": line,
            "costs": costs._asdict(),
            "fewest": FEWEST,
            "held_out": counted(rotten, good, in_use, costs),
            "corrected": counted(*corrected, in_use, costs),
        }
    )


def script(api: FakeApi, version: str) -> None:
    """Script two fruits with the model's own thresholds."""
    api.answers |= {
        path(version): of_version(version, of_fruit("apple"), of_fruit("banana")),
        sweep_path(version): swept(version, Costs(1, 1, None)),
    }
