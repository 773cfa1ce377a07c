"""The photos that a candidate is judged by: chosen by the service, not by those who upload.

They are held-out photos:
- those that the champion was judged by, with their labels at that time, even if relabelled or
  removed since;
- those of classes that the champion lacks and the candidate has again;
- those held out since, which are counted separately.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.paired_comparison import ChangedLabels
from api.evaluation.compare_models import HeldOut
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer, RowKey, row_keys
from api.retraining.boxed_fruits import CatalogPhoto
from api.retraining.training_rows import TrainingRows

# A known class with fewer held-out photos is judged by leaving its photos out one by one.
MIN_HELD_OUT = 5


@dataclass(frozen=True)
class JudgedRows:
    """`held_out`, and for each of its n rows the embedding by the champion's backbone, float32
    [n, channels], SHA-256, strings [n], and signature, uint8 [n, 80]."""

    held_out: HeldOut
    embeddings: NDArray[np.float32]
    sha256: NDArray[np.str_]
    signatures: NDArray[np.uint8]

    @property
    def keys(self) -> list[RowKey]:
        return row_keys(self.sha256, self.signatures)

    def rows(self, wanted: NDArray[np.bool_]) -> "JudgedRows":
        """A subset, by `wanted` bool [n]."""
        columns = [column[wanted] for column in vars(self.held_out).values()]
        return JudgedRows(
            HeldOut(*columns),
            self.embeddings[wanted],
            self.sha256[wanted],
            self.signatures[wanted],
        )

    @classmethod
    def join(cls, parts: Sequence["JudgedRows"]) -> "JudgedRows":
        columns = zip(*(vars(part.held_out).values() for part in parts), strict=True)
        return JudgedRows(
            HeldOut(*map(np.concatenate, columns)),
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.sha256 for part in parts]),
            np.concatenate([part.signatures for part in parts]),
        )


def judged_rows(champion: ReplayBuffer, known: Sequence[str], data: TrainingRows) -> JudgedRows:
    """`champion` is the replay of a package with classes `known`, `data` are the candidate's
    rows."""
    earlier = (champion.splits == "test") & (champion.targets.max(axis=1) > SURE_TARGET)
    retired = champion.retired.rows(np.isin(champion.retired.class_names, data.classes))
    replay = data.replay
    judged_before = np.concatenate([champion.sha256[earlier], retired.sha256])
    # Imported boxes are never new.
    new = data.test & (~replay.boxed | replay.catalog) & ~np.isin(replay.sha256, judged_before)
    before, added = len(judged_before), int(new.sum())
    held_out = HeldOut(
        class_names=np.concatenate(
            [
                np.array(known)[champion.targets[earlier].argmax(axis=1)],
                retired.class_names,
                data.names[new],
            ]
        ),
        photographs=np.concatenate(
            [
                _fruits(champion, earlier),
                retired.photographs,
                replay.photographs[new],
            ]
        ),
        sources=np.concatenate([champion.sources[earlier], retired.sources, replay.sources[new]]),
        looks=np.concatenate([champion.looks[earlier], retired.looks, replay.looks[new]]),
        is_new=np.repeat([False, True], [before, added]),
        first_right=np.concatenate(
            [champion.first_right[earlier], np.full(len(retired) + added, -1, np.int8)]
        ),
    )
    return JudgedRows(
        held_out,
        np.concatenate([champion.embeddings[earlier], retired.embeddings, replay.embeddings[new]]),
        np.concatenate([judged_before, replay.sha256[new]]),
        np.concatenate([champion.signatures[earlier], retired.signatures, replay.signatures[new]]),
    )


def changed_labels(
    champion: ReplayBuffer, known: Sequence[str], photos: Sequence[CatalogPhoto]
) -> dict[str, ChangedLabels]:
    """Counts by the class that photos were first judged by. `photos` are the catalog's now."""
    now = {photo.sha256: photo.class_name for photo in photos}
    rows = np.flatnonzero((champion.splits == "test") & (~champion.boxed | champion.catalog))
    labels = np.array(known)[champion.targets[rows].argmax(axis=1)].tolist()
    photographs, relabelled = Counter[str](), Counter[str]()
    removed, since_first = Counter[str](), Counter[str]()
    for row, label in zip(rows.tolist(), labels, strict=True):
        sha256 = str(champion.sha256[row])
        first, current = str(champion.first_class[row]) or label, now.get(sha256, label)
        photographs[first] += 1
        relabelled[first] += current != label
        since_first[first] += current != first
        removed[first] += bool(champion.catalog[row]) and sha256 not in now
    return {
        name: ChangedLabels(count, relabelled[name], removed[name], since_first[name])
        for name, count in photographs.items()
        if relabelled[name] or removed[name] or since_first[name]
    }


def too_few_held_out(held_out: HeldOut, known: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The classes that both models know and that have too few photos held out before."""
    counts = Counter(held_out.class_names[~held_out.is_new & held_out.first_copies].tolist())
    return [name for name in known if name in classes and counts[name] < MIN_HELD_OUT]


def with_first_judgement(
    replay: ReplayBuffer, classes: Sequence[str], right: Mapping[RowKey, bool]
) -> ReplayBuffer:
    """The replay with `first_class` and `first_right` of test rows that have none yet.

    `right`: whether the first model judged by a row is right.
    """
    names = np.array(classes)[replay.targets.argmax(axis=1)]
    is_test = replay.splits == "test"
    by_row = np.array([right.get(key, -1) for key in replay.keys], np.int8)
    return replace(
        replay,
        first_class=np.where(is_test & (replay.first_class == ""), names, replay.first_class),
        first_right=np.where(is_test & (replay.first_right < 0), by_row, replay.first_right),
    )


def right_by_key(head: Head, classes: Sequence[str], judged: JudgedRows) -> dict[RowKey, bool]:
    """Whether the head is right on each row of its `classes`."""
    # A class that returns would count as wrong for a champion that does not know it.
    own = judged.rows(np.isin(judged.held_out.class_names, classes))
    predicted = np.array(classes)[head.probabilities(own.embeddings).argmax(axis=1)]
    right = predicted == own.held_out.class_names
    return dict(zip(own.keys, right.tolist(), strict=True))


def row_of_keys(replay: ReplayBuffer) -> dict[RowKey, int]:
    """The number of each row by its key; retired rows are numbered after the others."""
    retired = replay.retired
    keys = [*replay.keys, *row_keys(retired.sha256, retired.signatures)]
    return {key: row for row, key in enumerate(keys)}


def _fruits(replay: ReplayBuffer, rows: NDArray[np.bool_]) -> NDArray[np.str_]:
    """The photographs of `rows`; each box counts as one."""
    names = [
        f"{name}#{row}" if boxed else str(name)
        for row, (name, boxed) in enumerate(zip(replay.photographs, replay.boxed, strict=True))
    ]
    return np.array(names, np.str_)[rows]
