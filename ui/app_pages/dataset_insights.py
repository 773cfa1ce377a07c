"""Dataset insights: balance, appearance, copies and a map of the photos."""

import cached_api
import state
import streamlit as st
from components.dataset_insights.appearance import light_and_size
from components.dataset_insights.augmentation import augmentation
from components.dataset_insights.counts import balance, copies
from components.dataset_insights.embedding_map import map_of_photos
from components.messages import empty_state, show_error
from errors import ApiError

_BALANCE, _LIGHT, _VIEWS, _MAP, _COPIES = (
    "Balance",
    "Light and size",
    "Augmentation",
    "Map",
    "Copies",
)

st.title("Dataset insights", anchor=False)
part = st.segmented_control(
    "Part",
    [_BALANCE, _LIGHT, _VIEWS, _MAP, _COPIES],
    default=_BALANCE,
    required=True,
    key=state.INSIGHT,
    persist_state="session",
    label_visibility="collapsed",
)
try:
    cached_api.require_api()
    insights = cached_api.dataset_insights()
except ApiError as error:
    show_error(error, rejected="The insights are not available")
else:
    if not insights.examples:
        empty_state("insights", "No data yet", "Add photos on the Training data page.")
    elif part == _BALANCE:
        balance(insights)
    elif part == _LIGHT:
        light_and_size(insights.appearance, insights.sizes)
    elif part == _VIEWS:
        augmentation()
    elif part == _MAP:
        map_of_photos()
    else:
        copies(insights.copies)
    st.caption(
        f"Of {insights.examples:,} examples: each photo of one fruit, and each fruit in a photo of "
        f"several. They are the ones that version `{insights.model_version}` learned from or was "
        f"measured on, and {insights.from_catalog:,} that people added."
    )
