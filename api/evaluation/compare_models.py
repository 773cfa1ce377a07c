"""Compares candidate and champion on the same held-out photos, for the promotion gate."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from api.core.calibration import expected_calibration_error
from api.core.heads import Head
from api.core.paired_comparison import LabelAgreement, MetricPair, ModelComparison, PairedCounts
from api.model.predictor import Backbone

LATENCY_RUNS = 30


@dataclass(frozen=True)
class ComparedModel:
    """A head, and embeddings by its own backbone: float32 [n, channels] of the test photos, `ood`
    float32 [k, channels] of out-of-distribution photos."""

    classes: tuple[str, ...]
    head: Head
    embeddings: NDArray[np.float32]
    ood: NDArray[np.float32]

    def predicted(self) -> NDArray[np.str_]:
        """The predicted class of each test photo: strings [n]."""
        best: NDArray[np.int64] = self.head.probabilities(self.embeddings).argmax(axis=1)
        return np.array(self.classes)[best]

    def predictions_by_sha256(self, sha256: NDArray[np.str_]) -> dict[str, str]:
        """The predicted class by the hash of each test photo; "" if rejected."""
        predictions = np.where(self.head.recognises(self.embeddings), self.predicted(), "")
        return dict(zip(sha256.tolist(), predictions.tolist(), strict=True))


def compare_models(
    champion: ComparedModel,
    candidate: ComparedModel,
    labels: NDArray[np.str_],
    photographs: NDArray[np.str_],
    *,
    milliseconds: MetricPair | None,
    new_classes: Mapping[str, LabelAgreement],
    new_labels: Mapping[str, LabelAgreement],
) -> ModelComparison:
    """Compare on the test photos of classes that both know, each photograph once.

    `labels` [n] are their classes, `photographs` [n] their names.
    """
    both = set(champion.classes) & set(candidate.classes)
    _, first = np.unique(photographs, return_index=True)
    rows = np.array([row for row in np.sort(first) if labels[row] in both], np.int64)
    truth = labels[rows]
    models = (champion, candidate)
    predicted = [model.predicted()[rows] for model in models]
    correct = [classes == truth for classes in predicted]
    recognised = [model.head.recognises(model.embeddings)[rows] for model in models]
    per_class, f1, calibration_error = {}, None, None
    if len(rows):
        names = np.unique(truth)
        per_class = {
            str(name): _paired(*(model_correct[truth == name] for model_correct in correct))
            for name in names
        }
        scores = [f1_score(truth, classes, labels=names, average="macro") for classes in predicted]
        f1 = MetricPair(*map(float, scores))
        calibration_error = MetricPair(
            *(_calibration_error(model, rows, truth) for model in models)
        )
    ood_recognised = None
    if all(len(model.ood) for model in models):
        shares = (float(model.head.recognises(model.ood).mean()) for model in models)
        ood_recognised = MetricPair(*shares)
    return ModelComparison(
        overall=_paired(*correct),
        recognised=_paired(*recognised),
        per_class=per_class,
        macro_f1=f1,
        calibration_error=calibration_error,
        others_let_through=ood_recognised,
        milliseconds=milliseconds,
        new_classes=new_classes,
        new_labels=new_labels,
    )


def compare_latency(champion: Backbone, candidate: Backbone, sizes: Sequence[int]) -> MetricPair:
    """Median milliseconds of a forward pass at input `sizes`, interleaved to share the load."""
    times: list[list[float]] = [[], []]
    for _ in range(LATENCY_RUNS):
        for model_times, backbone, size in zip(times, (champion, candidate), sizes, strict=True):
            blank = np.zeros((1, size, size, 3), np.uint8)
            started = time.perf_counter()
            backbone(blank)
            model_times.append((time.perf_counter() - started) * 1000)
    return MetricPair(float(np.median(times[0])), float(np.median(times[1])))


def _paired(champion: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> PairedCounts:
    return PairedCounts(
        photographs=len(champion),
        champion_right=int(champion.sum()),
        lost=int((champion & ~candidate).sum()),
        won=int((candidate & ~champion).sum()),
    )


def _calibration_error(
    model: ComparedModel, rows: NDArray[np.int64], truth: NDArray[np.str_]
) -> float:
    labels = np.array([model.classes.index(name) for name in truth])
    return expected_calibration_error(model.head.probabilities(model.embeddings[rows]), labels)
