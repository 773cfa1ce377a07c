"""Queries on model versions and the champion, in the caller's session.

Every change that involves the champion locks its row first, so such changes are serialised across
processes.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError
from api.model.manifest import Manifest, is_version
from api.registry import shadow_repository
from api.storage.db import now
from api.storage.ids import next_number
from api.storage.tables.models import ChampionRow, ModelRow, PromotionRow

Kind = Literal["first", "gate", "manual", "rollback"]
Origin = Literal["shipped", "fast", "full", "detector"]


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


class RollbackChangedError(ConflictError):
    code = "rollback-changed"

    def __init__(self, wanted: str, target: str | None) -> None:
        leads = f"to '{target}'" if target else "nowhere"
        super().__init__(
            f"A rollback would not lead to version '{wanted[:80]}' any more, but {leads}: what is "
            "in use was changed meanwhile. GET /models says what is in use now; POST "
            "/models/{version}/promote takes any version."
        )


def champion_version(session: Session) -> str | None:
    """The version that serves; None before the first promotion."""
    return session.scalar(select(ChampionRow.version))


def champion_row(session: Session) -> ChampionRow | None:
    return session.get(ChampionRow, 1)


def list_models(session: Session, limit: int | None = None) -> list[ModelRow]:
    """All versions, including pruned ones, newest first."""
    order = (ModelRow.number.desc(), ModelRow.created_at.desc(), ModelRow.version.desc())
    newest = select(ModelRow).order_by(*order)
    return list(session.scalars(newest.limit(limit)))


def get_model(session: Session, version: str) -> ModelRow:
    """Raises UnknownModelError."""
    # Checked before the query: PostgreSQL fails on some strings.
    row = session.get(ModelRow, version, populate_existing=True) if is_version(version) else None
    if row is None:
        raise UnknownModelError(version)
    return row


def check_promotable(session: Session, version: str) -> None:
    """Raises UnknownModelError, PrunedModelError."""
    if get_model(session, version).pruned_at is not None:
        raise PrunedModelError(version)


def describe(session: Session, version: str, name: str | None, note: str | None) -> ModelRow:
    """Change the name, the note or both; None leaves it unchanged. Raises UnknownModelError."""
    row = get_model(session, version)
    row.name = row.name if name is None else name
    row.note = row.note if note is None else note
    session.flush()
    return row


def add_model(
    session: Session,
    manifest: Manifest,
    *,
    origin: Origin,
    started_by: str,
    run_id: str | None = None,
    verdict: dict[str, Any] | None = None,
) -> None:
    """Add a version whose package is stored. Raises IntegrityError if it exists."""
    session.add(
        ModelRow(
            version=manifest.version,
            number=next_number(session, ModelRow),
            parent=manifest.parent,
            origin=origin,
            started_by=started_by,
            run_id=run_id,
            manifest=json.loads(manifest.to_json()),
            verdict=verdict,
        )
    )
    session.flush()


def promote(session: Session, version: str, kind: Kind) -> PromotionRow:
    """Make `version` the champion, unless it already is. Returns its promotion.

    The kind "first" replaces no champion: if there is one, its promotion is returned. Raises
    UnknownModelError, PrunedModelError.
    """
    current, at = _lock_champion(session), now()
    check_promotable(session, version)
    if current is None and not _insert_champion(session, version, at):
        return promote(session, version, kind)
    if current is not None and (kind == "first" or current.version == version):
        return history(session, limit=1)[0]
    replaced = current.version if current else None
    if current is not None:
        current.version, current.changed_at = version, at
    promotion = PromotionRow(version=version, replaced=replaced, kind=kind, at=at)
    session.add(promotion)
    shadow_repository.end(session, "replaced")
    session.flush()
    return promotion


def _insert_champion(session: Session, version: str, at: datetime) -> bool:
    """Make `version` the first champion; False if another process was faster.

    Before there is a row, none can be locked. On PostgreSQL this waits until that process commits.
    """
    try:
        with session.begin_nested():
            session.add(ChampionRow(id=1, version=version, changed_at=at))
    except IntegrityError:
        if _lock_champion(session) is None:  # Something else is wrong.
            raise
        return False
    return True


def compared_version(session: Session, version: str) -> str | None:
    """The champion; for the champion itself, the version that it replaced."""
    current = champion_version(session)
    if version != current:
        return current
    last = history(session, limit=1)
    return last[0].replaced if last else None


def rollback(session: Session, to: str | None = None) -> PromotionRow:
    """Make the previous champion the champion again; `to`: the version that this is to be.

    If `to` is the champion already, nothing changes. Raises NothingToRollBackToError,
    RollbackChangedError, PrunedModelError.
    """
    current = _lock_champion(session)
    if current is not None and current.version == to:
        return history(session, limit=1)[0]
    return promote(session, checked_rollback_target(session, to), "rollback")


def checked_rollback_target(session: Session, to: str | None) -> str:
    """Raises NothingToRollBackToError; RollbackChangedError if a rollback does not lead to `to`."""
    target = rollback_target(session)
    if to is not None and target != to:
        raise RollbackChangedError(to, target)
    if target is None:
        raise NothingToRollBackToError()
    return target


def history(session: Session, limit: int | None = None) -> list[PromotionRow]:
    """Changes of the champion, newest first."""
    return list(session.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(limit)))


def first_promotion_at(session: Session) -> datetime | None:
    return session.scalar(select(PromotionRow.at).order_by(PromotionRow.id).limit(1))


def served_versions(session: Session) -> set[str]:
    """Every version that is or was champion."""
    return set(session.scalars(select(PromotionRow.version).distinct()))


def rollback_target(session: Session) -> str | None:
    """The version that a rollback would make champion."""
    changes = select(PromotionRow.version, PromotionRow.kind).order_by(PromotionRow.id)
    stack = rollback_stack((version, kind) for version, kind in session.execute(changes))
    return stack[-2] if len(stack) > 1 else None


def mark_pruned(session: Session, keep: int) -> list[str]:
    """Mark versions as pruned and return them.

    It keeps the `keep` newest, the champion, the rollback target, the shadow version, and the
    newest version that passed the gate against the champion and waits for a person.
    """
    current = _lock_champion(session)
    beside = shadow_repository.active(session)
    kept = {current.version if current else None, rollback_target(session)}
    kept.add(beside.version if beside else None)
    available = [row for row in list_models(session) if row.pruned_at is None]
    served = served_versions(session)
    waiting = (
        row.version
        for row in available
        if current and row.parent == current.version and row.version not in served
        if (row.verdict or {}).get("passed")
    )
    kept.add(next(waiting, None))
    pruned = [row for row in available[keep:] if row.version not in kept]
    for row in pruned:
        row.pruned_at = now()
    return [row.version for row in pruned]


def available_versions(session: Session) -> set[str]:
    """Versions that are not pruned, so their packages are stored."""
    return set(session.scalars(select(ModelRow.version).where(ModelRow.pruned_at.is_(None))))


def _lock_champion(session: Session) -> ChampionRow | None:
    return session.get(ChampionRow, 1, with_for_update=True, populate_existing=True)


def rollback_stack(changes: Iterable[tuple[str, str]]) -> list[str]:
    """The champions to roll back through, the current one last.

    `changes` are (version, kind), oldest first. A promotion pushes its version and a rollback pops
    one, so two rollbacks go two versions back. Versions you rolled back from are skipped.
    """
    stack: list[str] = []
    for version, kind in changes:
        if kind == "rollback":
            while stack and stack[-1] != version:
                stack.pop()
        if not stack or stack[-1] != version:
            stack.append(version)
    return stack
