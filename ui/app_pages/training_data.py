"""Training data: add photos, look at them, correct labels."""

import cached_api
import state
import streamlit as st
from components.messages import api_unavailable
from components.training_data.add import add_photos
from components.training_data.boxed import boxed_photos
from components.training_data.gallery import gallery
from components.training_data.review import review
from errors import ApiError
from formatting import pluralize

_ADD, _GALLERY, _BOXED, _REVIEW = "Add photos", "Gallery", "With boxes", "Review queue"


def show_totals() -> None:
    """How many photos there are; nothing if the API does not say."""
    try:
        summary = cached_api.dataset_summary()
    except ApiError:
        return
    photos = pluralize(summary.photographs.total, "photo")
    classes = pluralize(len(cached_api.class_names(summary)), "class")
    new = f"{summary.new_images:,} of them new to the model" if summary.new_images else "none new"
    st.caption(f"{photos} of {classes}, {new}")


st.title("Training data", anchor=False)
st.write("What the next model learns from. Add photos, and correct wrong labels.")
outage = cached_api.health_error()
if not outage:
    show_totals()
section = st.segmented_control(
    "What to do",
    [_ADD, _GALLERY, _BOXED, _REVIEW],
    default=_ADD,
    required=True,
    key=state.SECTION,
    label_visibility="collapsed",
    persist_state="session",
)
if outage and not (section == _ADD and state.training_upload()):
    api_unavailable(outage)
else:
    parts = {_ADD: add_photos, _GALLERY: gallery, _BOXED: boxed_photos, _REVIEW: review}
    parts[section]()
