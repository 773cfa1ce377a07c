"""Compares candidate and champion on the same held-out photos, for the promotion gate."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from api.core.calibration import expected_calibration_error
from api.core.heads import Head
from api.core.labels import read_label
from api.core.paired_comparison import MetricPair, ModelComparison, PairedCounts
from api.model.package import REPLAY, Package
from api.model.predictor import Backbone
from api.model.replay_buffer import SURE_TARGET, ReplayBuffer

LATENCY_RUNS = 30


@dataclass(frozen=True)
class ComparedModel:
    """A head, and embeddings by its own backbone: float32 [n, channels] of the test photos, `ood`
    float32 [k, channels] of held-out out-of-distribution photos, `all_ood` of all of them."""

    classes: tuple[str, ...]
    head: Head
    embeddings: NDArray[np.float32]
    ood: NDArray[np.float32]
    all_ood: NDArray[np.float32]

    def taken_for(self, classes: Sequence[str]) -> float:
        """The share of `all_ood` that are recognised and graded as one of `classes`."""
        best = np.array(self.classes)[self.head.probabilities(self.all_ood).argmax(axis=1)]
        recognised = self.head.recognises(self.all_ood)
        return float((recognised & np.isin(best, classes)).mean())

    def predicted(self) -> NDArray[np.str_]:
        """The predicted class of each test photo: strings [n]."""
        best: NDArray[np.int64] = self.head.probabilities(self.embeddings).argmax(axis=1)
        return np.array(self.classes)[best]

    def predictions_by_sha256(self, sha256: NDArray[np.str_]) -> dict[str, str]:
        """The predicted class by the hash of each test photo; "" if rejected."""
        predictions = np.where(self.head.recognises(self.embeddings), self.predicted(), "")
        return dict(zip(sha256.tolist(), predictions.tolist(), strict=True))


@dataclass(frozen=True)
class HeldOut:
    """Held-out photos: n rows, in the order of the embeddings of two `ComparedModel`s.

    `class_names` strings [n] are their labels; `photographs` strings [n], equal for copies of one
    photo; `sources` strings [n]; `looks` float32 [n, 5] as in `ReplayBuffer`; `is_new` bool [n]:
    whether the champion was never judged by it; `first_right` int8 [n]: whether the first version
    judged by it was right, -1 if unknown.
    """

    class_names: NDArray[np.str_]
    photographs: NDArray[np.str_]
    sources: NDArray[np.str_]
    looks: NDArray[np.float32]
    is_new: NDArray[np.bool_]
    first_right: NDArray[np.int8]

    @property
    def first_copies(self) -> NDArray[np.bool_]:
        """The first row of each photograph: bool [n]."""
        first = np.zeros(len(self.photographs), bool)
        first[np.unique(self.photographs, return_index=True)[1]] = True
        return first

    def slices(self) -> dict[str, NDArray[np.bool_]]:
        """Groups of similar light, size or colour, named in words: bool [n] each."""
        brightness, _, hue, width, height = self.looks.T
        groups = {
            **_thirds(brightness, "dark photos", "bright photos"),
            **_thirds(np.minimum(width, height), "small photos", "large photos"),
        }
        fruits = np.array([read_label(name).fruit for name in self.class_names.tolist()], np.str_)
        for fruit in np.unique(fruits).tolist():
            # From 180 degrees, so that red, where most fruit is, is not cut in two.
            own = np.where(fruits == fruit, (hue + 180) % 360, np.nan)
            groups |= _thirds(own, f"{fruit}: the reddest photos", f"{fruit}: the greenest photos")
        return groups


def compare_models(
    champion: ComparedModel, candidate: ComparedModel, held_out: HeldOut, **further: Any
) -> ModelComparison:
    """Compare two models on the same photos; `further` are other fields of the comparison."""
    truth, once = held_out.class_names, held_out.first_copies
    models = (champion, candidate)
    champion_right, candidate_right = (model.predicted() == truth for model in models)
    recognised = [model.head.recognises(model.embeddings) for model in models]
    of_champion, of_candidate = (np.isin(truth, model.classes) for model in models)
    earlier = ~held_out.is_new & of_champion & of_candidate
    rows = np.flatnonzero(earlier & once)

    def paired(wanted: NDArray[np.bool_]) -> PairedCounts:
        return paired_counts(champion_right[wanted], candidate_right[wanted])

    def by_class(wanted: NDArray[np.bool_]) -> dict[str, PairedCounts]:
        names = np.unique(truth[wanted]).tolist()
        return {name: paired(wanted & (truth == name)) for name in names}

    def by_group(groups: Mapping[str, NDArray[np.bool_]]) -> dict[str, PairedCounts]:
        counts = {name: paired(earlier & once & group) for name, group in groups.items()}
        return {name: count for name, count in counts.items() if count.photographs}

    per_class = by_class(earlier & once)
    by_file = by_class(earlier)
    sources = [source for source in np.unique(held_out.sources).tolist() if source]
    judged_first = ~held_out.is_new & of_candidate & once & (held_out.first_right >= 0)
    lost = ~held_out.is_new & of_champion & ~of_candidate & once
    returned = ~held_out.is_new & ~of_champion & of_candidate & once
    added = held_out.is_new & of_champion & of_candidate & once
    return ModelComparison(
        overall=paired(earlier & once),
        recognised=paired_counts(*(each[rows] for each in recognised)),
        per_class=per_class,
        by_file={
            name: counts
            for name, counts in by_file.items()
            if counts.photographs > per_class[name].photographs
        },
        per_source=by_group({source: held_out.sources == source for source in sources}),
        per_slice=by_group(held_out.slices()),
        since_first=_since_first(held_out, candidate_right, judged_first),
        new_photos=paired(added) if added.any() else None,
        new_per_class=by_class(added),
        lost_classes={
            name: int((lost & (truth == name)).sum())
            for name in champion.classes
            if name not in candidate.classes
        },
        returned_classes=by_class(returned),
        macro_f1=_macro_f1(models, rows, truth) if len(rows) else None,
        calibration_error=(
            MetricPair(*(_calibration_error(model, rows, truth) for model in models))
            if len(rows)
            else None
        ),
        log_loss=(
            MetricPair(*(_log_loss(model, rows, truth) for model in models)) if len(rows) else None
        ),
        others_let_through=_let_through(models),
        others_as_known=(
            MetricPair(*(model.taken_for(champion.classes) for model in models))
            if all(len(model.all_ood) for model in models)
            else None
        ),
        **further,
    )


def compare_with_itself(package: Package) -> ModelComparison:
    """The figures of a package on its own held-out photos. Raises BadPackageError."""
    replay = ReplayBuffer.load(package.folder / REPLAY)
    rows = (replay.splits == "test") & (replay.targets.max(axis=1) > SURE_TARGET)
    classes = package.manifest.classes
    held_out = HeldOut(
        class_names=np.array(classes)[replay.targets[rows].argmax(axis=1)],
        photographs=np.where(
            replay.boxed, np.arange(len(rows)).astype(np.str_), replay.photographs
        )[rows],
        sources=replay.sources[rows],
        looks=replay.looks[rows],
        is_new=np.zeros(int(rows.sum()), bool),
        first_right=replay.first_right[rows],
    )
    others = replay.others
    model = ComparedModel(
        classes,
        package.head,
        replay.embeddings[rows],
        ood=others.rows(others.splits != "train").embeddings,
        all_ood=others.embeddings,
    )
    return compare_models(model, model, held_out)


def _since_first(
    held_out: HeldOut, candidate_right: NDArray[np.bool_], rows: NDArray[np.bool_]
) -> dict[str, PairedCounts]:
    """The first version judged by each of `rows` against the candidate, over all and by class."""
    first_right = held_out.first_right == 1
    groups = {"": rows} | {
        name: rows & (held_out.class_names == name)
        for name in np.unique(held_out.class_names[rows]).tolist()
    }
    return {
        name: paired_counts(first_right[group], candidate_right[group])
        for name, group in groups.items()
        if group.any()
    }


def _macro_f1(
    models: Sequence[ComparedModel], rows: NDArray[np.int64], truth: NDArray[np.str_]
) -> MetricPair:
    names = np.unique(truth[rows])
    scores = [
        f1_score(truth[rows], model.predicted()[rows], labels=names, average="macro")
        for model in models
    ]
    return MetricPair(*map(float, scores))


def _let_through(models: Sequence[ComparedModel]) -> MetricPair | None:
    if not all(len(model.ood) for model in models):
        return None
    return MetricPair(*(float(model.head.recognises(model.ood).mean()) for model in models))


def _thirds(values: NDArray[np.float32], lowest: str, highest: str) -> dict[str, NDArray[np.bool_]]:
    """The lowest and the highest third of `values` [n], by name; NaN is in neither."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    low, high = np.quantile(known, (1 / 3, 2 / 3))
    return {lowest: values < low, highest: values > high}


def compare_latency(champion: Backbone, candidate: Backbone, sizes: Sequence[int]) -> MetricPair:
    """Median milliseconds of a forward pass at input `sizes`, in turn so that load affects both."""
    times: list[list[float]] = [[], []]
    for _ in range(LATENCY_RUNS):
        for model_times, backbone, size in zip(times, (champion, candidate), sizes, strict=True):
            blank = np.zeros((1, size, size, 3), np.uint8)
            started = time.perf_counter()
            backbone(blank)
            model_times.append((time.perf_counter() - started) * 1000)
    return MetricPair(float(np.median(times[0])), float(np.median(times[1])))


def paired_counts(champion: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> PairedCounts:
    """The counts from whether each model was right: bool [n] each."""
    return PairedCounts(
        photographs=len(champion),
        champion_right=int(champion.sum()),
        lost=int((champion & ~candidate).sum()),
        won=int((candidate & ~champion).sum()),
    )


def _log_loss(model: ComparedModel, rows: NDArray[np.int64], truth: NDArray[np.str_]) -> float:
    labels = [model.classes.index(name) for name in truth[rows].tolist()]
    logs = model.head.log_probabilities(model.embeddings[rows])
    return float(-logs[np.arange(len(rows)), labels].mean())


def _calibration_error(
    model: ComparedModel, rows: NDArray[np.int64], truth: NDArray[np.str_]
) -> float:
    labels = np.array([model.classes.index(name) for name in truth[rows].tolist()])
    return expected_calibration_error(model.head.probabilities(model.embeddings[rows]), labels)
