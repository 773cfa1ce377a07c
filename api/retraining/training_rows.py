"""The rows that a retraining learns from: the champion's replay buffer merged with the catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.catalog.duplicate_index import read_signatures
from api.core.labels import UNKNOWN, fruits_of, level_number, read_label
from api.core.layout import NEAR
from api.model.replay_buffer import (
    APPEARANCE_COLUMNS,
    SURE_TARGET,
    OodSamples,
    ReplayBuffer,
    RetiredRows,
)
from api.retraining.boxed_fruits import CatalogPhoto

# The source of all rows from the catalog.
CATALOG = "catalog"


@dataclass(frozen=True)
class TrainingRows:
    """Rows to train and to test on; the targets of `replay` are over `classes`.

    `is_new` bool [n]: the champion has not learned the row, or has with another label.
    `is_correction` bool [n]: the row is feedback on a prediction or a review, not an upload.
    """

    classes: tuple[str, ...]
    replay: ReplayBuffer
    is_new: NDArray[np.bool_]
    is_correction: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class index of each row: int64 [n]."""
        labels: NDArray[np.int64] = self.replay.targets.argmax(axis=1)
        return labels

    @property
    def names(self) -> NDArray[np.str_]:
        """The class name of each row: strings [n]."""
        return np.array(self.classes)[self.labels]

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """False for fruit of unknown level, whose target is half fresh, half rotten: bool [n]."""
        is_sure: NDArray[np.bool_] = self.replay.targets.max(axis=1) > SURE_TARGET
        return is_sure

    @property
    def test(self) -> NDArray[np.bool_]:
        """The rows to measure on: bool [n]."""
        test: NDArray[np.bool_] = self.is_sure & (self.replay.splits == "test")
        return test

    @property
    def levels(self) -> NDArray[np.int64]:
        """The freshness level of each row, numbered as in `core.labels`: int64 [n]."""
        of_class = np.array([level_number(read_label(name).level) for name in self.classes])
        return np.where(self.is_sure, of_class[self.labels], UNKNOWN)


def not_embedded(replay: ReplayBuffer, photos: Sequence[CatalogPhoto]) -> list[CatalogPhoto]:
    """The photos that have no embedding in the replay."""
    known = _rows_by_sha256(replay)
    return [photo for photo in photos if photo.sha256 not in known]


@dataclass(frozen=True)
class _PhotoRow:
    """A photo of the catalog; `old` is its row in the replay buffer, if it has one."""

    photo: CatalogPhoto
    old: int | None


@dataclass(frozen=True)
class _ImportedRows:
    """What becomes of the rows of a replay buffer whose files are not in the catalog.

    `kept` bool [n] are those of the run's classes, `targets` float32 [n, classes] all rows' targets
    over these. Of the others, some become `ood`, and some are `retired`.
    """

    kept: NDArray[np.bool_]
    targets: NDArray[np.float32]
    ood: OodSamples
    retired: RetiredRows


def merge_catalog(
    replay: ReplayBuffer,
    known_classes: Sequence[str],
    photos: Sequence[CatalogPhoto],
    embedded: Mapping[str, NDArray[np.float32]],
    classes: tuple[str, ...],
) -> TrainingRows:
    """Merge the catalog's `photos` into the replay of a package of `known_classes`.

    `embedded` has the embeddings of `not_embedded` by SHA-256, float32 [1 + views, channels]; what
    it lacks is left out. In the result:

    - Rows of photos that are no longer in the catalog are removed.
    - An imported row whose file is in the catalog too takes the catalog's label and keeps its
      split, so that no upload moves a test photo into training.
    - An imported row whose file has a label outside `classes` in the catalog is removed.
    - Other imported rows of other classes become out-of-distribution (OOD) photos; held-out ones
      are retired, and return with their class.
    - OOD photos whose fruit is a class now are removed.
    """
    replay = _with_returned_classes(replay, known_classes, classes)
    known_classes = (*known_classes, *_only_in(classes, known_classes))
    row_of = _rows_by_sha256(replay)

    def is_new(one: _PhotoRow) -> bool:
        if one.old is None:
            return True
        learned = known_classes[int(replay.targets[one.old].argmax())]
        return learned != one.photo.class_name

    every = [_PhotoRow(photo, row_of.get(photo.sha256)) for photo in photos]
    rows = [
        one
        for one in every
        if one.photo.class_name in classes
        if one.old is not None or one.photo.sha256 in embedded
    ]
    relabelled_away = [one for one in every if one.photo.class_name not in classes and is_new(one)]
    in_catalog = [one.old for one in (*rows, *relabelled_away) if one.old is not None]
    imported = _sort_imported(replay, in_catalog, known_classes, classes)
    no = [False] * int(imported.kept.sum())
    return TrainingRows(
        classes=classes,
        replay=_join(replay, imported, rows, embedded, classes),
        is_new=np.array([*no, *map(is_new, rows)], bool),
        is_correction=np.array([*no, *(one.photo.origin != "upload" for one in rows)], bool),
    )


def _sort_imported(
    replay: ReplayBuffer,
    in_catalog: Sequence[int],
    known_classes: Sequence[str],
    classes: Sequence[str],
) -> _ImportedRows:
    """`in_catalog` are imported rows whose file is in the catalog too: the catalog decides."""
    imported = ~replay.catalog
    imported[list(in_catalog)] = False
    is_same_class = np.array(known_classes)[:, None] == np.array(classes)
    targets = replay.targets @ is_same_class.astype(np.float32)
    # A target over several classes keeps its sum of 1 only if all of them are kept.
    has_class = targets.sum(axis=1) > 1 - 1e-4
    without_class, is_test = imported & ~has_class, replay.splits == "test"
    becomes_ood = without_class & ~is_test
    ood = OodSamples.of_embeddings(replay.embeddings[becomes_ood])
    retires = without_class & is_test & (replay.targets.max(axis=1) > SURE_TARGET)
    return _ImportedRows(
        kept=imported & has_class,
        targets=targets,
        ood=replace(ood, splits=replay.splits[becomes_ood]),
        retired=_retired_rows(replay, retires, known_classes),
    )


def _join(
    replay: ReplayBuffer,
    imported: _ImportedRows,
    rows: Sequence[_PhotoRow],
    embedded: Mapping[str, NDArray[np.float32]],
    classes: tuple[str, ...],
) -> ReplayBuffer:
    """The imported rows that are kept, then those of the catalog's photos."""
    kept, photos = imported.kept, [one.photo for one in rows]

    def split(one: _PhotoRow) -> str:
        if one.old is None or replay.catalog[one.old]:
            return one.photo.split
        return str(replay.splits[one.old])

    def column(values: NDArray[Any], unknown: Any) -> NDArray[Any]:
        """`values` of the old rows, and `unknown` for photos without one."""
        own = [unknown if one.old is None else values[one.old] for one in rows]
        return np.concatenate([values[kept], np.array(own, values.dtype)])

    # For each photo: its own embedding, then those of its views.
    of_photos = [
        embedded[one.photo.sha256] if one.old is None else replay.with_views(one.old)
        for one in rows
    ]
    labels = np.array([classes.index(photo.class_name) for photo in photos], np.int64)
    looks = [[getattr(photo, name) for name in APPEARANCE_COLUMNS] for photo in photos]
    retired = replay.retired.rows(~np.isin(replay.retired.class_names, classes))
    numbers = int(kept.sum()) + np.arange(len(photos))
    return ReplayBuffer(
        embeddings=np.concatenate([replay.embeddings[kept], *(own[:1] for own in of_photos)]),
        targets=np.concatenate(
            [imported.targets[kept], np.eye(len(classes), dtype=np.float32)[labels]]
        ),
        splits=_append_names(replay.splits[kept], [split(one) for one in rows]),
        photographs=_append_names(replay.photographs[kept], [photo.photograph for photo in photos]),
        sha256=_append_names(replay.sha256[kept], [photo.sha256 for photo in photos]),
        signatures=np.concatenate(
            [replay.signatures[kept], read_signatures(photo.signature for photo in photos)]
        ),
        catalog=np.append(np.zeros(int(kept.sum()), bool), np.ones(len(photos), bool)),
        looks=np.concatenate(
            [replay.looks[kept], np.array(looks, np.float32).reshape(-1, len(APPEARANCE_COLUMNS))]
        ),
        copies=np.concatenate([replay.copies[kept], np.ones(len(photos), np.int32)]),
        sources=_append_names(replay.sources[kept], [CATALOG] * len(photos)),
        others=OodSamples.join([_without_classes(replay.others, classes), imported.ood]),
        first_class=_append_names(
            replay.first_class[kept],
            ["" if one.old is None else str(replay.first_class[one.old]) for one in rows],
        ),
        first_right=column(replay.first_right, -1),
        contradicted=column(replay.contradicted, False),
        retired=RetiredRows.join([retired, imported.retired]),
        views=np.concatenate([replay.embeddings[:0], *(own[1:] for own in of_photos)]),
        view_of=np.repeat(numbers, [len(own) - 1 for own in of_photos]).astype(np.int32),
    )


def _only_in(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in known)


def _retired_rows(
    replay: ReplayBuffer, rows: NDArray[np.bool_], classes: Sequence[str]
) -> RetiredRows:
    """The rows `rows` bool [n] of a replay of `classes`, as retired rows."""
    return RetiredRows(
        embeddings=replay.embeddings[rows],
        class_names=np.array(classes)[replay.targets[rows].argmax(axis=1)],
        photographs=replay.photographs[rows],
        sha256=replay.sha256[rows],
        signatures=replay.signatures[rows],
        looks=replay.looks[rows],
        copies=replay.copies[rows],
        sources=replay.sources[rows],
    )


def _with_returned_classes(
    replay: ReplayBuffer, known: Sequence[str], classes: Sequence[str]
) -> ReplayBuffer:
    """The replay over `known` and the other `classes`; retired rows of `classes` become test
    rows.
    """
    every = (*known, *_only_in(classes, known))
    own = replay.retired.rows(np.isin(replay.retired.class_names, classes))
    of_class = [every.index(name) for name in own.class_names.tolist()]
    count = len(own)
    return replace(
        replay,
        embeddings=np.concatenate([replay.embeddings, own.embeddings]),
        targets=np.concatenate(
            [
                np.pad(replay.targets, ((0, 0), (0, len(every) - len(known)))),
                np.eye(len(every), dtype=np.float32)[of_class],
            ]
        ),
        splits=_append_names(replay.splits, ["test"] * count),
        photographs=np.concatenate([replay.photographs, own.photographs]),
        sha256=np.concatenate([replay.sha256, own.sha256]),
        signatures=np.concatenate([replay.signatures, own.signatures]),
        catalog=np.append(replay.catalog, np.zeros(count, bool)),
        looks=np.concatenate([replay.looks, own.looks]),
        copies=np.concatenate([replay.copies, own.copies]),
        sources=np.concatenate([replay.sources, own.sources]),
        first_class=np.concatenate([replay.first_class, own.class_names]),
        first_right=np.append(replay.first_right, np.full(count, -1, np.int8)),
        contradicted=np.append(replay.contradicted, np.zeros(count, bool)),
    )


def _without_classes(ood: OodSamples, classes: Sequence[str]) -> OodSamples:
    """OOD photos without those of fruits that are classes now."""
    fruits = {fruit for name in classes for fruit in fruits_of(name)}
    groups = [str(group) for group in ood.groups]
    is_class = [
        group.startswith(NEAR) and fruits & fruits_of(group[len(NEAR) :]) for group in groups
    ]
    return ood.rows(~np.array(is_class, bool))


def _rows_by_sha256(replay: ReplayBuffer) -> dict[str, int]:
    """The row of each photo by its SHA-256; rows of imported bounding boxes are left out."""
    # A catalog photo that is a copy of an imported boxed photo shares its group, so it looks boxed.
    rows = np.flatnonzero(~replay.boxed | replay.catalog)
    return {str(replay.sha256[row]): int(row) for row in rows}


def _append_names(first: NDArray[np.str_], more: Sequence[str]) -> NDArray[np.str_]:
    return np.concatenate([first, np.array(more, dtype=np.str_)])
