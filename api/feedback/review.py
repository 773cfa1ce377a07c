"""The review queue: which predictions are most worth a person's word."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.feedback import repository
from api.imaging.hashing import SIGNATURE_BYTES, near_rows
from api.predict.tables import PredictionRow

# Looked at to fill a page: more where many look alike, but not without end.
PAGE = 500
MOST_LOOKED_AT = 5000
# So many labelled photographs are remembered, so that their copies are not asked for again.
REMEMBERED = 5000


def review_queue(session: Session, limit: int) -> list[PredictionRow]:
    """Up to `limit` predictions, best first: unrecognised, then least sure; look-alikes once.

    Only those without feedback whose photograph is kept, and none that looks like one that was
    labelled already.
    """
    seen = _signatures(repository.labelled_signatures(session, REMEMBERED))
    chosen: list[PredictionRow] = []
    for offset in range(0, MOST_LOOKED_AT, PAGE):
        page = repository.worth_labelling(session, offset, PAGE)
        for row in page:
            if row.signature is not None:
                signature = _signatures([row.signature])
                if len(near_rows(signature[0], seen)):
                    continue
                seen = np.concatenate([seen, signature])
            chosen.append(row)
            if len(chosen) == limit:
                return chosen
        if len(page) < PAGE:
            break
    return chosen


def _signatures(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Hexadecimal signatures as uint8 [n, 80]."""
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, SIGNATURE_BYTES)
