"""Candidate against champion on the same held-out photos: what the promotion gate judges by.

Neither model was trained or tuned on these photos. A photo counts once, however many copies of it
there are, except in `by_file`. Field names are part of the stored verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb

# A difference with a smaller p-value is significant.
ALPHA = 0.05


@dataclass(frozen=True)
class PairedCounts:
    """`lost` are regressions (champion right, candidate wrong), `won` improvements."""

    photographs: int
    champion_right: int
    lost: int
    won: int

    @property
    def candidate_right(self) -> int:
        return self.champion_right - self.lost + self.won

    @property
    def net_lost(self) -> int:
        return self.lost - self.won

    @property
    def drop(self) -> float:
        """Loss of accuracy: -1 to 1."""
        return self.net_lost / self.photographs if self.photographs else 0.0

    @property
    def mcnemar_p(self) -> float:
        """p-value of the exact one-sided McNemar test that the candidate is worse.

        Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
        percentages" (1947).
        """
        differing = self.lost + self.won
        tail = sum(comb(differing, k) for k in range(self.lost, differing + 1))
        return float(Fraction(tail, 2**differing))


@dataclass(frozen=True)
class MetricPair:
    """A metric of both models."""

    champion: float
    candidate: float

    @property
    def increase(self) -> float:
        return self.candidate - self.champion


@dataclass(frozen=True)
class LabelAgreement:
    """How many labels of new photos agree with models that have not seen the photos.

    `left_out`: cross-validated with a simple model. `held_out`: graded by the candidate, in its
    test split. `…_recognised`: in distribution.
    """

    left_out: int
    left_out_right: int
    held_out: int = 0
    held_out_right: int = 0
    left_out_recognised: int = 0
    held_out_recognised: int = 0


@dataclass(frozen=True)
class ChangedLabels:
    """Held-out photos of one class, the one that a model was first judged by.

    `photos` counts all of them, `relabelled` and `removed` those that got another class or were
    removed since the champion learned, and `since_first` those that no longer have the first class.
    """

    photos: int
    relabelled: int
    removed: int
    since_first: int


@dataclass(frozen=True)
class Contradictions:
    """Photos that the champion grades with high confidence as another class than their label.

    `contradicted` counts them among the `uploads` new uploads of known classes. `clustered_…`
    counts catalog photos, new or already learned, that the champion of their time graded as another
    class (new uploads: with high confidence), and whose neighbours are mostly such photos too; 0
    unless one of them is new. `image_ids` are those of the new ones.
    """

    uploads: int
    contradicted: int
    clustered_uploads: int = 0
    clustered_corrections: int = 0
    image_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelComparison:
    """All metrics of the two models; None where there are no photos to measure on.

    `overall`, `macro_f1`, `calibration_error`, `log_loss`, `recognised`, `per_class`, `by_file`,
    `per_source` and `per_slice` are on held-out photos that the champion was judged by, of the
    classes that both know; `new_photos` and `new_per_class` are on held-out photos that were added
    since. Slices are groups of similar light, size or colour.

    `since_first` ("" for all classes) compares with the first version judged by each photo, which
    takes the champion's place in the counts. `lost_classes` counts the held-out photos of classes
    that only the champion knows; `returned_classes` are on photos held out when an earlier version
    knew the class. `few_held_out` are known classes with too few held-out photos.

    `others_let_through` is the share of held-out OOD photos that are recognised, `others_as_known`
    the share of all OOD photos that are recognised and graded as a class that the champion knows.
    `milliseconds` is the forward pass, None where both share the backbone. `new_classes` and
    `new_labels` (of existing classes) are on photos the champion was not trained on.
    """

    overall: PairedCounts
    recognised: PairedCounts
    per_class: Mapping[str, PairedCounts] = field(default_factory=dict)
    by_file: Mapping[str, PairedCounts] = field(default_factory=dict)
    per_source: Mapping[str, PairedCounts] = field(default_factory=dict)
    per_slice: Mapping[str, PairedCounts] = field(default_factory=dict)
    since_first: Mapping[str, PairedCounts] = field(default_factory=dict)
    new_photos: PairedCounts | None = None
    new_per_class: Mapping[str, PairedCounts] = field(default_factory=dict)
    lost_classes: Mapping[str, int] = field(default_factory=dict)
    returned_classes: Mapping[str, PairedCounts] = field(default_factory=dict)
    few_held_out: Mapping[str, LabelAgreement] = field(default_factory=dict)
    changed_labels: Mapping[str, ChangedLabels] = field(default_factory=dict)
    contradictions: Contradictions | None = None
    macro_f1: MetricPair | None = None
    calibration_error: MetricPair | None = None
    log_loss: MetricPair | None = None
    others_let_through: MetricPair | None = None
    others_as_known: MetricPair | None = None
    milliseconds: MetricPair | None = None
    new_classes: Mapping[str, LabelAgreement] = field(default_factory=dict)
    new_labels: Mapping[str, LabelAgreement] = field(default_factory=dict)


@dataclass(frozen=True)
class DetectorComparison:
    """A new detector against the one in use, on the same held-out pictures.

    A picture is right if each of its fruits is found and named, and nothing else is found (unless
    it may have fruit without a box).

    `groups` has the pictures by kind: boxed photos of a source, photos of one fruit, composed
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
