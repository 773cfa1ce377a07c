"""How much there is to learn from."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.dataset import repository
from api.dataset.learned import Learned


@dataclass(frozen=True)
class Summary:
    """Images of the catalog by class, by split and by origin; `new` of them the model has not seen.

    `photographs` counts what is known in all, by class and split: the catalog's photographs and
    those that the serving model learned from, each once however many copies there are.
    """

    by_class: Counter[str]
    by_split: Counter[str]
    by_origin: Counter[str]
    newest: datetime | None
    new: int
    photographs: Counter[tuple[str, str]]


def summarise(session: Session, learned: Learned) -> Summary:
    by_class: Counter[str] = Counter()
    by_split: Counter[str] = Counter()
    by_origin: Counter[str] = Counter()
    for class_name, split, origin, images in repository.counts(session):
        by_class[class_name] += images
        by_split[split] += images
        by_origin[origin] += images
    stored: set[str] = set()
    known: set[tuple[str, str, str]] = set()
    for sha256, class_name, split, photograph in repository.photographs(session):
        stored.add(sha256)
        known.add((class_name, split, photograph))
    rows = zip(
        learned.sha256, learned.class_names, learned.splits, learned.photographs, strict=True
    )
    for sha256, class_name, split, photograph in rows:
        if sha256 not in stored:  # The catalog knows its own better: one may be relabelled.
            known.add((str(class_name), str(split), str(photograph)))
    return Summary(
        by_class=by_class,
        by_split=by_split,
        by_origin=by_origin,
        newest=repository.newest(session),
        new=len(stored - learned.row_of.keys()),
        photographs=Counter((class_name, split) for class_name, split, _ in known),
    )
