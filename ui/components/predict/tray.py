"""A photo of several fruits: boxes to tap, the fruits, worst first, and corrections."""

import cached_api
import fruits
import state
import streamlit as st
from api_models import Instance, Prediction
from charts.style import LEVELS, UNKNOWN_LEVEL, LevelStyle
from corrections import Marked, apply
from photos import Photo, RelativeBox
from plain_text import as_markdown

from components.predict.fruit import SAID, open_fruit
from components.predict.missed import missed_fruit
from components.predict.teach import teach

_SHOWN_FIRST = 12
_CELL_PIXELS = 164
# Boxes are buttons laid over the photo: they work with a thumb, a keyboard and a screen reader.
# Only the bold part of a button's text (number and sign) is visible; screen readers read all of it.
_STYLE = """
.st-key-tray { position: relative; gap: 0; }
.st-key-tray img { border-radius: 0.5rem; }
[class*="st-key-box-"] { position: absolute; min-width: 44px; min-height: 44px; }
[class*="st-key-box-"] .stButton { width: 100%; height: 100%; }
[class*="st-key-box-"] button { width: 100%; height: 100%; min-height: 0; padding: 0;
  align-items: flex-start; justify-content: flex-start; background: transparent;
  border-radius: 6px; box-shadow: 0 0 0 1.5px #10140fb3, inset 0 0 0 1.5px #10140f66; }
[class*="st-key-box-"] button:hover { background: #ffffff26; }
[class*="st-key-box-"] button:focus-visible { outline: 3px solid white; outline-offset: 2px; }
[class*="st-key-box-"] button * { font-size: 0; line-height: 0; text-align: left;
  justify-content: flex-start; }
[class*="st-key-box-"] button strong { display: inline-block; padding: 0 7px; font-size: 15px;
  line-height: 24px; font-weight: 700; color: #10140f; white-space: nowrap;
  border-bottom-right-radius: 6px; }
@media (max-width: 640px) { [class*="st-key-box-"] button strong { padding: 0 4px;
  font-size: 13px; line-height: 18px; } }
.st-key-tray [data-testid="stElementToolbar"], .st-key-fruits [data-testid="stElementToolbar"] {
  display: none; }
.st-key-fruits img { aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }
.st-key-fruits button { min-height: 44px; }
"""


def shown_by_fruit(photo: Photo, prediction: Prediction) -> bool:
    """Show a photo of several fruits by fruit, unless the person asked for the whole photo; then
    show a button that leads back. Returns whether the fruits are shown."""
    if not (prediction.several and prediction.instances):
        return False
    if not state.shows_whole_photo():
        tray(photo, prediction)
        return True
    st.button(
        "Back to each fruit",
        icon=":material/arrow_back:",
        on_click=state.show_whole_photo,
        args=(False,),
    )
    return False


def tray(photo: Photo, prediction: Prediction) -> None:
    """The counts, the photo with its boxes, the fruits, worst first, and what a person corrected.

    Fruits keep the numbers that the grader's order gives them.
    """
    found = fruits.worst_first(prediction)
    marked = apply(found, state.corrections())
    now = [one.fruit for one in marked]
    image = prediction.image
    boxes = [fruits.relative_box(fruit, image) for fruit in now] if image else []
    crops = cached_api.crops(photo.data, tuple(boxes))
    small = cached_api.preview(photo.data)
    corrected = prediction.model_copy(update={"instances": now})
    st.header(as_markdown(fruits.headline(corrected)), anchor=False)
    st.write(as_markdown(_summary(marked)))
    _photo_with_boxes(photo.name, small, marked, boxes)
    _list(marked, crops)
    if not photo.is_sample:
        teach(photo, prediction, found, marked, can_draw=small is not None)
    _notes(prediction)
    opened = state.opened_fruit()
    if opened == state.MISSED and image and small:
        missed_fruit(small, image, found, marked)
    for place, one in enumerate(marked):
        if one.number == opened:
            crop = crops[place] if crops else None
            # A sample is not recorded, so its corrections could not be saved.
            classes = [] if photo.is_sample else list(prediction.probabilities)
            open_fruit(one, crop, classes)


def _summary(marked: list[Marked]) -> str:
    counts = fruits.count_names([one.fruit for one in marked])
    sentences = [f"{counts}."] if counts else []
    if unsure := [
        str(one.number) for one in marked if not one.said and fruits.is_unsure(one.fruit)
    ]:
        sentences.append(f"Not sure about number {', '.join(unsure)}: look yourself.")
    if not any(one.said for one in marked):
        # A fruit keeps its place when it is corrected, so that the next tap hits what it aims at.
        sentences.append("The worst comes first.")
    return " ".join([*sentences, "Tap a fruit to see more."])


def _photo_with_boxes(
    name: str, small: bytes | None, marked: list[Marked], boxes: list[RelativeBox]
) -> None:
    """The photo; `small` is its preview, None if it cannot be shown."""
    if small is None:
        st.info(
            f"{as_markdown(name)} was graded, but this kind of photo cannot be shown here.",
            icon=":material/hide_image:",
        )
        return
    placed = list(zip(marked, boxes, strict=True))
    rules = [_box_style(one, box) for one, box in placed]
    st.html(f"<style>{_STYLE}{''.join(rules)}</style>")
    described = "; ".join(
        f"{one.number}, {fruits.name(one.fruit)}, {fruits.place(box)}" for one, box in placed
    )
    with st.container(key="tray"):
        st.image(small, width="stretch", alt=f"{name} with a box for each fruit: {described}")
        for one in marked:
            said = f", {SAID[one.said].lower()}" if one.said else ""
            _open_button(one, "box", f"{_label(one)}{said}")


def _list(marked: list[Marked], crops: list[bytes]) -> None:
    """The fruits as a grid."""
    show_all = len(marked) > _SHOWN_FIRST and st.toggle(
        f"Show all {len(marked)} fruits", key=state.ALL_FRUITS
    )
    with st.container(horizontal=True, key="fruits", gap="small"):
        for place, one in enumerate(marked):
            if not show_all and place >= _SHOWN_FIRST and not one.said:
                continue
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                if crops:
                    st.image(crops[place], width="stretch", alt=fruits.name(one.fruit))
                _open_button(one, "fruit", _label(one))
                st.caption(SAID[one.said] if one.said else fruits.certainty(one.fruit))


def _open_button(one: Marked, kind: str, label: str) -> None:
    st.button(
        label,
        key=f"{kind}-{one.number}",
        width="stretch" if kind == "fruit" else "content",
        on_click=state.open_fruit,
        args=(one.number,),
    )


def _notes(prediction: Prediction) -> None:
    st.button(
        "It is only one fruit: see the grade of the whole photo",
        icon=":material/photo:",
        on_click=state.show_whole_photo,
        args=(True,),
    )
    st.caption(
        f"Model {as_markdown(prediction.model_version)} · {prediction.inference_time_ms:.0f} ms"
    )


def _box_style(one: Marked, box: RelativeBox) -> str:
    left, top, right, bottom = (100 * share for share in box)
    width, height = right - left, bottom - top
    # Small boxes lie on top, so that they can be tapped within large ones.
    depth = 101 - round(width * height / 100)
    style, key = _style(one.fruit), f".st-key-box-{one.number}"
    return (
        f"{key} {{ left: {left:.2f}%; top: {top:.2f}%; width: {width:.2f}% !important; "
        f"height: {height:.2f}%; z-index: {depth}; }}\n"
        f"{key} button, {key} button:hover {{ border: {style.border} {style.colour}; }}\n"
        f"{key} button strong {{ background: {style.colour}; }}\n"
    )


def _style(fruit: Instance) -> LevelStyle:
    return LEVELS.get(fruits.level(fruit) or "", UNKNOWN_LEVEL)


def _label(one: Marked) -> str:
    """The fruit's number, the sign of its level, a pencil if a person gave feedback, and its
    name."""
    pencil = " ✎" if one.said else ""
    sign = _style(one.fruit).sign
    return f"**{one.number} {sign}{pencil}** {as_markdown(fruits.name(one.fruit))}"
