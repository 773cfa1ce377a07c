"""Pictures of the held-out photos that a version gets wrong, if the catalog has them."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import cached_api
import photos
import streamlit as st
from api_models import CatalogPhoto, FruitBox, Miss, Mistake
from boxed_client import boxed_photo_path
from boxed_photos import draw_box
from charts.style import NEUTRAL, WARNING
from client import photo_path
from formatting import class_labels, percent, pluralize
from photos import DrawnBox
from plain_text import as_markdown

from components.display import photo_grid
from components.messages import empty_state

_ELSEWHERE = "came with the model, were imported where it was trained, or were removed since"


class _Wrong(NamedTuple):
    """A photo to show, and in words what the version gets wrong."""

    filename: str
    path: str
    caption: str
    boxes: list[DrawnBox]


def graded_wrong(version: str) -> None:
    """The photos whose grade is wrong, the most confident first."""
    st.subheader("Photos that it gets wrong", anchor=False)
    found = cached_api.version_mistakes(version)
    if not found.wrong:
        right = pluralize(found.held_out, "photo")
        st.info(f"It grades all {right} right that were held out.", icon=":material/check:")
        return
    wrong = (
        f"{found.wrong:,} of {pluralize(found.held_out, 'held-out photo')} (each fruit with a box "
        "counts as one)"
    )
    if not found.wrong_with_photo:
        empty_state(
            "hide_image",
            "None of them is here",
            f"It gets {wrong} wrong. They {_ELSEWHERE}. Of the photos that you add, about one in "
            "seven is held out; where its grade is wrong, it is shown here.",
        )
        return
    names = {name for row in found.mistakes for name in (row.class_name, row.predicted_class)}
    labels = class_labels(names)
    shown = [_mistake(row, row.photo, labels) for row in found.mistakes if row.photo]
    _grid("graded-wrong", shown)
    st.download_button(
        "Download these photos",
        # Only on demand: there may be many.
        partial(cached_api.models().export_mistakes, version),
        f"mistakes-{version}.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
        help="A zip of the photos, and a table of all that it gets wrong.",
    )
    others = found.wrong - found.wrong_with_photo
    st.caption(
        f"It gets {wrong} wrong. Here are {len(shown):,}, the surest first. "
        + (f"The photos of {others:,} {_ELSEWHERE}. " if others else "")
        + "If a label is wrong, change it on the Training data page."
    )


def missed_fruits(version: str) -> bool:
    """The photos with missed fruits or surplus boxes; returns whether there are any."""
    rows = cached_api.version_mistakes(version).misses
    shown = [_miss(row, row.photo) for row in rows if row.photo]
    if shown:
        _grid("missed-fruits", shown)
    return bool(shown)


def _mistake(row: Mistake, photo: CatalogPhoto, labels: dict[str, str]) -> _Wrong:
    boxes = [draw_box(row.box, row.class_name, photo.width, photo.height)] if row.box else []
    return _Wrong(
        photo.filename,
        _path(photo),
        f"{labels[row.class_name]}, graded as {labels[row.predicted_class].lower()}: "
        f"{percent(row.confidence)}",
        boxes,
    )


def _miss(row: Miss, photo: CatalogPhoto) -> _Wrong:
    what = [
        text
        for count, text in (
            (row.missed, f"{row.missed} of {row.fruits} missed"),
            (row.surplus, f"{pluralize(row.surplus, 'box')} around no fruit"),
        )
        if count
    ]
    boxes = _marked(row.missed_boxes, photo, WARNING, "missed")
    boxes += _marked(row.surplus_boxes, photo, NEUTRAL, "no fruit")
    return _Wrong(photo.filename, _path(photo), ", ".join(what), boxes)


def _marked(
    boxes: Sequence[FruitBox], photo: CatalogPhoto, colour: str, text: str
) -> list[DrawnBox]:
    sides = photo.width, photo.height
    return [draw_box(box, None, *sides)._replace(colour=colour, text=text) for box in boxes]


def _grid(key: str, shown: Sequence[_Wrong]) -> None:
    with st.container(key=key):
        photo_grid(
            shown,
            path=lambda one: one.path,
            alt=lambda one: f"{one.filename}: {one.caption}",
            below=_below,
            drawn=lambda one, thumbnail: (
                photos.with_boxes(thumbnail, one.boxes) if one.boxes else thumbnail
            ),
            whole=True,
        )


def _below(one: _Wrong) -> None:
    st.caption(as_markdown(one.caption))


def _path(photo: CatalogPhoto) -> str:
    if photo.boxed_photo_id:
        return boxed_photo_path(photo.boxed_photo_id)
    return photo_path(photo.image_id or "")
