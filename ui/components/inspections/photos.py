"""The photos of an inspection: their boxes, photos of the same fruits, missed fruits."""

from functools import partial

import cached_api
import cached_inspections
import inspection_state
import lots
import photos
import streamlit as st
from api_models import ImageSize, Inspection, InspectionPhoto
from formatting import pluralize
from inspection_client import graded_photo_path
from plain_text import as_markdown

from components.box_drawing import place_of_fruit
from components.display import open_page, photo_grid
from components.inspections import removed
from components.inspections.fruits import all_photos, change
from components.messages import run_action, show_action_error

PAGE_SIZE = 12
AREA = "lot_photo"
_WHOLE = "<style>.st-key-lot-photos .st-key-photos img { object-fit: contain; }</style>"


def same_fruits(inspection: Inspection) -> None:
    """Ask about photos that may show the same fruits as another photo."""
    by_id = all_photos(inspection)
    for photo in by_id.values():
        other = None if photo.answered else by_id.get(photo.same_as or "")
        if other is None:
            continue
        with st.container(border=True, key=f"same_{photo.number}"):
            st.markdown(
                f":material/content_copy: **{lots.photo_title(photo)} looks like "
                f"{lots.photo_title(other).lower()}. Are these the same fruits?**"
            )
            thumbnails = cached_api.thumbnails().get(
                [graded_photo_path(one.id) for one in (other, photo)]
            )
            with st.container(horizontal=True):
                for one, thumbnail in zip((other, photo), thumbnails, strict=True):
                    if thumbnail:
                        st.image(thumbnail, width=150, alt=lots.photo_title(one))
            with st.container(horizontal=True):
                for label, counted in (("Yes, count them once", False), ("No, other fruits", True)):
                    st.button(
                        label,
                        key=f"same_{photo.number}_{counted}",
                        on_click=_count,
                        args=(inspection.id, photo.id, counted),
                    )


def photo_list(inspection: Inspection) -> None:
    """A page of the photos, newest first, with the actions for each."""
    pager = f"lot_photos_page_{inspection.id}"
    page = open_page(pager, PAGE_SIZE, partial(cached_inspections.photos, inspection.id))
    st.html(_WHOLE)
    with st.container(key="lot-photos"):
        photo_grid(
            page.photos,
            path=lambda photo: graded_photo_path(photo.id),
            alt=lambda photo: f"{lots.photo_title(photo)}: {lots.describe(photo.fruits)}",
            below=partial(_below, inspection),
            drawn=lambda photo, thumbnail: photos.with_boxes(
                thumbnail, [box._replace(text="") for box in lots.drawn(photo)]
            ),
        )
    if page.total > PAGE_SIZE:
        st.pagination(-(-page.total // PAGE_SIZE), key=pager)
    show_action_error(AREA, "This cannot be changed")


def _below(inspection: Inspection, photo: InspectionPhoto) -> None:
    counts = lots.describe(photo.fruits)
    st.caption(
        f"**{lots.photo_title(photo)}** · {counts}"
        + ("" if photo.counted else "  \nNot counted: the same fruits as another photo")
        + (
            f"  \n{pluralize(photo.ungraded, 'more fruit')} not graded: photograph fewer at once"
            if photo.ungraded
            else ""
        )
    )
    st.button(
        "Open",
        key=f"lot_photo_{photo.number}",
        icon=":material/open_in_full:",
        help=as_markdown(photo.filename),
        on_click=inspection_state.open_in_lot,
        args=(photo.id,),
    )


@st.dialog("A photo of the lot", width="medium", on_dismiss=inspection_state.open_in_lot)
def open_photo(inspection: Inspection, photo: InspectionPhoto) -> None:
    """The dialog: the photo with its boxes, adding a fruit that was missed, removing the photo."""
    picture = None
    if photo.photograph_kept:
        [picture] = cached_api.pictures().get([graded_photo_path(photo.id)])
    adding = bool(picture) and st.toggle(
        "Add a fruit that was missed", key=f"lot_missed_{photo.number}"
    )
    if picture is None:
        st.info("This photo is no longer kept.", icon=":material/hide_image:")
    elif adding:
        _add_missed(inspection, photo, picture)
    else:
        st.image(
            photos.with_boxes(picture, lots.drawn(photo)),
            width="stretch",
            alt=f"{lots.photo_title(photo)} with a box for each fruit: "
            f"{lots.describe(photo.fruits)}",
        )
    if not adding:
        _fruit_buttons(inspection, photo)
    with st.container(horizontal=True):
        label = "Count it" if not photo.counted else "Do not count it: the same fruits as another"
        if st.button(label, icon=":material/content_copy:", type="tertiary"):
            count = cached_inspections.client().count
            change(AREA, partial(count, inspection.id, photo.id, counted=not photo.counted))
        with st.popover("Remove the photo", icon=":material/delete:", type="tertiary"):
            lost = "Its fruits and their corrections are lost."
            if removed.confirm(partial(removed.kept_days_of_photos, inspection), "Remove", lost):
                change(AREA, partial(removed.remove_photo, inspection, photo))
    show_action_error(AREA, "This cannot be changed")


def _fruit_buttons(inspection: Inspection, photo: InspectionPhoto) -> None:
    """A button for each fruit, including those marked as no fruit, so that the mark can be
    undone."""
    with st.container(horizontal=True, key="lot-photo-fruits"):
        for fruit in photo.fruits:
            pencil = " ✎" if fruit.said else ""
            name = as_markdown(lots.fruit_name(fruit, inspection.kind))
            if st.button(
                f"{fruit.number} {lots.style(fruit).sign}{pencil} {name}",
                key=f"in_photo_{fruit.number}",
            ):
                inspection_state.open_in_lot(photo.id, fruit.number)
                st.rerun()


def _add_missed(inspection: Inspection, photo: InspectionPhoto, picture: bytes) -> None:
    boxes = [
        (fruit.box, lots.style(fruit).colour) for fruit in photo.fruits if fruit.said != "no_fruit"
    ]
    box = place_of_fruit(picture, ImageSize(width=photo.width, height=photo.height), boxes)
    levels = {level: lots.SAYINGS[level] for level in lots.WORST_FIRST}
    level = st.segmented_control("What is it?", levels, format_func=lambda one: levels[one])
    added = st.button(
        "Add this fruit",
        type="primary",
        icon=":material/add:",
        disabled=box is None or level is None,
    )
    if added and box and level:
        add = cached_inspections.client().add_missed
        change(AREA, partial(add, inspection.id, photo.id, box, level))


def _count(inspection_id: str, photo_id: str, counted: bool) -> None:
    count = cached_inspections.client().count
    run_action(AREA, partial(count, inspection_id, photo_id, counted=counted))
    cached_inspections.clear()
