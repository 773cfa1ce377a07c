"""Which classes a new grader is to know, and whether there is enough of each."""

from collections.abc import Iterable, Sequence

import numpy as np

from api.model.replay_buffer import Replay
from api.retraining.errors import TooFewClassesError, TooFewOfClassError, UnknownClassesError
from api.retraining.training_rows import CatalogPhoto

# Of fewer different photographs nothing can be learned that could be checked.
LEAST_OF_CLASS = 8
# And so many of them in the train split.
LEAST_LEARNED = 2


def choose_classes(
    known: Sequence[str], in_catalog: Iterable[str], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """The classes of the new grader: those `wanted`, or all known ones and then the catalog's.

    Raises UnknownClassesError, TooFewClassesError.
    """
    there = {*known, *in_catalog}
    if wanted is None:
        classes = (*known, *sorted(there - set(known)))
    else:
        unknown = sorted(set(wanted) - there)
        if unknown:
            raise UnknownClassesError(unknown, sorted(there))
        classes = tuple(sorted(set(wanted)))
    if len(classes) < 2:
        raise TooFewClassesError(classes)
    return classes


def require_enough(
    replay: Replay,
    known_classes: Sequence[str],
    photos: Sequence[CatalogPhoto],
    classes: Sequence[str],
) -> None:
    """Raises TooFewOfClassError for classes of which nothing could be learned."""
    stays = np.flatnonzero(~replay.catalog)
    shipped = replay.targets[stays].argmax(axis=1)
    rows = [
        *(
            (known_classes[number], str(replay.photographs[row]), str(replay.splits[row]))
            for row, number in zip(stays, shipped, strict=True)
        ),
        *((photo.class_name, photo.photograph, photo.split) for photo in photos),
    ]
    few = []
    for name in classes:
        different = {photograph for owner, photograph, _ in rows if owner == name}
        learned = {
            photograph for owner, photograph, split in rows if (owner, split) == (name, "train")
        }
        if len(different) < LEAST_OF_CLASS or len(learned) < LEAST_LEARNED:
            few.append((name, len(different)))
    if few:
        raise TooFewOfClassError(few, LEAST_OF_CLASS)
