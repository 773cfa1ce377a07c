"""The fruits of an inspection, worst first, and their corrections."""

from collections.abc import Callable
from functools import partial

import cached_api
import cached_inspections
import inspection_state
import lots
import streamlit as st
from api_models import Inspection, InspectionFruit, InspectionPhoto
from fruits import relative_box
from inspection_client import graded_photo_path
from plain_text import as_markdown

from components.messages import run_action, show_action_error

PAGE_SIZE = 12
AREA = "lot_fruit"
_CELL_PIXELS = 164
# The API's maximum page size.
_MOST = 200
_SQUARE = (
    "<style>.st-key-lot-fruits img { aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }"
    ".st-key-lot-fruits button { min-height: 44px; }</style>"
)


def worst_fruits(inspection: Inspection) -> None:
    """A page of the fruits as a grid; a tap opens one."""
    pager = f"lot_fruits_page_{inspection.id}"
    number = st.session_state.get(pager, 1)
    page = cached_inspections.fruits(inspection.id, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    if not page.fruits and page.total:
        st.session_state[pager] = number = 1
        page = cached_inspections.fruits(inspection.id, 0, PAGE_SIZE)
    if not page.total:
        st.info(
            "No fruit was found in these photos. Open a photo below and add those that were "
            "missed, or photograph them from nearer, in better light.",
            icon=":material/search_off:",
        )
        return
    st.write("Tap a fruit to say what it is. It counts at once, and the next model learns from it.")
    by_photo = all_photos(inspection)
    crops = crops_of(page.fruits, by_photo)
    st.html(_SQUARE)
    with st.container(horizontal=True, key="lot-fruits", gap="small"):
        for fruit, crop in zip(page.fruits, crops, strict=True):
            photo = by_photo.get(fruit.photo_id)
            place = f"{photo.number}-{fruit.number}" if photo else fruit.photo_id
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                name = lots.fruit_name(fruit, inspection.kind)
                if crop:
                    st.image(crop, width="stretch", alt=name)
                st.button(
                    f"{lots.style(fruit).sign} {as_markdown(name)}",
                    key=f"lot-fruit-{place}",
                    width="stretch",
                    on_click=inspection_state.open_in_lot,
                    args=(fruit.photo_id, fruit.number),
                )
                where = f" · {lots.photo_title(photo).lower()}" if photo else ""
                st.caption(f"{lots.said_by(fruit)}{where}")
    if page.total > PAGE_SIZE:
        st.pagination(-(-page.total // PAGE_SIZE), key=pager)


def all_photos(inspection: Inspection) -> dict[str, InspectionPhoto]:
    """All photos by id, newest first; an inspection has at most 500."""
    found: dict[str, InspectionPhoto] = {}
    for offset in range(0, inspection.photos, _MOST):
        page = cached_inspections.photos(inspection.id, offset, _MOST)
        found |= {photo.id: photo for photo in page.photos}
    return found


def crops_of(
    fruits: list[InspectionFruit], by_photo: dict[str, InspectionPhoto]
) -> list[bytes | None]:
    """The picture of each fruit; None if its photo is no longer stored."""
    needed = dict.fromkeys(fruit.photo_id for fruit in fruits)
    kept = [one for one in needed if one in by_photo and by_photo[one].photograph_kept]
    pictures = dict(
        zip(kept, cached_api.pictures().get([graded_photo_path(one) for one in kept]), strict=True)
    )
    return [_crop(fruit, by_photo, pictures.get(fruit.photo_id)) for fruit in fruits]


def _crop(
    fruit: InspectionFruit, by_photo: dict[str, InspectionPhoto], picture: bytes | None
) -> bytes | None:
    if picture is None:
        return None
    box = relative_box(fruit, by_photo[fruit.photo_id])
    return next(iter(cached_api.crops(picture, (box,))), None)


@st.dialog("One fruit", on_dismiss=inspection_state.open_in_lot)
def open_fruit(inspection: Inspection, photo: InspectionPhoto, fruit: InspectionFruit) -> None:
    """The dialog: its picture, its grade, and what a person says it is."""
    crop = crops_of([fruit], {photo.id: photo})[0]
    if crop:
        st.image(crop, width=240, alt=lots.fruit_name(fruit, inspection.kind))
    st.subheader(as_markdown(lots.fruit_name(fruit, inspection.kind)), anchor=False)
    st.caption(f"{lots.said_by(fruit)} · {lots.photo_title(photo).lower()}, fruit {fruit.number}")
    client = cached_inspections.client()
    st.write("What is it?")
    with st.container(horizontal=True, key="sayings"):
        for said, label in lots.SAYINGS.items():
            if fruit.added and said == "no_fruit":
                continue
            chosen = fruit.said == said
            if st.button(
                label,
                key=f"say_{said}",
                type="primary" if chosen else "secondary",
                icon=":material/check:" if chosen else None,
            ):
                change(AREA, partial(client.say, inspection.id, photo.id, fruit.number, said))
    if fruit.said and st.button(
        "Remove it again" if fruit.added else "Undo: use the grade again",
        icon=":material/undo:",
        type="tertiary",
    ):
        change(AREA, partial(client.take_back, inspection.id, photo.id, fruit.number))
    show_action_error(AREA, "This cannot be saved")


def change(area: str, action: Callable[[], object]) -> None:
    """Send a change of the lot, and close the dialog if it was accepted."""
    if run_action(area, action):
        inspection_state.open_in_lot()
        cached_inspections.clear()
        cached_api.clear_training_data()
        st.rerun()
