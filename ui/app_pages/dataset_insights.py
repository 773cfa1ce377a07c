"""Dataset insights: what there is to learn from, each part a chart and a story."""

import loaders
import state
import streamlit as st
from components.dataset_insights.augmentation import before_and_after
from components.dataset_insights.balance import balance
from components.dataset_insights.copies import copies
from components.dataset_insights.looks import light_and_size
from components.dataset_insights.map import map_of_photographs
from components.messages import empty_state, problem_message
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
    loaders.insist_on_answer()
    found = loaders.dataset_insights()
except ApiProblem as problem:
    problem_message(problem, refused="The data cannot be looked at")
else:
    if not found.examples:
        empty_state("insights", "No data yet", "Add photographs on the page Training data.")
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
