"""How many fruits a photo of a class folder shows.

A class folder names the fruit, not the number. All photos of the public sets were inspected;
`fruit_counts.csv` lists them by the SHA-256 of one of their files. A bunch of bananas counts as
one.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

# Unclear: pieces beside a fruit, or the edge of a second one.
FruitCount = Literal["one", "several", "unclear"]
LIST = Path(__file__).with_name("fruit_counts.csv")


def fruit_count(sha256: str) -> FruitCount | None:
    """None for a file that is not listed."""
    return _listed().get(sha256)


@cache
def _listed() -> dict[str, FruitCount]:
    with LIST.open(newline="", encoding="utf-8") as stream:
        counts = {row["sha256"]: row["shows"] for row in csv.DictReader(stream)}
    if unknown := set(counts.values()) - set(get_args(FruitCount)):
        raise ValueError(f"{LIST}: {', '.join(sorted(unknown))} is not a number of fruits.")
    return cast(dict[str, FruitCount], counts)
