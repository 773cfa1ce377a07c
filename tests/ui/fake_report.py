"""Scripted answers of the API about model versions, and the reports on them."""

from typing import Any

from tests.ui.fake_api import Answer, FakeApi
from tests.ui.fake_insights import AUGMENTATION, CHAMPION, IMAGES, INSIGHTS, MAP

PREVIOUS = "20261120-100000-bbbbbbb"
SCORES: dict[str, Any] = {
    "split": "test split by photograph",
    "files": 100,
    "photographs": 50,
    "accuracy": 0.98,
    "expected_calibration_error": 0.014,
    "per_class": {
        "freshapples": {"precision": 0.97, "recall": 1.0, "f1": 0.985, "files": 60},
        "rottenapples": {"precision": 1.0, "recall": 0.95, "f1": 0.974, "files": 40},
    },
    "confusion_matrix": [[60, 0], [2, 38]],
    "reliability": [{"low": 0.9, "high": 1, "files": 98, "confidence": 0.98, "accuracy": 0.99}],
    "roc": {
        "freshapples": {
            "false_positive_rate": [0, 0.1, 1],
            "true_positive_rate": [0, 1, 1],
            "auc": 0.99,
        }
    },
    "precision_recall": {
        "freshapples": {"recall": [1, 0.5, 0], "precision": [0.6, 1, 1], "average_precision": 0.98}
    },
}
FULL: dict[str, Any] = {
    **SCORES,
    "slices": [
        {
            "by": "fruit",
            "part": "apple",
            "files": 100,
            "photographs": 50,
            "accuracy": 0.98,
            "accuracy_interval_95": [0.95, 1.0],
        }
    ],
    "worst_mistakes": [
        {
            "file": "rottenapples/9.jpg",
            "true": "rottenapples",
            "predicted": "freshapples",
            "confidence": 0.77,
            "copies_wrong": 2,
        }
    ],
}
DATA = {"files": 200, "photographs": 90, "boxed": 0, "sha256": "ab"}
EPOCH = {"loss": 0.3, "accuracy": 0.9, "val_loss": 0.2, "val_accuracy": 0.95}


def version(name: str, status: str = "champion") -> dict[str, Any]:
    return {
        "version": name,
        "status": status,
        "created_at": "2026-11-21T10:00:00Z",
        "registered_at": "2026-11-21T10:00:00Z",
        "origin": "full",
        "parent": None,
        "started_by": "start",
        "run_id": None,
        "name": "",
        "note": "",
        "classes": ["freshapples", "rottenapples"],
        "metrics": {"photographs": 50, "accuracy": 0.98},
        "data": DATA,
        "recipe": {},
        "verdict": None,
    }


def details(metrics: dict[str, Any], recipe: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of `/models/{version}`."""
    manifest = {
        "version": CHAMPION,
        "classes": ["freshapples", "rottenapples"],
        "architecture": "efficientnet_lite0",
        "input_size": 160,
        "parameters": 3_400_000,
        "created_at": "2026-11-21T10:00:00Z",
        "data": DATA,
        "feature_shape": [5, 5, 1280],
        "files": {"head.npz": "ab"},
        "preprocessing": "rgb",
        "thresholds": {"rejection": 1.5},
        "versions": {"numpy": "2.4"},
        "metrics": metrics,
        "recipe": recipe or {"epochs": 12},
    }
    return {**version(CHAMPION), "manifest": manifest}


def figure(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"Right class, {name}",
        "value": 0.98,
        "low": 0.95,
        "high": 0.99,
        "counts": "100 files of 50 photos",
        "split": f"{name} split",
        "measures": "recipe",
        "leaks": False,
        **changes,
    }


TRIAL: dict[str, Any] = {
    "architecture": "mobilenet_v2",
    "input_size": 160,
    "weights": "none",
    "wanted_weights": "imagenet",
    "training": "fine-tuned",
    "accuracy": 0.9,
    "accuracy_interval_95": [0.85, 0.93],
    "macro_f1": 0.9,
    "parameters": 2_000_000,
    "megabytes": 8.9,
    "milliseconds": 7.4,
}
REPORT: dict[str, Any] = {
    "version": CHAMPION,
    "architecture": "efficientnet_lite0",
    "figures": [
        figure("test", measures="version"),
        figure("folds"),
        figure("supplied", value=0.994, leaks=True),
    ],
    "recipe_data": None,
    "same_data": True,
    "comparison": None,
    "kept_versions": [
        {
            "version": CHAMPION,
            "created_at": "2026-11-21T10:00:00Z",
            "accuracy": 0.98,
            "accuracy_of_newest": 0.98,
            "photographs": 215,
        },
        {
            "version": PREVIOUS,
            "created_at": "2026-08-21T10:00:00Z",
            "accuracy": 0.91,
            "accuracy_of_newest": 0.98,
            "photographs": 215,
        },
    ],
    "story": "98 % of what it has not seen.",
}
# Answer in which none of the wrong photos is in the catalog.
MISTAKES: dict[str, Any] = {
    "version": CHAMPION,
    "held_out": 50,
    "wrong": 3,
    "wrong_with_photo": 0,
    "mistakes": [],
    "misses": [],
}
NETWORKS = {
    "split": "test split",
    "latency": "one core",
    "data": DATA,
    "architectures": [TRIAL],
    "input_sizes": [TRIAL, {**TRIAL, "input_size": 96}],
}


def script(api: FakeApi) -> None:
    """Script a service whose champion is a full version, with one earlier version."""
    full = {"test_by_photograph": FULL, "training_curves": [EPOCH, EPOCH]}
    versions = [version(CHAMPION), version(PREVIOUS, "retired")]
    compared = {
        "a": versions[1],
        "b": versions[0],
        "same_data": True,
        "per_class": [],
        "figures": [
            {"name": "macro_f1", "better": "higher", "a": 0.97, "b": 0.98, "difference": 0.01}
        ],
    }
    api.answers |= {
        "/insights/dataset": Answer(INSIGHTS),
        "/insights/map": Answer(MAP),
        "/insights/augmentation": Answer(AUGMENTATION),
        "/dataset/images": Answer(IMAGES),
        "/models": Answer({"champion": CHAMPION, "rollback_to": PREVIOUS, "models": versions}),
        f"/models/{CHAMPION}": Answer(details(full)),
        f"/models/{PREVIOUS}": Answer(details({})),
        f"/report/{CHAMPION}": Answer(REPORT),
        f"/report/{PREVIOUS}": Answer({**REPORT, "figures": [figure("folds")], "same_data": False}),
        f"/report/{CHAMPION}/mistakes": Answer(MISTAKES),
        f"/report/{PREVIOUS}/mistakes": Answer({**MISTAKES, "version": PREVIOUS}),
        "/models/compare": Answer(compared),
    }
