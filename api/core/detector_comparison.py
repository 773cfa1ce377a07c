"""A new detector against the one in use, on the same held-out pictures: what the gate judges by.

Field names are part of the stored verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.core.paired_comparison import MetricPair, PairedCounts


@dataclass(frozen=True)
class DetectorComparison:
    """A picture is right if each of its fruits is found and named, and nothing else, unless it may
    have fruit without a box.

    `groups` are pictures by what they are: boxed photos of a source, photos of one fruit, composed
    scenes. The rest is on the boxed photos: `fruits` counts a photo for each kind of fruit that it
    has, right if all of that kind are found; `grades` counts those in which all found fruits of
    known freshness are graded right. `average_precision` at an overlap of one half, by fruit.
    """

    photographs: int
    boxes: int
    overall: PairedCounts
    groups: Mapping[str, PairedCounts] = field(default_factory=dict)
    fruits: Mapping[str, PairedCounts] = field(default_factory=dict)
    grades: PairedCounts | None = None
    average_precision: Mapping[str, MetricPair] = field(default_factory=dict)
    recall: MetricPair | None = None
