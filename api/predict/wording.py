"""What a grade means, in a sentence for the person who took the photograph."""

from collections.abc import Mapping, Sequence

from api.dataset.labels import read_label
from api.wording import percent

SURE = 0.9
LIKELY = 0.6


def interpret(probabilities: Mapping[str, float], recognised: bool) -> str:
    """One or two sentences. `probabilities` of all classes, summing to 1."""
    ranked = sorted(probabilities, key=lambda name: probabilities[name], reverse=True)
    best = ranked[0]
    words = read_label(best).words
    share = _share(probabilities[best])
    if not recognised:
        kinds = _listed(sorted({read_label(name).fruit for name in probabilities}))
        return (
            f"This does not look like anything that this grader knows ({kinds}). "
            f"Of what it knows, {words} comes closest; do not rely on that."
        )
    if probabilities[best] >= SURE:
        return f"{_capital(words)}: the grader is sure ({share})."
    if probabilities[best] >= LIKELY:
        return f"Probably {words} ({share})."
    second = ranked[1]
    return (
        f"Hard to tell: {words} ({share}) or {read_label(second).words} "
        f"({_share(probabilities[second])}). "
        "Another photograph, closer or in better light, may help."
    )


def _share(probability: float) -> str:
    """A whole percentage that never claims certainty."""
    return "over 99 %" if probability > 0.99 else percent(probability, 0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
