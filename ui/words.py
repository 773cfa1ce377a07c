"""Names and figures as a person reads them."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

_WHO = {"manual": "a person"}
_KINDS = {
    "first": "The first one",
    "gate": "Passed the gate",
    "manual": "Promoted by hand",
    "rollback": "Rolled back",
}
_LEVELS = {"fresh": "Fresh", "past_best": "Past its best", "rotten": "Rotten"}
_GRADED = re.compile(r"(fresh|overripe|rotten)[\s_-]*(\S.*)", re.IGNORECASE)


def level_words(level: str) -> str:
    """A level of freshness in words: `past_best` is "Past its best"."""
    return _LEVELS.get(level, sentence(spaced(level)))


def class_words(class_name: str) -> str:
    """A class name in words: `rottenapples` is "Rotten apple", `dragon_fruit` "Dragon fruit"."""
    graded = _GRADED.fullmatch(class_name.strip())
    if graded is None:
        return sentence(spaced(class_name))
    return sentence(f"{graded[1]} {_singular(spaced(graded[2]))}")


def class_labels(names: Iterable[str]) -> dict[str, str]:
    """Each class name with its words; with the name itself too where two would read alike."""
    words = {name: class_words(name) for name in names}
    often = Counter(words.values())
    return {
        name: label if often[label] == 1 else f"{label} ({name})" for name, label in words.items()
    }


def spaced(name: str) -> str:
    """The name with a space for every run of spaces, underscores and hyphens."""
    return re.sub(r"[\s_-]+", " ", name).strip()


def sentence(text: str) -> str:
    """The text with a capital at its start and the rest as it is."""
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """A share of one as a percentage. What is not certain is never rounded to 0 or 100 %."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A span of time in its two largest units: "3 h 20 min"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (number, _) in enumerate(units) if number), 3)
    told = [f"{number} {unit}" for number, unit in units[first : first + 2] if number]
    return " ".join(told) or "0 s"


def about(seconds: float) -> str:
    """An estimated span of time, no finer than it can be known: "about 2 minutes"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} seconds"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 photograph", "1,200 photographs", "2 classes"."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def when(moment: datetime) -> str:
    """A moment to the minute: "21 Nov 2026, 10:05"."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def who(started_by: str) -> str:
    """A person, or the trigger that started a run, in words."""
    kind, _, name = started_by.partition(":")
    return f"the trigger “{name}”" if kind == "trigger" else _WHO.get(started_by, started_by)


def kind_in_words(kind: str) -> str:
    """How a version came to serve."""
    return _KINDS.get(kind, sentence(kind))


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith(("oes", "ches", "shes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
