"""The leak of a supplied split: photographs of which a copy lies on either side."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.training.class_folders import PhotoFile


@dataclass(frozen=True)
class SplitLeakage:
    """`photographs` stand in the supplied test files, `pairs` are those that also stand in train.

    Each pair is a test file and a train file of one photograph, the surest to look at: one of
    each photograph. `files` counts all supplied test files, `leaked_files` those with a copy in
    train.
    """

    photographs: int
    files: int
    leaked_files: int
    pairs: tuple[tuple[PhotoFile, PhotoFile], ...]


def find_leakage(files: Iterable[PhotoFile]) -> SplitLeakage | None:
    """Compare both sides of the supplied split; None where the set has no such split."""
    sides: dict[str, dict[str, list[PhotoFile]]] = {"train": {}, "test": {}}
    for file in sorted(files, key=lambda file: file.path):
        if file.supplied_split in sides:
            sides[file.supplied_split].setdefault(file.photograph, []).append(file)
    train, test = sides["train"], sides["test"]
    if not train or not test:
        return None
    leaked = sorted(train.keys() & test.keys())
    return SplitLeakage(
        photographs=len(test),
        files=sum(map(len, test.values())),
        leaked_files=sum(len(test[name]) for name in leaked),
        pairs=tuple((test[name][0], train[name][0]) for name in leaked),
    )
