"""A photo of several fruits: boxes to tap, the fruits with the worst first, and each of them."""

import cached_api
import fruits
import state
import streamlit as st
from api_models import Instance, Prediction
from charts.bars import probability_bars
from charts.style import LEVELS, UNKNOWN_LEVEL, LevelStyle
from formatting import class_label, percent
from photos import Photo, RelativeBox
from plain_text import as_markdown

from components.display import chart
from components.predict.prediction import scores

_SHOWN_FIRST = 12
_CELL_PIXELS = 164
# Boxes are buttons laid over the photo: they work with a thumb, a keyboard and a screen reader.
# Of a button's text only the number and the sign, in bold, are seen; the rest is read aloud.
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
.st-key-tray [data-testid="stElementToolbar"], .st-key-fruits [data-testid="stElementToolbar"] {
  display: none; }
.st-key-fruits img { aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }
.st-key-fruits button { min-height: 44px; }
"""


def tray(photo: Photo, prediction: Prediction) -> None:
    """The counts, the photo with its boxes, and the fruits, worst first."""
    found = fruits.worst_first(prediction)
    image = prediction.image
    boxes = [fruits.relative_box(fruit, image) for fruit in found] if image else []
    crops = cached_api.crops(photo.data, tuple(boxes))
    st.header(as_markdown(fruits.headline(prediction)), anchor=False)
    st.write(as_markdown(_summary(found)))
    tapped = _photo_with_boxes(photo, found, boxes)
    listed = _list(found, crops)
    chosen = tapped or listed
    _notes(prediction)
    if chosen:
        fruit = found[chosen - 1]
        show = st.dialog(as_markdown(f"Fruit {chosen}: {fruits.name(fruit)}"))(_detail)
        show(fruit, crops[chosen - 1] if crops else None)


def _summary(found: list[Instance]) -> str:
    counts = fruits.count_names(found)
    sentences = [f"{counts}."] if counts else []
    if unsure := [str(k) for k, fruit in enumerate(found, start=1) if fruits.is_unsure(fruit)]:
        sentences.append(f"Not sure about number {', '.join(unsure)}: look yourself.")
    return " ".join([*sentences, "The worst comes first. Tap a fruit to see more."])


def _photo_with_boxes(photo: Photo, found: list[Instance], boxes: list[RelativeBox]) -> int | None:
    """The number of the box that was tapped."""
    small = cached_api.preview(photo.data)
    if small is None:
        st.info(
            f"{as_markdown(photo.name)} was graded, but this kind of image cannot be shown here.",
            icon=":material/hide_image:",
        )
        return None
    numbered = list(enumerate(zip(found, boxes, strict=True), start=1))
    rules = [_box_style(number, fruit, box) for number, (fruit, box) in numbered]
    st.html(f"<style>{_STYLE}{''.join(rules)}</style>")
    described = "; ".join(
        f"{number}, {fruits.name(fruit)}, {fruits.place(box)}" for number, (fruit, box) in numbered
    )
    tapped = None
    with st.container(key="tray"):
        st.image(small, width="stretch", alt=f"{photo.name} with a box for each fruit: {described}")
        for number, (fruit, _) in numbered:
            if st.button(_label(number, fruit), key=f"box-{number}"):
                tapped = number
    return tapped


def _list(found: list[Instance], crops: list[bytes]) -> int | None:
    """The fruits as a grid; the number of the one that was chosen."""
    chosen = None
    show_all = len(found) > _SHOWN_FIRST and st.toggle(
        f"Show all {len(found)} fruits", key=state.ALL_FRUITS
    )
    with st.container(horizontal=True, key="fruits", gap="small"):
        for number, fruit in enumerate(found if show_all else found[:_SHOWN_FIRST], start=1):
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                if crops:
                    st.image(crops[number - 1], width="stretch", alt=fruits.name(fruit))
                if st.button(_label(number, fruit), key=f"fruit-{number}", width="stretch"):
                    chosen = number
                st.caption(fruits.certainty(fruit))
    return chosen


def _notes(prediction: Prediction) -> None:
    st.caption(
        "Is one of them graded wrong? Photograph it alone and correct it there: the next model "
        "learns from it."
    )
    st.button(
        "It is only one fruit: see the grade of the whole photo",
        icon=":material/photo:",
        on_click=state.show_whole_photo,
        args=(True,),
    )
    st.caption(
        f"Model {as_markdown(prediction.model_version)} · {prediction.inference_time_ms:.0f} ms"
    )


def _detail(fruit: Instance, crop: bytes | None) -> None:
    known = fruit.recognised
    if crop:
        st.image(crop, width=220, alt=fruits.name(fruit))
    if advice := fruits.what_to_do(fruit):
        st.markdown(f"**{advice}**")
    if known:
        scores(fruit)
    st.subheader("Probability of each class" if known else "Closest classes", anchor=False)
    chart(
        probability_bars(fruit.probabilities, fruit.predicted_class if known else None),
        "fruit-probabilities",
        f"Probability of each class; the most likely is {class_label(fruit.predicted_class)} "
        f"with {percent(fruit.confidence)}.",
    )


def _box_style(number: int, fruit: Instance, box: RelativeBox) -> str:
    left, top, right, bottom = (100 * share for share in box)
    width, height = right - left, bottom - top
    # Small boxes lie on top, so that they can be tapped within large ones.
    depth = 101 - round(width * height / 100)
    style, key = _style(fruit), f".st-key-box-{number}"
    return (
        f"{key} {{ left: {left:.2f}%; top: {top:.2f}%; width: {width:.2f}% !important; "
        f"height: {height:.2f}%; z-index: {depth}; }}\n"
        f"{key} button, {key} button:hover {{ border: {style.border} {style.colour}; }}\n"
        f"{key} button strong {{ background: {style.colour}; }}\n"
    )


def _style(fruit: Instance) -> LevelStyle:
    return LEVELS.get(fruits.level(fruit) or "", UNKNOWN_LEVEL)


def _label(number: int, fruit: Instance) -> str:
    return f"**{number} {_style(fruit).sign}** {as_markdown(fruits.name(fruit))}"
