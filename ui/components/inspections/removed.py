"""Removing inspections and their photos, and restoring them."""

from collections.abc import Callable, Sequence
from functools import partial

import cached_inspections
import lots
import state
import streamlit as st
from api_models import Inspection, InspectionPhoto, RemovedInspection, RemovedInspectionPhoto
from errors import ApiError
from formatting import format_time, pluralize
from state import Undo
from timezone import local

from components import undo
from components.messages import show_error
from components.undo import Removed

# Area of messages about all inspections; each inspection also has its own.
AREA = "inspections"
_GONE = ("inspection-not-found", "photo-not-found")


def area_of(inspection_id: str) -> str:
    return f"lot_{inspection_id}"


def confirm(kept_days: Callable[[], float], verb: str, lost: str) -> bool:
    """Whether the person confirms a removal. `lost` says what is lost if it cannot be restored."""
    try:
        days = kept_days()
    except ApiError as error:
        show_error(error, rejected="Nothing can be removed now")
        return False
    back = f"You can put it back for {undo.days_text(days)}."
    st.write(back if days else f"{lost} This cannot be undone.")
    return st.button(f"{verb} it" if days else f"{verb} it for good", type="primary")


def kept_days_of_photos(inspection: Inspection) -> float:
    """For how many days removed photos can be restored. Raises ApiError."""
    return cached_inspections.removed_photos(inspection.id).kept_days


def kept_days() -> float:
    """For how many days deleted inspections can be restored. Raises ApiError."""
    return cached_inspections.removed().kept_days


def remove_photo(inspection: Inspection, photo: InspectionPhoto) -> None:
    """Remove a photo, and offer to restore it if it is kept. Raises ApiError."""
    is_kept = kept_days_of_photos(inspection) > 0
    cached_inspections.remove_photo(inspection.id, photo.id)
    restore = partial(_restore_photos, inspection.id, [photo.id])
    message = f"{lots.photo_title(photo)} was removed."
    state.keep_undo(area_of(inspection.id), Undo(message, restore if is_kept else None))


def delete_inspection(inspection: Inspection) -> None:
    """As `remove_photo`."""
    is_kept = kept_days() > 0
    cached_inspections.delete(inspection.id)
    restore = partial(_restore, [inspection.id])
    message = f"{lots.title(inspection)} was deleted."
    state.keep_undo(AREA, Undo(message, restore if is_kept else None))


def inspections_removed_lately() -> None:
    """The inspections that can still be restored, also after a reload and by other people."""
    try:
        page = cached_inspections.removed()
    except ApiError:  # The page works without this list.
        return

    def delete(ids: Sequence[str]) -> str:
        for inspection_id in ids:
            cached_inspections.delete(inspection_id, for_good=True)
        return f"{pluralize(len(ids), 'inspection')} deleted for good."

    described = {one.id: _describe(one) for one in page.inspections}
    undo.removed_lately(
        AREA, Removed("inspection", page.kept_days, page.total, described, _restore, delete)
    )


def photos_removed_lately(inspection: Inspection) -> None:
    """As `inspections_removed_lately`, for the photos of one inspection."""
    try:
        page = cached_inspections.removed_photos(inspection.id)
    except ApiError:
        return

    def delete(ids: Sequence[str]) -> str:
        for photo_id in ids:
            cached_inspections.remove_photo(inspection.id, photo_id, for_good=True)
        return f"{pluralize(len(ids), 'photo')} deleted for good."

    described = {one.id: _describe_photo(one) for one in page.photos}
    restore = partial(_restore_photos, inspection.id)
    undo.removed_lately(
        area_of(inspection.id),
        Removed("photo", page.kept_days, page.total, described, restore, delete),
    )


def _restore(ids: Sequence[str]) -> str:
    return _put_back("inspection", ids, cached_inspections.restore)


def _restore_photos(inspection_id: str, ids: Sequence[str]) -> str:
    return _put_back("photo", ids, partial(cached_inspections.restore_photo, inspection_id))


def _put_back(noun: str, ids: Sequence[str], restore: Callable[[str], object]) -> str:
    """Restore one by one, and say how many were restored. Raises ApiError; items restored before
    stay so."""
    back = 0
    for one in ids:
        try:
            restore(one)
            back += 1
        except ApiError as error:
            if error.code not in _GONE:
                raise
    parts = [f"{pluralize(back, noun)} put back."] if back else []
    if gone := len(ids) - back:
        parts.append(f"{pluralize(gone, noun)} not put back: deleted, or added again.")
    return " ".join(parts)


def _describe(one: RemovedInspection) -> str:
    named = ", ".join(filter(None, (f"Lot {one.lot}", one.supplier)))
    removed = format_time(local(one.removed_at))
    return f"{named}, {pluralize(one.photos, 'photo')}, removed {removed}"


def _describe_photo(one: RemovedInspectionPhoto) -> str:
    removed = format_time(local(one.removed_at))
    return (
        f"Photo {one.number}, {one.filename}, {pluralize(one.fruits, 'fruit')}, removed {removed}"
    )
