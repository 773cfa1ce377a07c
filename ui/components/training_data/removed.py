"""Undoing a removal or a relabelling of training photos."""

from collections.abc import Sequence
from functools import partial

import cached_api
import cached_removed
import state
from api_models import Relabelled, RemovedPhoto
from errors import ApiError
from formatting import class_label, format_time, pluralize
from state import Undo
from timezone import local

from components import undo
from components.undo import Removed


def after_removal(area: str, message: str, ids: Sequence[str], *, is_kept: bool) -> None:
    """Offer to restore photos if they are kept for a while."""
    state.keep_undo(area, Undo(message, partial(_restore, ids) if is_kept else None))


def after_relabelling(area: str, answer: Relabelled) -> None:
    """Offer to give the photos their previous classes back."""
    count = pluralize(answer.relabelled, "photo")
    message = f"{count} relabelled: {class_label(answer.class_name)}."
    state.keep_undo(area, Undo(message, partial(_relabel, answer) if answer.former else None))


def removed_lately(area: str) -> None:
    """The photos that can still be restored, also after a reload and by other people."""
    try:
        page = cached_removed.newest()
    except ApiError:  # The page works without this list.
        return
    by_id = {photo.id: photo for photo in page.photos}
    descriptions = {photo_id: _describe(photo) for photo_id, photo in by_id.items()}

    def delete(ids: Sequence[str]) -> str:
        cached_removed.delete([by_id[photo_id] for photo_id in ids])
        return f"{pluralize(len(ids), 'photo')} deleted for good."

    undo.removed_lately(
        area, Removed("photo", page.kept_days, page.total, descriptions, _restore, delete)
    )


def _restore(ids: Sequence[str]) -> str:
    answer = cached_removed.restore(ids)
    parts = []
    if answer.restored or not (answer.known or answer.missing):
        parts.append(f"{pluralize(answer.restored, 'photo')} put back.")
    if answer.known:
        count = pluralize(len(answer.known), "photo")
        parts.append(f"{count} not put back: the same was added again meanwhile.")
    if answer.missing:
        count = pluralize(len(answer.missing), "photo")
        parts.append(f"{count} not put back: deleted, or put back already.")
    return " ".join(parts)


def _relabel(answer: Relabelled) -> str:
    back = 0
    try:
        for class_name, ids in answer.former.items():
            # The class existed before, so there is no need to ask whether it is new.
            relabelled = cached_api.api().relabel_images(
                ids, class_name, new_class=True, only_from=answer.class_name
            )
            back += relabelled.relabelled
    finally:
        cached_removed.clear()
    changed = sum(map(len, answer.former.values())) - back
    others = f" {pluralize(changed, 'photo')} changed since, and left so." if changed else ""
    return f"{pluralize(back, 'photo')} relabelled back.{others}"


def _describe(photo: RemovedPhoto) -> str:
    what = class_label(photo.class_name) if photo.class_name else "with boxes"
    return f"{photo.filename}, {what}, removed {format_time(local(photo.removed_at))}"
