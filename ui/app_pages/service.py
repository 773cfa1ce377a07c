"""Service: how the API is, and which model answers."""

import components
import loaders
import streamlit as st
from accuracies import accuracies
from answers import Health, Model
from problems import ApiProblem
from words import class_words, duration, spaced


def show_health(health: Health) -> None:
    """Up-time, predictions and version, in plain figures."""
    uptime, predictions, version = st.columns(3)
    uptime.metric("Up for", duration(health.uptime_seconds))
    predictions.metric("Predictions", f"{health.prediction_count:,}")
    version.metric("API version", health.api_version)


def show_model(model: Model) -> None:
    """The model's version, what it learned from, what it knows and how often it is right."""
    st.header("Model", anchor=False)
    st.write(f"Version `{model.version or 'unknown'}`.")
    if model.architecture:
        st.write(f"Built on {spaced(model.architecture)}.")
    if model.data and model.data.photographs:
        st.write(f"Learned from and measured on {model.data.photographs:,} photographs.")
    st.subheader("What it knows", anchor=False)
    st.write(", ".join(class_words(name) for name in model.classes or []) or "No classes yet.")
    if found := accuracies(model.metrics or {}):
        st.subheader("How often it is right", anchor=False)
        st.table({"Measured on": [name for name, _ in found], "Right": [of for _, of in found]})


st.title("Service", anchor=False)
api = loaders.api()
try:
    health, info = api.health(), api.model_info()
except ApiProblem as problem:
    components.problem_message(problem, refused="The service does not tell how it is")
else:
    st.caption(f"At `{api.address}`")
    show_health(health)
    if info.model_info is None:
        components.empty_state("model_training", "No model is loaded", "Train one: `make train`.")
    else:
        show_model(info.model_info)
