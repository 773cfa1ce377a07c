"""Names, numbers and times in readable form."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from api_models import Prediction, TrialGrade, Versions

# Stands for the class of a photo of several fruits.
SEVERAL = "Several fruits"
# Label of a version's accuracy, wherever it is shown; the same as the API's title in the report.
TEST_ACCURACY = "Right class, test photos"
_STARTERS = {"manual": "a person"}
_TRIGGERS = {
    "accuracy": "Accuracy in use",
    "drift": "Drift of the photos",
    "new-images": "New photos",
    "schedule": "Schedule",
}
# Terms replaced in the reasons of a verdict.
_CHECK_TERMS = {
    "the champion": "the current model",
    "The candidate": "The new model",
    "the candidate": "the new model",
    "a person to promote it": "a person to put it in use",
}
_PROMOTIONS = {
    "first": "The first one",
    "gate": "Passed the checks",
    "manual": "Chosen by a person",
    "rollback": "Rolled back",
}
# What training photos are for, by split.
_USES = {"train": "To learn from", "validation": "To tune on", "test": "To measure on"}
_LEVELS = {"fresh": "Fresh", "past_best": "Past its best", "rotten": "Rotten"}
_MODES = {"fast": "Quick", "full": "Thorough", "detector": "Finding fruit"}
# As in the API, `retraining.omissions`.
_MIN_PER_CLASS = 8
_MAX_NAMED = 5
_GRADED = re.compile(r"(fresh|overripe|rotten)[\s_-]*(\S.*)", re.IGNORECASE)


def level_label(level: str) -> str:
    """The label of a freshness level: `past_best` is "Past its best"."""
    return _LEVELS.get(level, capitalize(humanize(level)))


def points(score: float) -> int:
    """A freshness score (0 to 1) in whole points, 1 to 99."""
    return min(max(round(100 * score), 1), 99)


def describe_limits(rotten_below: float, fresh_from: float | None) -> str:
    """The limits between the levels, in points; with None there is no middle level."""
    low = points(rotten_below)
    high = low if fresh_from is None else points(fresh_from)
    if low == high:
        return f"Rotten below {low}, fresh from {low}."
    return f"Rotten below {low}, past its best from {low}, fresh from {high}."


def version_labels(versions: Versions) -> dict[str, str]:
    """Each version with the name that a person gave it: "Summer apples (20261128-…)"."""
    return {
        one.version: f"{one.name} ({one.version})" if one.name else one.version
        for one in versions.models
    }


def mode_label(mode: str) -> str:
    """The label of a retraining mode: `fast` is "Quick"."""
    return _MODES.get(mode, capitalize(mode))


def run_label(mode: str) -> str:
    """The label of a run: "Quick retraining"."""
    return "Training to find fruit" if mode == "detector" else f"{mode_label(mode)} retraining"


def class_label(class_name: str) -> str:
    """The label of a class: `rottenapples` is "Rotten apple", `dragon_fruit` "Dragon fruit"."""
    graded = _GRADED.fullmatch(class_name.strip())
    if graded is None:
        return capitalize(humanize(class_name))
    return capitalize(f"{graded[1]} {_singular(humanize(graded[2]))}")


def fruit_and_freshness(class_name: str) -> tuple[str, Literal["fresh", "rotten"] | None]:
    """A class's fruit and its freshness, if it has one: `rottenapples` gives apple and rotten."""
    graded = _GRADED.fullmatch(class_name.strip())
    if graded is None:
        return humanize(class_name), None
    fruit, freshness = _singular(humanize(graded[2])), graded[1].lower()
    return fruit, "fresh" if freshness == "fresh" else "rotten" if freshness == "rotten" else None


def short_grade(prediction: Prediction | TrialGrade) -> str:
    """The grade for a table: "Fresh apple", "Apple, past its best", or "Not known"."""
    if not prediction.recognised:
        return "Not known"
    # Only if the class itself is fresh, since a correction is about the class.
    is_past_best = prediction.freshness_level == "past_best"
    if prediction.fruit and prediction.freshness == "fresh" and is_past_best:
        return capitalize(f"{prediction.fruit}, {level_label('past_best').lower()}")
    if prediction.fruit and prediction.freshness:
        return capitalize(f"{prediction.freshness} {prediction.fruit}")
    return class_label(prediction.predicted_class)


def class_labels(names: Iterable[str]) -> dict[str, str]:
    """The label of each class; equal labels get the class name added."""
    labels = {name: class_label(name) for name in names}
    uses = Counter(labels.values())
    return {
        name: label if uses[label] == 1 else f"{label} ({name})" for name, label in labels.items()
    }


def with_class_labels(text: str, names: Iterable[str]) -> str:
    """The API's `text` with class names replaced by labels."""
    labels = class_labels(names)
    if not labels:
        return text
    # The longest first, since one name may begin with another.
    choices = "|".join(re.escape(name) for name in sorted(labels, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{choices})(?!\w)", lambda match: labels[match[0]], text)


def verdict_in_words(reason: str, names: Iterable[str]) -> str:
    """A reason from the API's checks in a grader's words, with class labels."""
    for term, words in _CHECK_TERMS.items():
        reason = reason.replace(term, words)
    return with_class_labels(reason, names)


def humanize(name: str) -> str:
    """The name with one space for each run of spaces, underscores and hyphens."""
    return re.sub(r"[\s_-]+", " ", name).strip()


def use_label(split: str) -> str:
    """What a training photo is for, by its split."""
    return _USES.get(split, capitalize(split))


def capitalize(text: str) -> str:
    """The text with a capital first letter, the rest unchanged."""
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """A share (0 to 1) as a percentage. Uncertain shares are never rounded to 0 or 100 %. Uses
    words, since a line that begins with `>` is a quotation in Markdown.
    """
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{share:.1%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A duration in its two largest units: "3 h 20 min"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (number, _) in enumerate(units) if number), 3)
    parts = [f"{number} {unit}" for number, unit in units[first : first + 2] if number]
    return " ".join(parts) or "0 s"


def rough_duration(seconds: float) -> str:
    """An estimated duration, without false precision: "about 2 minutes"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} seconds"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


def pluralize(number: int, noun: str) -> str:
    """A number with its noun: "1 photo", "1,200 photos", "2 classes"."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def list_names(nouns: Sequence[str]) -> str:
    """ "apples, bananas and oranges"; for many, the first five and how many more there are."""
    named = [_plural(noun) for noun in nouns[:_MAX_NAMED]]
    if len(nouns) > _MAX_NAMED:
        named.append(f"{len(nouns) - _MAX_NAMED} more")
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def describe_left_out(counts: dict[str, int]) -> str:
    """Sentences on classes with too few photos to learn; `counts` are their numbers of photos."""
    return f"{name_classes(counts)}. A class needs at least {_MIN_PER_CLASS} different photos."


def name_classes(counts: dict[str, int]) -> str:
    """Classes with their numbers of photos: "Kiwi (8 photos), Fresh pear (1 photo)"."""
    return ", ".join(
        f"{label} ({pluralize(counts[name], 'photo')})"
        for name, label in class_labels(counts).items()
    )


def describe_skipped(names: Sequence[str], count: int) -> str:
    """A sentence on `count` unreadable photos; `names` are the first of their files. File names are
    shown as code, so that they are not read as Markdown.
    """
    listed = ", ".join(f"`{name.replace('`', chr(39))}`" for name in names[:_MAX_NAMED])
    more = f" and {count - _MAX_NAMED} more" if count > _MAX_NAMED else ""
    return f"Skipped, because they cannot be read: {listed}{more}."


def format_time(moment: datetime) -> str:
    """A moment to the minute: "21 Nov 2026, 10:05"."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def starter_label(started_by: str) -> str:
    """What started a run: a person or a trigger."""
    kind, _, name = started_by.partition(":")
    if kind == "trigger":
        return f"the trigger “{trigger_label(name)}”"
    if kind == "suggestion":
        return f"a person, as “{trigger_label(name)}” suggested"
    return _STARTERS.get(started_by, started_by)


def trigger_label(name: str) -> str:
    """What a trigger watches."""
    return _TRIGGERS.get(name, capitalize(humanize(name)))


def promotion_label(kind: str) -> str:
    """How a version came into use."""
    return _PROMOTIONS.get(kind, capitalize(kind))


def _plural(noun: str) -> str:
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "ch", "sh", "x")) else f"{noun}s"


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith(("oes", "ches", "shes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
