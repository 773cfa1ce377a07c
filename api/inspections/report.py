"""What a report of an inspection says, for each format: the inspection, its photos and fruits."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from api.core.formatting import percent
from api.core.labels import LEVEL_NAMES, Level, read_label
from api.inspections.acceptance import Decision, Profile, Share, Tally, Verdict, judge, share_of
from api.inspections.repository import Photo, level_of
from api.inspections.wording import limit_percent, verdict_message
from api.storage.tables.inspections import InspectionFruitRow, InspectionRow

WORST_FIRST: tuple[Level, ...] = ("rotten", "past_best", "fresh")
LEVEL_LABELS: dict[Level | None, str] = {
    level: LEVEL_NAMES[level].capitalize() for level in ("rotten", "past_best", "fresh", None)
}
DECISIONS: dict[Decision, str] = {"accept": "Accept", "reject": "Reject", "more": "Not sure yet"}


@dataclass(frozen=True)
class Report:
    """The state of an inspection; `photos` are in order, including those that do not count."""

    inspection: InspectionRow
    tally: Tally
    photos: list[Photo]
    made_at: datetime

    @property
    def profile(self) -> Profile:
        row = self.inspection
        return Profile(row.max_rotten, row.max_past_best, row.confidence)

    @property
    def verdict(self) -> Verdict:
        return judge(self.tally, self.profile)

    @property
    def message(self) -> str:
        return verdict_message(self.verdict, self.tally, self.profile)

    @property
    def shares(self) -> dict[Level, Share]:
        confidence = self.profile.confidence
        return {level: share_of(self.tally, level, confidence) for level in WORST_FIRST}

    @property
    def counted(self) -> list[Photo]:
        return [photo for photo in self.photos if photo.row.counted is not False]

    @property
    def details(self) -> list[tuple[str, str]]:
        """The facts that come before the fruits, as pairs of a name and a text."""
        row, profile = self.inspection, self.profile
        past_best = "any" if profile.past_best is None else limit_percent(profile.past_best)
        left_out = len(self.photos) - len(self.counted)
        same = f"; {left_out} not counted, as they show the same fruits" if left_out else ""
        said = sum(fruit.said is not None for photo in self.counted for fruit in photo.fruits)
        versions = sorted({photo.prediction.model_version for photo in self.photos})
        details = [
            ("Lot", row.lot),
            ("Supplier", row.supplier),
            ("Kind of fruit", row.kind or "mixed"),
            ("Opened", format_time(row.created_at)),
            ("Report made", format_time(self.made_at)),
            ("At most rotten", limit_percent(profile.rotten)),
            ("At most past their best", past_best),
            ("Confidence", limit_percent(profile.confidence)),
            ("Photos", f"{len(self.photos)}{same}"),
            ("Fruits", str(self.tally.total)),
            ("Looked at by a person", str(said)),
            ("Graded by", ", ".join(versions)),
        ]
        return [(name, text) for name, text in details if text]


def format_time(moment: datetime) -> str:
    """ "29 Nov 2026, 10:05 UTC"."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def range_of(share: Share) -> str:
    """Where the share of the lot lies: "1.0 % to 13.9 %"."""
    return "" if share.share is None else f"{percent(share.low)} to {percent(share.high)}"


def fruit_name(fruit: InspectionFruitRow, kind: str) -> str:
    """ "Rotten apple", "Apple, past its best", "Not known"."""
    level = level_of(fruit)
    if level is None:
        return LEVEL_LABELS[None]
    if fruit.recognised and fruit.predicted_class:
        kind = read_label(fruit.predicted_class).fruit
    kind = kind or "fruit"
    text = f"{kind}, past its best" if level == "past_best" else f"{level} {kind}"
    return text[:1].upper() + text[1:]


def real_fruits(photo: Photo) -> list[InspectionFruitRow]:
    """The fruits of a photo, without those that a person marked as no fruit."""
    return [fruit for fruit in photo.fruits if fruit.said != "no_fruit"]


def describe(fruits: Iterable[InspectionFruitRow]) -> str:
    """ "2 rotten, 4 fresh"; "no fruit" without any."""
    counts = Counter(level_of(fruit) for fruit in fruits)
    labels = {**LEVEL_LABELS, "past_best": "past their best"}
    parts = [
        f"{counts[level]} {labels[level].lower()}"
        for level in (*WORST_FIRST, None)
        if counts[level]
    ]
    return ", ".join(parts) or "no fruit"
