"""The comparison that the gate judges: candidate and champion on the same held-out photographs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.core.calibration import expected_calibration_error
from api.core.heads import Head
from api.core.paired_comparison import LabelAgreement, MetricPair, ModelComparison, PairedCounts
from api.model.predictor import Backbone

PASSES = 30


@dataclass(frozen=True)
class Side:
    """One grader and what it sees: embeddings float32 [n, channels] of the test photographs and
    [k, channels] of photographs of no class, by its own network."""

    classes: tuple[str, ...]
    head: Head
    embeddings: NDArray[np.float32]
    others: NDArray[np.float32]

    def predicted(self) -> NDArray[np.str_]:
        """The class of each test photograph: strings [n]."""
        names: NDArray[np.str_] = np.array(self.classes)
        found: NDArray[np.str_] = names[self.head.probabilities(self.embeddings).argmax(axis=1)]
        return found

    def answers(self, sha256: NDArray[np.str_]) -> dict[str, str]:
        """The class of each test photograph by its hash [n]; "" where it is not recognised."""
        said = np.where(self.head.recognises(self.embeddings), self.predicted(), "")
        return dict(zip(sha256.tolist(), said.tolist(), strict=True))


def compare_models(
    champion: Side,
    candidate: Side,
    labels: NDArray[np.str_],
    photographs: NDArray[np.str_],
    *,
    milliseconds: MetricPair | None,
    new_classes: Mapping[str, LabelAgreement],
    new_labels: Mapping[str, LabelAgreement],
) -> ModelComparison:
    """Compare on test photographs whose classes are `labels` [n], by their names `photographs` [n].

    Only photographs of classes that both know count, each once.
    """
    both = set(champion.classes) & set(candidate.classes)
    _, first = np.unique(photographs, return_index=True)
    rows = np.array([row for row in np.sort(first) if labels[row] in both], np.int64)
    truth = labels[rows]
    said = [side.predicted()[rows] for side in (champion, candidate)]
    right = [answer == truth for answer in said]
    known = [side.head.recognises(side.embeddings)[rows] for side in (champion, candidate)]
    comparison = ModelComparison(
        overall=_paired(*right),
        recognised=_paired(*known),
        milliseconds=milliseconds,
        new_classes=new_classes,
        new_labels=new_labels,
        others_let_through=_let_through(champion, candidate),
    )
    if not len(rows):
        return comparison
    names = sorted(set(truth))
    return ModelComparison(
        **{
            **vars(comparison),
            "per_class": {
                name: _paired(*(answer[truth == name] for answer in right)) for name in names
            },
            "macro_f1": MetricPair(*(macro_f1(answer, truth) for answer in said)),
            "calibration_error": MetricPair(
                *(_calibration_error(side, rows, truth) for side in (champion, candidate))
            ),
        }
    )


def macro_f1(predicted: NDArray[np.str_], truth: NDArray[np.str_]) -> float:
    """The mean F1 of the classes in `truth` [n], 0 to 1."""
    scores = []
    for name in np.unique(truth):
        hits = int(((predicted == name) & (truth == name)).sum())
        scores.append(2 * hits / (int((predicted == name).sum()) + int((truth == name).sum())))
    return float(np.mean(scores))


def side_by_side(champion: Backbone, candidate: Backbone, sizes: Sequence[int]) -> MetricPair:
    """The median time of a forward pass of each, in turns, so that both meet the same load."""
    taken: list[list[float]] = [[], []]
    for _ in range(PASSES):
        for times, backbone, size in zip(taken, (champion, candidate), sizes, strict=True):
            blank = np.zeros((1, size, size, 3), np.uint8)
            began = time.perf_counter()
            backbone(blank)
            times.append((time.perf_counter() - began) * 1000)
    return MetricPair(float(np.median(taken[0])), float(np.median(taken[1])))


def _paired(champion: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> PairedCounts:
    return PairedCounts(
        photographs=len(champion),
        champion_right=int(champion.sum()),
        lost=int((champion & ~candidate).sum()),
        won=int((candidate & ~champion).sum()),
    )


def _calibration_error(side: Side, rows: NDArray[np.int64], truth: NDArray[np.str_]) -> float:
    numbers = {name: k for k, name in enumerate(side.classes)}
    labels = np.array([numbers[name] for name in truth])
    return expected_calibration_error(side.head.probabilities(side.embeddings[rows]), labels)


def _let_through(champion: Side, candidate: Side) -> MetricPair | None:
    if not len(champion.others) or not len(candidate.others):
        return None
    return MetricPair(
        *(float(side.head.recognises(side.others).mean()) for side in (champion, candidate))
    )
