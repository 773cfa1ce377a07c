"""What a request needs, told by its method and path alone.

Whatever is not named here is closed: a path that is new can be read with a key, and changed with
one that may change.
"""

from enum import Enum

from api.guard.keys import CHANGE, NO_SCOPE, PREDICT, Keyring

# Asked by machines that have no key and no patience.
PROBES = frozenset({"/live", "/ready", "/health"})
FRONT = frozenset({"/", "/docs", "/docs/oauth2-redirect", "/openapi.json"})
# They are sent a photograph and leave the data and the model as they are.
GRADING = frozenset({"/predict", "/predict/batch", "/insights/augmentation"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Need(Enum):
    """What kind of thing a request wants."""

    NOTHING = "nothing"
    GRADE = "grade"
    READ = "read"
    CHANGE = "change"


def need_of(method: str, path: str) -> Need:
    if method in SAFE_METHODS:
        return Need.NOTHING if path in PROBES or path in FRONT else Need.READ
    return Need.GRADE if path in GRADING else Need.CHANGE


def least_scope(need: Need, keys: Keyring) -> int:
    """The scope that a key must have; NO_SCOPE where none is needed.

    Where there are keys that may predict and none that may change, nobody changes anything.
    """
    if need is Need.NOTHING or keys.is_empty:
        return NO_SCOPE
    if need is Need.CHANGE:
        return CHANGE
    if need is Need.GRADE and not keys.guards_predictions:
        return NO_SCOPE
    return PREDICT
