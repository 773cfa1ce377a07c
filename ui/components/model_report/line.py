"""Where to draw the line: the errors at a freshness line, what they cost, and moving it."""

from typing import Literal, NamedTuple

import cached_thresholds
import state
import streamlit as st
from api_models import (
    FruitThresholds,
    LevelCosts,
    Sweep,
    SweepPoint,
    ThresholdSweep,
)
from charts.thresholds import LineWords, sweep_chart
from formatting import capitalize, describe_limits, percent, pluralize, points
from plain_text import as_markdown

from components.display import chart
from components.messages import empty_state, run_action, show_action_error

_AREA = "line"
Line = Literal["rotten_below", "fresh_from"]


class _Kind(NamedTuple):
    """A line between two levels, in a grader's words."""

    title: str
    words: LineWords
    let_through_costs: str
    refused_costs: str
    share: str


_KINDS: dict[Line, _Kind] = {
    "rotten_below": _Kind(
        "Rotten or not",
        LineWords("rotten ones", "good ones", "let through", "thrown away"),
        "A rotten one let through costs",
        "A good one thrown away costs",
        "How many of 100 are rotten",
    ),
    "fresh_from": _Kind(
        "Fresh or not",
        LineWords("ones that are not fresh", "fresh ones", "sold as fresh", "marked down"),
        "One not fresh, sold as fresh, costs",
        "A fresh one marked down costs",
        "How many of 100 are not fresh",
    ),
}
_SET_BY = {
    "fruit": "A person set them for this fruit in this version.",
    "user": "A person set them for all fruits.",
    "environment": "This installation set them for all fruits.",
    "model": "They are the model's own.",
}
# How many of a hundred fruits are worse, unless somebody has entered it.
_USUAL = 10.0


def draw_the_line(version: str, status: str) -> None:
    """The errors at each line of one fruit, and a slider to move it. Raises ApiError."""
    st.subheader("Where to draw the line", anchor=False)
    if status == "pruned":
        empty_state(
            "folder_off",
            "Its files are gone",
            "They were removed to make room, so its line cannot be moved. Choose another version.",
        )
        return
    fruits = {one.fruit: one for one in cached_thresholds.of_version(version).fruits}
    if not fruits:
        empty_state(
            "eco",
            "No line to draw",
            "None of this version's classes is about freshness, as `freshpears` and "
            "`rottenpears` are. Add photos with such names on the Training data page, and retrain.",
        )
        return
    st.write(
        "Every fruit gets a freshness score: 0 is certainly rotten, 100 certainly fresh. The "
        "higher the line, the fewer bad ones pass, and the more good ones are lost. Say what "
        "either costs you, in any unit."
    )
    fruit, line = _choose(list(fruits))
    current, kind = fruits[fruit], _KINDS[line]
    swept = _sweep(version, fruit, line, kind)
    suggested = swept.held_out.suggested
    _picture(swept, kind, fruit)
    _suggestion(swept, kind, fruit)
    if message := state.take_success(_AREA):
        st.success(message, icon=":material/check_circle:")
    show_action_error(_AREA, "The line was not changed")
    start = points((suggested or swept.held_out.in_use).threshold)
    # The key changes with the suggestion; until then, the person's choice is kept.
    chosen = st.slider(
        "Draw the line at", 1, 99, start, key=f"line-{version}-{fruit}-{line}-{start}"
    )
    _what_it_gets_wrong(swept, kind, swept.held_out.points[chosen - 1])
    with st.container(horizontal=True):
        st.button(
            "Save this line",
            type="primary",
            on_click=_save,
            args=(version, current, swept, chosen / 100),
            kwargs={"in_use": status == "champion"},
        )
        st.button(
            "Back to the model's own"
            if cached_thresholds.of_version(version).others.set_by == "model"
            else "Back to the lines of all fruits",
            icon=":material/undo:",
            disabled=current.set_by != "fruit",
            on_click=_reset,
            args=(version, fruit),
        )
    limits = describe_limits(current.rotten_below, current.fresh_from)
    st.caption(
        f"{as_markdown(capitalize(fruit))} now: {limits} {_SET_BY[current.set_by]} The lines "
        "belong to this version; a new one begins with its own, unless you carry them over when "
        "you put it in use."
    )


def _choose(fruits: list[str]) -> tuple[str, Line]:
    if st.session_state.get(state.LINE_FRUIT) not in fruits:
        st.session_state.pop(state.LINE_FRUIT, None)
    fruit = st.selectbox(
        "Fruit", fruits, format_func=capitalize, key=state.LINE_FRUIT, persist_state="session"
    )
    line = st.segmented_control(
        "Line",
        list(_KINDS),
        default="rotten_below",
        required=True,
        format_func=lambda name: _KINDS[name].title,
        key=state.LINE,
        persist_state="session",
    )
    return fruit, line


def _sweep(version: str, fruit: str, line: Line, kind: _Kind) -> ThresholdSweep:
    """The sweep with the costs that the person enters, initially the last saved ones."""
    saved = cached_thresholds.sweep(version, fruit, line, {}).costs
    share = 100 * saved.worse_share.root if saved.worse_share else _USUAL
    key = f"line-costs-{fruit}-{line}"
    first, second, third = st.columns(3, vertical_alignment="bottom")
    let_through = first.number_input(
        kind.let_through_costs, 0.01, 1e6, saved.let_through, 1.0, "%.2f", key=f"{key}-let-through"
    )
    refused = second.number_input(
        kind.refused_costs, 0.01, 1e6, saved.refused, 1.0, "%.2f", key=f"{key}-refused"
    )
    worse = third.number_input(
        kind.share,
        0.1,
        99.9,
        min(max(share, 0.1), 99.9),
        1.0,
        "%.1f",
        key=f"{key}-share",
        help="In the lots that you usually get. The fewer there are, the less it matters what "
        "they cost.",
    )
    costs = {
        "let_through_cost": let_through,
        "refused_cost": refused,
        "worse_share": round(worse / 100, 6),
    }
    return cached_thresholds.sweep(version, fruit, line, costs)


def _picture(swept: ThresholdSweep, kind: _Kind, fruit: str) -> None:
    held_out = swept.held_out
    if not (held_out.worse or held_out.better or swept.corrected.worse or swept.corrected.better):
        empty_state(
            "hide_image",
            "No photos to judge by",
            f"None of the photos that were held out was graded as {as_markdown(fruit)}. Add photos "
            "of it on the Training data page and retrain: about one in seven is held out.",
        )
        return
    marks = [(held_out.in_use.threshold, f"in use: {points(held_out.in_use.threshold)}")]
    best = held_out.suggested
    if best and best.threshold != held_out.in_use.threshold:
        marks.append((best.threshold, f"costs least: {points(best.threshold)}"))
    chart(
        sweep_chart(held_out, swept.corrected, kind.words, sorted(marks)),
        "line-errors",
        f"{capitalize(fruit)}: what a line gets wrong, from 0 to 100. "
        + " ".join(
            f"At {points(point.threshold)}: {_errors(held_out, point, kind.words)}."
            for point in (held_out.points[24], held_out.points[49], held_out.points[74])
        ),
    )


def _suggestion(swept: ThresholdSweep, kind: _Kind, fruit: str) -> None:
    held_out, fewest = swept.held_out, swept.fewest
    best, now = held_out.suggested, held_out.in_use
    if best is None:
        st.info(
            f"Too few photos to suggest a line: {held_out.worse} {kind.words.worse} and "
            f"{held_out.better} {kind.words.better} were held out, and {fewest} of each are "
            f"needed. Add photos of {as_markdown(fruit)} on the Training data page and retrain: "
            "about one in seven is held out.",
            icon=":material/info:",
        )
    elif best.threshold == now.threshold:
        st.write(
            f"**Keep the line in use, {points(now.threshold)}.** On these photos no other is "
            f"clearly cheaper; it costs {_cost(now)} for 100 fruits."
        )
    else:
        st.write(
            f"**A line at {points(best.threshold)} costs least:** {_cost(best)} for 100 fruits, "
            f"instead of {_cost(now)} with the one in use, {points(now.threshold)}."
        )


def _what_it_gets_wrong(swept: ThresholdSweep, kind: _Kind, point: SweepPoint) -> None:
    """The errors at one line, on held-out and on corrected photos."""
    held_out, corrected, words = swept.held_out, swept.corrected, kind.words
    if held_out.worse or held_out.better:
        cost = "" if point.cost is None else f" That is {_cost(point)} for 100 fruits."
        st.write(
            f"At {points(point.threshold)}: {_errors(held_out, point, words)}.{cost} Counted on "
            f"{pluralize(held_out.worse + held_out.better, 'photo')} that this version had not "
            "learned from; “at most” is the upper end of the 95 % interval."
        )
    if corrected.worse or corrected.better:
        at = corrected.points[points(point.threshold) - 1]
        st.caption(
            f"Of the photos that people corrected here: {_errors(corrected, at, words)}. People "
            "correct mistakes more readily, so this looks worse than it is."
        )
    else:
        st.caption(
            "Photos of yours are counted here, too, once somebody says what they are: on the "
            "Predict and History pages, or in an inspection."
        )


def _errors(sweep: Sweep, point: SweepPoint, words: LineWords) -> str:
    """How many are wrong, and the upper bound, since a few photos say little."""
    parts = []
    if sweep.worse:
        most = percent(point.let_through_at_most)
        which = f"{point.let_through:,} of {sweep.worse:,} {words.worse} {words.let_through}"
        parts.append(f"{which} (at most {most})")
    if sweep.better:
        most = percent(point.refused_at_most)
        which = f"{point.refused:,} of {sweep.better:,} {words.better} {words.refused}"
        parts.append(f"{which} (at most {most})")
    return ", ".join(parts)


def _cost(point: SweepPoint) -> str:
    return f"{point.cost or 0:,.2f}"


def _save(
    version: str, current: FruitThresholds, swept: ThresholdSweep, score: float, *, in_use: bool
) -> None:
    """Save the line, and move the other one along if it would end up on the wrong side."""
    low, high = current.rotten_below, current.fresh_from
    costs = current.costs or LevelCosts()
    if swept.line == "rotten_below":
        low, high = score, score if high is None else max(score, high)
        costs = costs.model_copy(update={"rotten_below": swept.costs})
    else:
        low, high = min(low, score), score
        costs = costs.model_copy(update={"fresh_from": swept.costs})
    if run_action(
        _AREA,
        lambda: cached_thresholds.save(
            version, current.fruit, rotten_below=low, fresh_from=high, costs=costs
        ),
    ):
        then = (
            "It takes effect within two seconds."
            if in_use
            else "It takes effect once this version is in use."
        )
        saved = f"{describe_limits(low, high)} {then}"
        state.keep_success(_AREA, f"Saved for {as_markdown(current.fruit)}. {saved}")


def _reset(version: str, fruit: str) -> None:
    if run_action(_AREA, lambda: cached_thresholds.reset(version, fruit)):
        state.keep_success(_AREA, f"{as_markdown(capitalize(fruit))} has no line of its own now.")
