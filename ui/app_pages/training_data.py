"""Training data: add photographs, look at them, put labels right."""

import loaders
import state
import streamlit as st
from components.messages import api_away
from components.training_data.gallery import gallery
from components.training_data.giving import giving_section
from components.training_data.review import review
from problems import ApiProblem
from words import counted

_ADD, _GALLERY, _REVIEW = "Add photos", "Gallery", "Review queue"


def show_amount() -> None:
    """How much there is to learn from; nothing where the API does not say."""
    try:
        known = loaders.training_data()
    except ApiProblem:
        return
    photographs = counted(known.photographs.total, "photograph")
    new = f"{known.new_images:,} of them new to the model" if known.new_images else "none new"
    st.caption(f"{photographs} of {counted(len(known.classes), 'class')}, {new}")


st.set_page_config(layout="wide")
st.title("Training data", anchor=False)
st.write("What the next model learns from. Add photos, and put right what is labelled wrongly.")
away = loaders.health_problem()
if not away:
    show_amount()
section = st.segmented_control(
    "What to do",
    [_ADD, _GALLERY, _REVIEW],
    default=_ADD,
    required=True,
    key=state.SECTION,
    label_visibility="collapsed",
    persist_state="session",
)
if away and not (section == _ADD and state.giving()):
    api_away(away)
else:
    {_ADD: giving_section, _GALLERY: gallery, _REVIEW: review}[section]()
