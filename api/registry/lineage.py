"""What served before what: the way that rollbacks go."""

from collections.abc import Iterable


def lineage(changes: Iterable[tuple[str, str]]) -> list[str]:
    """What served before what, the present champion last, from (version, kind) in order.

    A promotion puts its version on top of what served; a rollback takes the top off again. So two
    rollbacks go two versions back, and do not return to what the first one turned away from.
    """
    served: list[str] = []
    for version, kind in changes:
        if kind == "rollback":
            while served and served[-1] != version:
                served.pop()
        if not served or served[-1] != version:
            served.append(version)
    return served
