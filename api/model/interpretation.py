"""What a grade means, in a sentence for the person who took the photograph."""

from collections.abc import Mapping, Sequence

from api.core.formatting import percent
from api.core.labels import Level, read_label

SURE = 0.9
LIKELY = 0.6
_IN_WORDS: dict[Level, str] = {"fresh": "fresh", "past_best": "past its best", "rotten": "rotten"}


def describe(
    probabilities: Mapping[str, float], recognised: bool, level: Level | None = None
) -> str:
    """One or two sentences. `probabilities` of all classes, summing to 1.

    `level` is told where it says more than the class: that sound fruit is past its best, or that
    the thresholds draw the line elsewhere than the class does.
    """
    ranked = sorted(probabilities, key=lambda name: probabilities[name], reverse=True)
    best = ranked[0]
    label = read_label(best)
    words = label.words
    share = _share(probabilities[best])
    if not recognised:
        kinds = _listed(sorted({read_label(name).fruit for name in probabilities}))
        return (
            f"This does not look like anything that this grader knows ({kinds}). "
            f"Of what it knows, {words} comes closest; do not rely on that."
        )
    besides = ""
    if level == "past_best" and label.level == "fresh":
        words = f"{label.fruit}, sound but past its best"
    elif level and (level == "rotten") != (label.freshness == "rotten"):
        besides = f" By its freshness score it is {_IN_WORDS[level]}."
    if probabilities[best] >= SURE:
        return f"{_capital(words)}: the grader is sure ({share}).{besides}"
    if probabilities[best] >= LIKELY:
        return f"Probably {words} ({share}).{besides}"
    second = ranked[1]
    return (
        f"Hard to tell: {words} ({share}) or {read_label(second).words} "
        f"({_share(probabilities[second])}).{besides} "
        "Another photograph, closer or in better light, may help."
    )


def _share(probability: float) -> str:
    """A whole percentage that never claims certainty."""
    return "over 99 %" if probability > 0.99 else percent(probability, 0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
