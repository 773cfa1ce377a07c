"""What a retraining learns from: the champion's replay, and the catalog as it is now."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import Appearance
from api.core.labels import UNKNOWN, fruits_of, level_number, read_label
from api.core.layout import NEAR
from api.core.splits import Split
from api.model.replay_buffer import Others, Replay

# The source of what people uploaded or corrected.
CATALOG = "catalog"
# Older packages gave a fruit that was past its best nine tenths of the fresh class.
SURE_TARGET = 0.75


@dataclass(frozen=True)
class CatalogPhoto:
    """One image of the catalog, `width` x `height` pixels; `signature` is uint8 [80], and its bytes
    lie under the key `blob`."""

    sha256: str
    class_name: str
    photograph: str
    split: Split
    origin: str
    signature: NDArray[np.uint8]
    blob: str
    width: int
    height: int
    appearance: Appearance

    @property
    def looks(self) -> NDArray[np.float32]:
        """A row of `Replay.looks`: float32 [5]."""
        return np.array([*astuple(self.appearance), self.width, self.height], np.float32)


@dataclass(frozen=True)
class TrainingRows:
    """Rows to learn from and to be measured on; their targets are over `classes`.

    `fresh` bool [n]: whether the champion has not learned the row, or under another label;
    `chosen` bool [n]: whether people corrected the champion with it, so that it is among the hard
    ones.
    """

    classes: tuple[str, ...]
    rows: Replay
    fresh: NDArray[np.bool_]
    chosen: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The likeliest class of each row by its target: int64 [n]."""
        labels: NDArray[np.int64] = self.rows.targets.argmax(axis=1)
        return labels

    @property
    def names(self) -> NDArray[np.str_]:
        return np.array(self.classes)[self.labels]

    @property
    def test(self) -> NDArray[np.bool_]:
        """The rows to be measured on, but for fruit of unknown level: bool [n]."""
        sure: NDArray[np.bool_] = self.rows.targets.max(axis=1) > SURE_TARGET
        held_out: NDArray[np.bool_] = self.rows.splits == "test"
        return sure & held_out

    @property
    def levels(self) -> NDArray[np.int64]:
        """The level of each row by its class, as `training.finish` numbers them: int64 [n]."""
        of_class = np.array([level_number(read_label(name).level) for name in self.classes])
        # A fruit of unknown level is half fresh and half rotten.
        sure = self.rows.targets.max(axis=1) > SURE_TARGET
        return np.where(sure, of_class[self.labels], UNKNOWN)


def not_embedded(replay: Replay, photos: Sequence[CatalogPhoto]) -> list[CatalogPhoto]:
    """The photographs whose embeddings the replay does not have."""
    known = set(_whole(replay))
    return [photo for photo in photos if photo.sha256 not in known]


def assemble(
    replay: Replay,
    known_classes: Sequence[str],
    photos: Sequence[CatalogPhoto],
    embedded: Mapping[str, NDArray[np.float32]],
    classes: tuple[str, ...],
) -> TrainingRows:
    """Put the catalog's `photos` into the replay of a package of `known_classes`.

    `embedded` has of each of `not_embedded` by its SHA-256 the embedding and those of its views,
    float32 [1 + views, channels]. Rows of the catalog that are there no more are left out. Rows of
    classes that are not among `classes` join the photographs of no class, and those of no class
    whose kind is a class now are left out. A shipped row whose photograph is in the catalog too
    gives way to it, but its split stays.
    """
    photos = [photo for photo in photos if photo.class_name in classes]
    whole = _whole(replay)
    superseded = {whole[photo.sha256] for photo in photos if photo.sha256 in whole}
    stays = ~replay.catalog
    stays[list(superseded)] = False
    targets, inside = _mapped(replay.targets, known_classes, classes)
    dropped = stays & ~inside & (replay.splits != "test")
    kept = np.flatnonzero(stays & inside)

    def old(photo: CatalogPhoto) -> int | None:
        return whole.get(photo.sha256)

    def split(photo: CatalogPhoto) -> str:
        row = old(photo)
        shipped = row is not None and not replay.catalog[row]
        return str(replay.splits[row]) if shipped else photo.split

    def is_fresh(photo: CatalogPhoto) -> bool:
        row = old(photo)
        if row is None:
            return True
        return known_classes[int(replay.targets[row].argmax())] != photo.class_name

    def seen(photo: CatalogPhoto) -> NDArray[np.float32]:
        row = old(photo)
        return embedded[photo.sha256] if row is None else replay.seen(row)

    found = [seen(photo) for photo in photos]
    own_rows = len(kept) + np.arange(len(photos))
    added = np.array([classes.index(photo.class_name) for photo in photos], np.int64)
    signatures = [photo.signature[None] for photo in photos]
    rows = Replay(
        embeddings=_join(replay.embeddings[kept], [one[:1] for one in found]),
        targets=np.concatenate([targets[kept], np.eye(len(classes), dtype=np.float32)[added]]),
        splits=_named(replay.splits[kept], [split(photo) for photo in photos]),
        photographs=_named(replay.photographs[kept], [photo.photograph for photo in photos]),
        sha256=_named(replay.sha256[kept], [photo.sha256 for photo in photos]),
        signatures=_join(replay.signatures[kept], signatures),
        catalog=np.repeat([False, True], [len(kept), len(photos)]),
        looks=_join(replay.looks[kept], [photo.looks[None] for photo in photos]),
        copies=_join(replay.copies[kept], [np.ones(len(photos), np.int32)]),
        sources=_named(replay.sources[kept], [CATALOG] * len(photos)),
        others=Others.join([_unknown(replay.others, classes), _others(replay, dropped)]),
        views=_join(replay.embeddings[:0], [one[1:] for one in found]),
        view_of=np.repeat(own_rows, [len(one) - 1 for one in found]).astype(np.int32),
    )
    old_ones = [False] * len(kept)
    return TrainingRows(
        classes=classes,
        rows=rows,
        fresh=np.array([*old_ones, *(is_fresh(photo) for photo in photos)], bool),
        chosen=np.array([*old_ones, *(photo.origin != "upload" for photo in photos)], bool),
    )


def _unknown(others: Others, classes: Sequence[str]) -> Others:
    """Those whose kind is none of the classes."""
    known = {fruit for name in classes for fruit in fruits_of(name)}
    groups = [str(group) for group in others.groups]
    gone = [group.startswith(NEAR) and known & fruits_of(group[len(NEAR) :]) for group in groups]
    return others.rows(~np.array(gone, bool))


def _others(replay: Replay, rows: NDArray[np.bool_]) -> Others:
    """Rows [n] of classes that are none any more."""
    found = Others.unnamed(replay.embeddings[rows])
    return replace(found, splits=replay.splits[rows])


def _whole(replay: Replay) -> dict[str, int]:
    """The row of each file that is graded whole, and not one box of it, by its SHA-256."""
    rows = np.flatnonzero(~replay.boxed)
    return {str(replay.sha256[row]): int(row) for row in rows}


def _mapped(
    targets: NDArray[np.float32], before: Sequence[str], after: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Targets over the classes `after`, and which rows have all of theirs among them."""
    columns = np.zeros((len(targets), len(after)), np.float32)
    for old, name in enumerate(before):
        if name in after:
            columns[:, after.index(name)] = targets[:, old]
    return columns, columns.sum(axis=1) > 1 - 1e-4


def _join(first: NDArray[Any], more: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([first, *more])


def _named(first: NDArray[np.str_], more: Sequence[str]) -> NDArray[np.str_]:
    return np.concatenate([first, np.array(more, dtype=np.str_)])
