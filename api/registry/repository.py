"""Model versions and the champion in the catalog. Every function works in the session given.

Whatever changes the champion, or depends on who it is, locks its one row first, so that such
changes come one after the other, in every process.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError
from api.model.manifest import Manifest, is_version
from api.storage.db import now
from api.storage.tables import ChampionRow, ModelRow, PromotionRow

Kind = Literal["first", "gate", "manual", "rollback"]
Origin = Literal["shipped", "fast", "full"]


class UnknownModelError(NotFoundError):
    code = "unknown-model"

    def __init__(self, version: str) -> None:
        super().__init__(f"There is no model version '{version[:80]}'. GET /models lists them.")


class PrunedModelError(ConflictError):
    code = "model-pruned"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The files of version '{version}' were removed to make room, so it cannot serve. "
            "GET /models lists the versions that can; POST /models/{version}/promote takes one."
        )


class NothingToRollBackToError(ConflictError):
    code = "nothing-to-roll-back-to"
    detail = (
        "No version served before the present one. GET /models lists the versions; POST "
        "/models/{version}/promote takes one."
    )


def champion(session: Session) -> str | None:
    """The version that serves; None before the first one."""
    return session.scalar(select(ChampionRow.version))


def champion_row(session: Session) -> ChampionRow | None:
    return session.get(ChampionRow, 1)


def models(session: Session, limit: int | None = None) -> list[ModelRow]:
    """All versions, the newest first; pruned ones too."""
    newest = select(ModelRow).order_by(ModelRow.created_at.desc(), ModelRow.version.desc())
    return list(session.scalars(newest.limit(limit)))


def model(session: Session, version: str) -> ModelRow:
    """Raises UnknownModelError."""
    # What can be no version never reaches the database: PostgreSQL refuses some strings.
    row = session.get(ModelRow, version, populate_existing=True) if is_version(version) else None
    if row is None:
        raise UnknownModelError(version)
    return row


def known(session: Session, version: str) -> ModelRow | None:
    return session.get(ModelRow, version)


def promotable(session: Session, version: str) -> ModelRow:
    """Raises UnknownModelError, PrunedModelError."""
    row = model(session, version)
    if row.pruned_at is not None:
        raise PrunedModelError(version)
    return row


def add_model(
    session: Session,
    manifest: Manifest,
    *,
    parent: str | None,
    origin: Origin,
    started_by: str,
    run_id: str | None,
    verdict: dict[str, Any] | None,
) -> None:
    """Enter a version whose package is stored. Raises IntegrityError for one that is known."""
    session.add(
        ModelRow(
            version=manifest.version,
            parent=parent,
            origin=origin,
            started_by=started_by,
            run_id=run_id,
            manifest=json.loads(manifest.text()),
            verdict=verdict,
        )
    )
    session.flush()


def promote(session: Session, version: str, kind: Kind) -> None:
    """Make `version` the champion; where it is already, nothing happens.

    Raises UnknownModelError, PrunedModelError; IntegrityError where another process made the very
    first champion at the same moment.
    """
    serving = _locked_champion(session)
    promotable(session, version)
    if serving is not None and serving.version == version:
        return
    replaced, at = serving.version if serving else None, now()
    if serving is None:
        session.add(ChampionRow(id=1, version=version, changed_at=at))
    else:
        serving.version, serving.changed_at = version, at
    session.add(PromotionRow(version=version, replaced=replaced, kind=kind, at=at))
    session.flush()


def rollback(session: Session) -> str:
    """Make the version champion that served before the present one; gives its name.

    Raises NothingToRollBackToError, PrunedModelError.
    """
    _locked_champion(session)
    version = predecessor(session)
    if version is None:
        raise NothingToRollBackToError()
    promote(session, version, "rollback")
    return version


def history(session: Session, limit: int | None = None) -> list[PromotionRow]:
    """Every change of the champion, the newest first."""
    return list(session.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(limit)))


def began(session: Session) -> datetime | None:
    """When this catalog got its first champion."""
    return session.scalar(select(PromotionRow.at).order_by(PromotionRow.id).limit(1))


def champions(session: Session) -> set[str]:
    """Every version that ever served."""
    return set(session.scalars(select(PromotionRow.version).distinct()))


def predecessor(session: Session) -> str | None:
    """The version that a rollback would go to."""
    changes = select(PromotionRow.version, PromotionRow.kind).order_by(PromotionRow.id)
    served = rollback_stack((version, kind) for version, kind in session.execute(changes))
    return served[-2] if len(served) > 1 else None


def mark_pruned(session: Session, keep: int) -> list[str]:
    """Mark all but the `keep` newest versions as pruned, sparing champion and predecessor."""
    serving = _locked_champion(session)
    spared = {serving.version if serving else None, predecessor(session)}
    present = [row for row in models(session) if row.pruned_at is None]
    pruned = [row for row in present[keep:] if row.version not in spared]
    for row in pruned:
        row.pruned_at = now()
    return [row.version for row in pruned]


def servable(session: Session) -> set[str]:
    """The versions whose packages are stored."""
    return set(session.scalars(select(ModelRow.version).where(ModelRow.pruned_at.is_(None))))


def _locked_champion(session: Session) -> ChampionRow | None:
    return session.get(ChampionRow, 1, with_for_update=True, populate_existing=True)


def rollback_stack(changes: Iterable[tuple[str, str]]) -> list[str]:
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
