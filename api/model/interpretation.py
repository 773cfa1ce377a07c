"""A grade in words, for the person who took the photo."""

from collections import Counter
from collections.abc import Mapping, Sequence

from api.core.formatting import number, percent
from api.core.labels import LEVEL_NAMES, LEVELS, Level, read_label
from api.model.grade import FruitGrade

SURE = 0.9
LIKELY = 0.6


def describe(
    probabilities: Mapping[str, float],
    recognised: bool,
    level: Level | None = None,
    *,
    several: bool = False,
) -> str:
    """One or two sentences. `probabilities` are of all classes and sum to 1.

    `level` is mentioned where it adds to the class: fresh fruit that is past its best, or
    thresholds that disagree with the class. A photo of `several` fruits is never called sure.
    """
    ranked = sorted(probabilities, key=lambda name: probabilities[name], reverse=True)
    best = ranked[0]
    label = read_label(best)
    words = label.words
    share = _share(probabilities[best])
    if not recognised:
        kinds = ", ".join(sorted({read_label(name).fruit for name in probabilities}))
        return (
            f"This does not look like anything that this grader knows ({kinds}). "
            f"Of what it knows, {words} comes closest; do not rely on that."
        )
    remark = ""
    if level == "past_best" and label.level == "fresh":
        words = f"{label.fruit}, sound but past its best"
    elif level and (level == "rotten") != (label.freshness == "rotten"):
        remark = f" By its freshness score it is {LEVEL_NAMES[level]}."
    if several:
        return (
            "This photo shows several fruits, and one grade speaks for none of them alone: most "
            f"like {words} ({share}).{remark} Have each fruit graded, or photograph one alone."
        )
    if probabilities[best] >= SURE:
        return f"{words[:1].upper()}{words[1:]}: the grader is sure ({share}).{remark}"
    if probabilities[best] >= LIKELY:
        return f"Probably {words} ({share}).{remark}"
    second = ranked[1]
    return (
        f"Hard to tell: {words} ({share}) or {read_label(second).words} "
        f"({_share(probabilities[second])}).{remark} "
        "Another photo, closer or in better light, may help."
    )


def describe_several(fruits: Sequence[FruitGrade], ungraded: int = 0) -> str:
    """Two sentences on a photo of several fruits, a third if some were found but not graded."""
    levels: Counter[Level | None] = Counter(
        fruit.freshness_level for fruit in fruits if fruit.recognised
    )
    unknown = sum(not fruit.recognised for fruit in fruits)
    parts = [f"{levels[level]} {LEVEL_NAMES[level]}" for level in LEVELS if levels[level]]
    if unknown:
        parts.append(f"{unknown} not recognised")
    counts = f": {', '.join(parts)}" if parts else ""
    text = (
        f"This photo shows {number(len(fruits) + ungraded, 'fruit')}{counts}. "
        "The grade of the whole photo speaks for none of them alone."
    )
    if ungraded:
        text += f" {ungraded} of them are not graded; send photos of fewer."
    return text


def _share(probability: float) -> str:
    """A whole percentage, at most "over 99 %"."""
    return "over 99 %" if probability > 0.99 else percent(probability, 0)
