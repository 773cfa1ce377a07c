"""Dataset insights: what there is to learn from, each part a chart and a story."""

import components
import loaders
import state
import streamlit as st
from components_augmentation import before_and_after
from components_insights import balance, copies, light_and_size
from components_map import map_of_photographs
from problems import ApiProblem

_BALANCE, _LIGHT, _VIEWS, _MAP, _COPIES = (
    "Balance",
    "Light and size",
    "Augmentation",
    "Map",
    "Copies",
)

st.title("Dataset insights", anchor=False)
section = st.segmented_control(
    "Part",
    [_BALANCE, _LIGHT, _VIEWS, _MAP, _COPIES],
    default=_BALANCE,
    required=True,
    key=state.INSIGHT,
    persist_state="session",
    label_visibility="collapsed",
)
try:
    found = loaders.dataset_insights()
except ApiProblem as problem:
    components.problem_message(problem, refused="The data cannot be looked at")
else:
    if not found.examples:
        components.empty_state(
            "insights", "No data yet", "Add photographs on the page Training data."
        )
    elif section == _BALANCE:
        balance(found)
    elif section == _LIGHT:
        light_and_size(found.appearance, found.sizes)
    elif section == _VIEWS:
        before_and_after()
    elif section == _MAP:
        map_of_photographs()
    else:
        copies(found.copies)
    st.caption(
        f"Of {found.examples:,} examples: what version `{found.model_version}` learned from and "
        f"was measured on, and {found.from_catalog:,} of the training images that people gave."
    )
