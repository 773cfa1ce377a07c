"""One opened fruit of a photo: its grade, and whether it is right."""

from functools import partial

import fruits
import state
import streamlit as st
from charts.bars import probability_bars
from corrections import Marked, Step
from formatting import class_label, percent
from plain_text import as_markdown

from components.class_picker import ask_right_class, is_new_class
from components.display import chart
from components.predict.prediction import scores

SAID = {
    "confirmed": "Confirmed by you",
    "corrected": "Corrected by you",
    "added": "Added by you",
}


def open_fruit(one: Marked, crop: bytes | None, classes: list[str]) -> None:
    """The dialog of a fruit. `classes` are the model's; without any, the dialog asks nothing."""
    title = as_markdown(f"Fruit {one.number}: {fruits.name(one.fruit)}")
    st.dialog(title, on_dismiss=state.open_fruit)(_detail)(one, crop, classes)


def _detail(one: Marked, crop: bytes | None, classes: list[str]) -> None:
    fruit = one.fruit
    if crop:
        st.image(crop, width=220, alt=fruits.name(fruit))
    # A fruit that a person added without a class has no grade.
    if (advice := fruits.what_to_do(fruit)) and (fruit.recognised or not one.said):
        st.markdown(f"**{advice}**")
    if one.said:
        st.caption(f":material/edit: {SAID[one.said]}")
    if classes and _asked(one, classes):
        st.rerun()
    if fruit.probabilities:
        _grade(one)


def _asked(one: Marked, classes: list[str]) -> bool:
    """Ask what the fruit is; returns whether it was answered just now."""
    fruit = one.fruit
    with st.container(border=True, key="teach-fruit"):
        key = f"{state.RIGHT_CLASS}_{one.number}"
        answered = ask_right_class(
            classes,
            key,
            known=fruit.recognised and one.said in ("", "confirmed"),
            send="Correct it",
            on_answer=partial(_say, one, key),
        )
        removed = st.button(
            "This is no fruit",
            icon=":material/delete:",
            on_click=_keep,
            args=(Step(one.number, removed=True),),
        )
    return answered or removed


def _grade(one: Marked) -> None:
    """The fruit's grade, with its scores and probabilities."""
    fruit, known = one.fruit, one.fruit.recognised
    if known:
        scores(fruit)
    st.subheader("Probability of each class" if known else "Closest classes", anchor=False)
    chart(
        probability_bars(fruit.probabilities, fruit.predicted_class if known else None),
        "fruit-probabilities",
        f"Probability of each class; the most likely is {class_label(fruit.predicted_class)} "
        f"with {percent(fruit.confidence)}.",
    )


def _say(one: Marked, key: str, class_name: str | None) -> None:
    """Keep the right class; None confirms the grade."""
    if class_name is None:
        _keep(Step(one.number, one.fruit.predicted_class))
    else:
        _keep(Step(one.number, class_name, new_class=is_new_class(key)))


def _keep(step: Step) -> None:
    steps = state.corrections()
    if steps[-1:] != [step]:  # Otherwise a second click.
        steps = [*steps, step]
    state.keep_corrections(steps)
