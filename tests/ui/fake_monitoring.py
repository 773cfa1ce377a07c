"""Scripted answers of the endpoints behind the Monitoring page."""

from typing import Any

from tests.ui.fake_api import Answer, FakeApi

CHAMPION = "20261120-100000-aaaaaaa"
CANDIDATE = "20261121-100000-bbbbbbb"
CHANGES = [
    {
        "version": CHAMPION,
        "replaced": "20261119-100000-0000000",
        "kind": "gate",
        "at": "2026-11-20T10:00:05Z",
    },
    {
        "version": "20261119-100000-0000000",
        "replaced": None,
        "kind": "first",
        "at": "2026-11-19T10:00:00Z",
    },
]
STATUS: dict[str, Any] = {
    "api_status": "online",
    "model_loaded": True,
    "model_classes": ["freshapples", "rottenapples"],
    "total_predictions": 40,
    "uptime_seconds": 12300.0,
    "training_status": "idle",
    "catalog_problem": None,
    "storage_problem": None,
    "recording_problem": None,
    "model_problem": None,
    "last_model_update": None,
}
DRIFT: dict[str, Any] = {
    "model_version": CHAMPION,
    "drifted": True,
    "figures": [
        {
            "name": "embeddings",
            "value": 0.31,
            "threshold": 0.12,
            "sample_size": 500,
            "reference_size": 215,
            "enough": True,
            "drifted": True,
            "sentence": "The photos look different from those of the test.",
            "since": "2026-11-20T10:00:00Z",
        },
        {
            "name": "class_mix",
            "value": None,
            "threshold": None,
            "sample_size": 12,
            "reference_size": 215,
            "enough": False,
            "drifted": False,
            "sentence": "Too few predictions yet: 12 of at least 50.",
            "since": None,
        },
    ],
}
SUMMARY: dict[str, Any] = {
    "since": "2026-11-20T11:00:00Z",
    "until": "2026-11-21T11:00:00Z",
    "slice_seconds": 900,
    "predictions": 40,
    "slices": [
        {
            "start": "2026-11-21T10:00:00Z",
            "count": 40,
            "unrecognised": 4,
            "mean_confidence": 0.94,
            "by_class": {"freshapples": 30, "rottenapples": 10},
        },
        {
            "start": "2026-11-21T10:15:00Z",
            "count": 0,
            "unrecognised": 0,
            "mean_confidence": None,
            "by_class": {},
        },
    ],
    "latency": {"sample_size": 40, "p50_ms": 7.2, "p95_ms": 13.4, "p99_ms": 21.9},
    "failed_requests": 2,
    "model_changes": CHANGES,
}


ACCURACY: dict[str, Any] = {
    "versions": [
        {
            "model_version": CHAMPION,
            "sampled": 130,
            "answered": 100,
            "correct": 80,
            "accuracy": 0.8,
            "low": 0.711,
            "high": 0.867,
            "held_out": 0.977,
            "below_held_out": False,
        },
        {
            "model_version": CANDIDATE,
            "sampled": 5,
            "answered": 0,
            "correct": 0,
            "accuracy": None,
            "low": 0,
            "high": 1,
            "held_out": None,
            "below_held_out": False,
        },
    ]
}


def script(api: FakeApi) -> None:
    api.answers |= {
        "/status": Answer(STATUS),
        "/drift": Answer(DRIFT),
        "/monitoring/summary": Answer(SUMMARY),
        "/monitoring/accuracy": Answer(ACCURACY),
    }
