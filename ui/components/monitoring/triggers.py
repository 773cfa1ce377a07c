"""When to retrain: each trigger, its value against its limit, and what it does beyond the limit."""

from typing import Literal

import cached_api
import state
import streamlit as st
from api_models import Trigger
from charts.bars import threshold_bar
from errors import ApiError
from formatting import format_time, trigger_label
from plain_text import as_markdown
from timezone import local
from trigger_client import TriggerClient

from components.messages import run_action, show_action_error, show_fragment_error
from components.suggestion import suggestion_buttons

Schedule = Literal["none", "weekly", "monthly"]
Mode = Literal["off", "suggest", "start", "start_and_promote"]
_SCHEDULES: dict[Schedule, str] = {"none": "None", "weekly": "Weekly", "monthly": "Monthly"}
# Label and explanation.
_MODES: dict[Mode, tuple[str, str]] = {
    "off": ("Off", "Nothing happens."),
    "suggest": ("Ask first", "You are asked, on every page. Nothing starts by itself."),
    "start": (
        "Retrain",
        "A quick retraining starts by itself. The new model waits until a person puts it in use.",
    ),
    "start_and_promote": (
        "Retrain and use",
        "A quick retraining starts by itself, and the new model is put in use if it passes the "
        "checks.",
    ),
}
_PERSON_PROMOTES = "On this service it waits all the same until a person puts it in use."


@st.fragment(run_every="15s")
def trigger_cards() -> None:
    """A card for each trigger; refreshes itself."""
    if state.take_suggestion_answered():
        st.rerun()  # The line at the top of the page is outside this fragment.
    st.header("When to retrain", anchor=False)
    try:
        triggers = _client().triggers()
    except ApiError as error:
        show_fragment_error(error, rejected="When to retrain is not available")
        return
    st.write(
        "Reasons to retrain the model, and what happens when there is one. Checked once a minute."
    )
    for trigger in triggers:
        _card(trigger)


def settings_key(name: str) -> str:
    """The key that says whether a trigger's settings are open."""
    return f"settings-of-{name}"


def _card(trigger: Trigger) -> None:
    title = trigger_label(trigger.name)
    with st.container(border=True, key=f"trigger-{trigger.name}"):
        st.markdown(f"**{title}**")
        st.write(as_markdown(trigger.description))
        _value(trigger, title)
        _mode(trigger, title)
        _say(trigger)
        st.caption(_last_started(trigger))
        settings = st.expander(
            "Settings", icon=":material/tune:", key=settings_key(trigger.name), on_change="rerun"
        )
        # Drawn only if open: the forms of all triggers would slow the page down.
        if settings.open:
            with settings:
                _settings(trigger, title)
        show_action_error(_area(trigger.name), "This setting was not accepted")


def _mode(trigger: Trigger, title: str) -> None:
    key = f"mode-{trigger.name}"
    # Another browser may have set it.
    st.session_state[key] = trigger.mode
    st.segmented_control(
        f"What happens: {title}",
        list(_MODES),
        format_func=lambda mode: _MODES[mode][0],
        key=key,
        required=True,
        on_change=_set_mode,
        args=(trigger.name, key),
        label_visibility="collapsed",
    )
    explanation = _MODES[trigger.mode][1]
    if trigger.mode == "start_and_promote" and cached_api.person_promotes():
        explanation = f"{explanation} {_PERSON_PROMOTES}"
    st.caption(explanation)


def _say(trigger: Trigger) -> None:
    if trigger.suggestion:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(as_markdown(trigger.reason), width="stretch")
            suggestion_buttons(trigger.suggestion, "card")
    elif trigger.would_fire:
        does = "Asks" if trigger.mode == "suggest" else "Starts"
        st.info(f"{does} at the next check. {as_markdown(trigger.reason)}", icon=":material/bolt:")
    else:
        st.write(as_markdown(trigger.reason))


def _value(trigger: Trigger, title: str) -> None:
    if trigger.value is None or not trigger.threshold:
        return
    limit = f"{trigger.threshold:g} {trigger.unit}"
    if trigger.name == "drift":
        limit = "the limit" if trigger.threshold == 1 else f"{trigger.threshold:g} times the limit"
    text = f"Now {trigger.value:.3g}; due above {limit}"
    st.markdown(text)
    st.html(threshold_bar(trigger.value, trigger.threshold, f"{title}: {text}."))


def _last_started(trigger: Trigger) -> str:
    if trigger.last_fired_at is None:
        return "It has not started a run yet."
    run = f", run {trigger.last_run_id}" if trigger.last_run_id else ""
    return f"Last started {format_time(local(trigger.last_fired_at))}{run}."


def _settings(trigger: Trigger, title: str) -> None:
    # The keys change with the API's values; until then, unfinished input is kept.
    stamp = f"{trigger.name}-{trigger.threshold}-{trigger.cooldown_hours}-{trigger.schedule}"
    keys = {"cooldown_hours": f"cooldown-{stamp}"}
    with st.form(f"settings-{stamp}", border=False):
        if trigger.threshold is not None:
            keys["threshold"] = f"threshold-{stamp}"
            st.number_input(
                f"Threshold ({trigger.unit})",
                min_value=trigger.lowest,
                max_value=trigger.highest,
                value=trigger.threshold,
                key=keys["threshold"],
            )
        if trigger.schedule is not None:
            keys["schedule"] = f"schedule-{stamp}"
            st.segmented_control(
                "When",
                list(_SCHEDULES),
                format_func=lambda schedule: _SCHEDULES[schedule],
                default=trigger.schedule,
                required=True,
                key=keys["schedule"],
            )
        st.number_input(
            "Minimum hours between two retrainings",
            min_value=1.0,
            value=trigger.cooldown_hours,
            key=keys["cooldown_hours"],
        )
        st.form_submit_button(f"Save “{title}”", on_click=_save, args=(trigger.name, keys))


def _save(name: str, keys: dict[str, str]) -> None:
    settings = {field: st.session_state[key] for field, key in keys.items()}
    run_action(_area(name), lambda: _client().change(name, **settings))


def _set_mode(name: str, key: str) -> None:
    mode = st.session_state[key]
    run_action(_area(name), lambda: _client().change(name, mode=mode))
    state.keep_suggestion_answered()


def _client() -> TriggerClient:
    return TriggerClient(cached_api.api())


def _area(name: str) -> str:
    return f"trigger-{name}"
