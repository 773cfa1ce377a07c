"""Taking back what was done to training photos: the last change, and removals of the last days."""

from collections.abc import Callable, Sequence
from functools import partial

import cached_api
import cached_removed
import state
import streamlit as st
from api_models import Relabelled, RemovedPhoto
from errors import ApiError
from formatting import class_label, format_time, pluralize
from plain_text import as_markdown
from state import Undo
from timezone import local

from components.messages import run_action, show_action_error


def offer(area: str) -> None:
    """Say what was done last in this area, with a button that takes it back."""
    if done := state.undo(area):
        with st.container(horizontal=True, vertical_alignment="center", key=f"undo_{area}"):
            st.markdown(f":material/check_circle: {as_markdown(done.message)}")
            if done.take_back:
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    on_click=_take_back,
                    args=(area, done.take_back),
                )
    show_action_error(area, "This cannot be done")


def after_removal(area: str, message: str, ids: Sequence[str], *, is_kept: bool) -> None:
    """Offer to restore photos, if they are kept for a while."""
    state.keep_undo(area, Undo(message, partial(_restore, ids) if is_kept else None))


def after_relabelling(area: str, answer: Relabelled) -> None:
    """Offer to give the photos back the classes that they had."""
    count = pluralize(answer.relabelled, "photo")
    message = f"{count} relabelled: {class_label(answer.class_name)}."
    state.keep_undo(area, Undo(message, partial(_relabel, answer) if answer.former else None))


def removed_lately(area: str) -> None:
    """What can still be restored, also after a reload and by somebody else."""
    try:
        page = cached_removed.newest()
    except ApiError:  # It is only a help.
        return
    if not page.photos:
        return
    with st.expander(
        f"Removed in the last {days_text(page.kept_days)}: {pluralize(page.total, 'photo')}",
        icon=":material/restore_from_trash:",
    ):
        by_id = {photo.id: photo for photo in page.photos}
        chosen = st.multiselect(
            "Photos",
            list(by_id),
            format_func=lambda photo_id: _describe(by_id[photo_id]),
            key=state.REMOVED_CHOSEN,
            placeholder="Choose removed photos",
        )
        photos = [by_id[photo_id] for photo_id in chosen]
        with st.container(horizontal=True):
            st.button(
                "Put back",
                icon=":material/undo:",
                disabled=not chosen,
                on_click=_take_back,
                args=(area, partial(_restore, chosen)),
            )
            with st.popover("Delete for good", icon=":material/delete:", disabled=not chosen):
                st.write(f"{pluralize(len(chosen), 'photo')} cannot be brought back after that.")
                st.button(
                    "Delete now",
                    type="primary",
                    on_click=_take_back,
                    args=(area, partial(_delete, photos)),
                )


def _take_back(area: str, action: Callable[[], str]) -> None:
    def act() -> None:
        state.keep_undo(area, Undo(action(), None))

    run_action(area, act)
    cached_removed.clear()


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
    for class_name, ids in answer.former.items():
        # The class was there before, so it is not a new one to ask about.
        relabelled = cached_api.api().relabel_images(
            ids, class_name, new_class=True, only_from=answer.class_name
        )
        back += relabelled.relabelled
    changed = sum(map(len, answer.former.values())) - back
    others = f" {pluralize(changed, 'photo')} changed since, and left so." if changed else ""
    return f"{pluralize(back, 'photo')} relabelled back.{others}"


def _delete(photos: Sequence[RemovedPhoto]) -> str:
    cached_removed.delete(photos)
    return f"{pluralize(len(photos), 'photo')} deleted for good."


def _describe(photo: RemovedPhoto) -> str:
    what = class_label(photo.class_name) if photo.class_name else "with boxes"
    return f"{photo.filename}, {what}, removed {format_time(local(photo.removed_at))}"


def days_text(days: float) -> str:
    """As in "the last 7 days"."""
    return "day" if days == 1 else f"{days:g} days"
