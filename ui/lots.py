"""Inspections in words: verdicts, shares, photos and fruits; and how boxes are drawn."""

from collections import Counter
from collections.abc import Iterable

from api_models import Inspection, InspectionFruit, InspectionPhoto, LevelShare
from charts.style import LEVELS, UNKNOWN_LEVEL, LevelStyle
from formatting import capitalize, fruit_and_freshness, level_label, percent, pluralize
from fruits import relative_box
from photos import DrawnBox
from plain_text import as_markdown

WORST_FIRST = ("rotten", "past_best", "fresh")
# What a person may say about a fruit, with its label.
SAYINGS = {
    "rotten": "Rotten",
    "past_best": "Past its best",
    "fresh": "Fresh",
    "no_fruit": "No fruit",
}
_DECISIONS = {"accept": "Accept", "reject": "Reject", "more": "Not sure yet"}


def title(inspection: Inspection) -> str:
    """ "Lot A-17"."""
    return f"Lot {inspection.lot}"


def subtitle(inspection: Inspection, opened: str) -> str:
    """Supplier, kind and time of opening, if known, in Markdown."""
    named = [as_markdown(text) for text in (inspection.supplier, capitalize(inspection.kind))]
    return capitalize(" · ".join(part for part in (*named, f"opened {opened}") if part))


def decision(inspection: Inspection) -> str:
    """The verdict in a word or two."""
    if not inspection.photos:
        return "No photos yet"
    return _DECISIONS[inspection.verdict.decision]


def total(inspection: Inspection) -> int:
    """All its fruits, including unknown ones."""
    counts = inspection.counts
    return counts.fresh + counts.past_best + counts.rotten + counts.unknown


def counted(inspection: Inspection) -> str:
    """ "40 fruits in 7 photos"."""
    if not inspection.photos:
        return "nothing photographed"
    fruits, photos = pluralize(total(inspection), "fruit"), pluralize(inspection.photos, "photo")
    return f"{fruits} in {photos}"


def tolerated(inspection: Inspection) -> str:
    """ "At most 5 % rotten and 10 % past their best; 95 % sure"."""
    limits = [f"{round_percent(inspection.max_rotten)} rotten"]
    if inspection.max_past_best is not None:
        limits.append(f"{round_percent(inspection.max_past_best)} past their best")
    return f"At most {' and '.join(limits)}; {round_percent(inspection.confidence)} sure"


def share_range(share: LevelShare) -> str:
    """The range of the share in the whole lot: "In the lot: 1.0 % to 13.9 %"."""
    if share.share is None:
        return "Nothing known yet"
    return f"In the lot: {percent(share.low)} to {percent(share.high)}"


def round_percent(share: float) -> str:
    """A share that a person set: 0.05 is "5 %", 0.025 "2.5 %"."""
    return f"{100 * share:g} %"


def fruit_name(fruit: InspectionFruit, kind: str = "") -> str:
    """The fruit's level and kind: "Rotten apple", "Apple, past its best"; `kind` is the lot's."""
    if fruit.said == "no_fruit":
        return SAYINGS["no_fruit"]
    if fruit.level is None:
        return "Not known"
    if fruit.recognised and fruit.predicted_class:
        kind = fruit_and_freshness(fruit.predicted_class)[0]
    kind = kind or "fruit"
    if fruit.level == "past_best":
        return capitalize(f"{kind}, {level_label('past_best').lower()}")
    return capitalize(f"{fruit.level} {kind}")


def said_by(fruit: InspectionFruit) -> str:
    """How sure the grader is, or, if a person said what it is, "Corrected by you"."""
    if fruit.added:
        return "Added by you"
    if fruit.said:
        right = fruit.recognised and fruit.said == fruit.freshness_level
        return "Confirmed by you" if right else "Corrected by you"
    if fruit.level is None or fruit.confidence is None:
        return "Look at it yourself"
    return f"{percent(fruit.confidence)} sure"


def style(fruit: InspectionFruit) -> LevelStyle:
    return LEVELS.get(fruit.level or "", UNKNOWN_LEVEL)


def describe(fruits: Iterable[InspectionFruit]) -> str:
    """The fruits by level, worst first: "1 rotten, 4 fresh"; "No fruit found" without any."""
    counts: Counter[str] = Counter(fruit.level or "unknown" for fruit in _real(fruits))
    parts = [f"{counts[step]} {_in_words(step, counts[step])}" for step in WORST_FIRST]
    parts = [part for part in parts if not part.startswith("0 ")]
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} not known")
    return ", ".join(parts) or "No fruit found"


def photo_title(photo: InspectionPhoto) -> str:
    return f"Photo {photo.number}"


def drawn(photo: InspectionPhoto) -> list[DrawnBox]:
    """The numbered boxes of the photo's fruits."""
    return [
        DrawnBox(relative_box(fruit, photo), style(fruit).colour, str(fruit.number))
        for fruit in _real(photo.fruits)
    ]


def photos_needed(inspection: Inspection) -> str:
    """How many photos the verdict needs: "That makes about 3 more photos like these."; or empty."""
    more, fruits = inspection.verdict.more, total(inspection)
    if not more or not fruits or not inspection.photos:
        return ""
    photos = -(-more * inspection.photos // fruits)
    return f"That makes about {pluralize(photos, 'more photo')} like these."


def _real(fruits: Iterable[InspectionFruit]) -> list[InspectionFruit]:
    return [fruit for fruit in fruits if fruit.said != "no_fruit"]


def _in_words(level: str, count: int) -> str:
    label = level_label(level).lower()
    return label.replace("its", "their") if count > 1 else label
