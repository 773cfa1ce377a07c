"""Scripted answers of the endpoints behind the pages Retrain and Monitoring."""

from typing import Any

from tests.ui import fake_monitoring, fake_thresholds
from tests.ui.fake_api import Answer, FakeApi
from tests.ui.fake_monitoring import CHANGES

CHAMPION, CANDIDATE = fake_monitoring.CHAMPION, fake_monitoring.CANDIDATE
RUN_ID = "0123456789abcdef0123456789abcdef"
THRESHOLDS_PATH = "/freshness-thresholds"
_THRESHOLDS = {"rotten_below": 0.3, "fresh_from": 0.7}
MODEL_THRESHOLDS: dict[str, Any] = {**_THRESHOLDS, "set_by": "model", "model": _THRESHOLDS}

ESTIMATE: dict[str, Any] = {
    "champion": CHAMPION,
    "fast_seconds": 11.6,
    "full_seconds": 546.0,
    "detector_seconds": 170.0,
    "photographs": 3455,
    "new": 60,
    "new_by_class": {"kiwi": 42, "freshapples": 18},
    "left_out": {},
    "unreadable": [],
    "relabelled": 2,
    "removed": 1,
    "boxed_photos": 0,
}
NOTHING_NEW = ESTIMATE | {"new": 0, "new_by_class": {}, "relabelled": 0, "removed": 0}


def paired(photographs: int, champion: int, candidate: int) -> dict[str, int]:
    """Two models on the same photos, as in the API."""
    lost = max(0, champion - candidate)
    return {
        "photographs": photographs,
        "champion_right": champion,
        "lost": lost,
        "won": candidate - champion + lost,
    }


FIGURES: dict[str, Any] = {
    "overall": paired(215, 210, 211),
    "recognised": paired(215, 213, 213),
    "per_class": {"freshapples": paired(100, 98, 99), "rottenapples": paired(115, 112, 112)},
    "macro_f1": {"champion": 0.98, "candidate": 0.985},
    "calibration_error": {"champion": 0.014, "candidate": 0.013},
    "others_let_through": None,
    "milliseconds": {"champion": 6.1, "candidate": 6.2},
    "new_classes": {
        "kiwi": {"left_out": 34, "left_out_right": 33, "held_out": 8, "held_out_right": 8}
    },
    "new_labels": {},
}
PASSED = {
    "promote": True,
    "reasons": ["It has 211 of 215 held-out photographs right; the champion has 210."],
    "figures": FIGURES,
}
NOT_PASSED = {
    "promote": False,
    "reasons": ["It is worse on freshapples: 90 of 100.", "Its confidence can be believed less."],
    "figures": FIGURES,
}
RUN: dict[str, Any] = {
    "run_id": RUN_ID,
    "mode": "fast",
    "options": {},
    "started_by": "manual",
    "state": "succeeded",
    "stage": "Registering the candidate",
    "message": f"Version {CANDIDATE} is better or as good, and serves.",
    "progress": 100.0,
    "eta_seconds": None,
    "losses": [],
    "cancel_requested": False,
    "candidate": CANDIDATE,
    "verdict": PASSED,
    "created_at": "2026-11-21T10:00:00Z",
    "started_at": "2026-11-21T10:00:01Z",
    "finished_at": "2026-11-21T10:00:13Z",
}
RUNNING = RUN | {
    "mode": "full",
    "state": "running",
    "stage": "Fine-tuning",
    "message": "Fine-tuning (310 of 775).",
    "progress": 40.0,
    "eta_seconds": 312.0,
    "losses": [
        {"epoch": 1, "loss": 0.91, "accuracy": 0.7, "val_loss": 0.52, "val_accuracy": 0.85},
        {"epoch": 2, "loss": 0.43, "accuracy": 0.88, "val_loss": 0.31, "val_accuracy": 0.92},
    ],
    "candidate": None,
    "verdict": None,
    "finished_at": None,
}


def version(name: str, status: str, accuracy: float | None, **more: object) -> dict[str, Any]:
    """A model version as the API lists it."""
    return {
        "version": name,
        "status": status,
        "created_at": "2026-11-20T10:00:00Z",
        "registered_at": "2026-11-20T10:00:05Z",
        "origin": "fast",
        "parent": None,
        "started_by": "manual",
        "run_id": None,
        "name": "",
        "note": "",
        "classes": ["freshapples", "rottenapples"],
        "metrics": {
            "split": "test",
            "files": 520,
            "photographs": 215,
            "macro_f1": accuracy,
            "accuracy": accuracy,
            "expected_calibration_error": 0.014,
        },
        "data": {"files": 3395, "photographs": 1391, "boxed": 0, "sha256": "ab"},
        "recipe": {},
        "verdict": None,
        **more,
    }


MODELS: dict[str, Any] = {
    "champion": CHAMPION,
    "rollback_to": "20261119-100000-0000000",
    "models": [
        version(CANDIDATE, "challenger", 0.97, verdict=NOT_PASSED, parent=CHAMPION),
        version(CHAMPION, "champion", 0.983, parent="20261119-100000-0000000"),
        version("20261119-100000-0000000", "retired", None, origin="shipped", started_by="start"),
        version("20261118-100000-9999999", "pruned", 0.95),
    ],
}
COMPARE = {
    "a": MODELS["models"][1],
    "b": MODELS["models"][0],
    "per_class": [],
    "same_data": False,
    "figures": [
        {"name": "macro_f1", "better": "higher", "a": 0.98, "b": 0.97, "difference": -0.01},
        {"name": "known_rejected", "better": "lower", "a": 0.01, "b": None, "difference": None},
    ],
}


def trigger(name: str, **more: object) -> dict[str, Any]:
    """A trigger as the API lists it."""
    return {
        "name": name,
        "description": f"Fires when {name} says so.",
        "unit": "images",
        "value": None,
        "threshold": None,
        "lowest": None,
        "highest": None,
        "mode": "suggest",
        "enabled": True,
        "cooldown_hours": 24.0,
        "schedule": None,
        "last_fired_at": None,
        "last_run_id": None,
        "would_fire": False,
        "reason": f"Nothing to say of {name}.",
        "suggestion": None,
        **more,
    }


SUGGESTION: dict[str, Any] = {
    "suggestion_id": "fedcba9876543210fedcba9876543210",
    "trigger": "new-images",
    "state": "open",
    "reason": "1200 training images are new since the current version.",
    "value": 1200.0,
    "threshold": 1000.0,
    "unit": "images",
    "model_version": CHAMPION,
    "created_at": "2026-11-21T10:00:00Z",
    "ended_at": None,
    "run_id": None,
}


TRIGGERS: dict[str, Any] = {
    "triggers": [
        trigger("drift", unit="times", value=None, threshold=1.0, lowest=0.1, highest=100.0),
        trigger("new-images", value=60.0, threshold=1000.0, lowest=1.0, highest=1000000.0),
        trigger(
            "schedule",
            schedule="weekly",
            last_fired_at="2026-11-16T03:00:00Z",
            last_run_id=RUN_ID,
            mode="off",
            enabled=False,
        ),
        trigger("manual", mode="off", enabled=False),
    ]
}
STARTED = {
    "message": "Queued.",
    "status": "queued",
    "run_id": RUN_ID,
    "timestamp": "2026-11-21T10:00:00Z",
}


def runs(*listed: dict[str, Any]) -> Answer:
    """The answer of `/runs`, the newest first."""
    return Answer({"total": len(listed), "runs": list(listed)})


def script(api: FakeApi) -> FakeApi:
    """Script every endpoint of the two pages: new photos, no run yet."""
    api.answers |= {
        "/retrain/estimate": Answer(ESTIMATE),
        "/runs": runs(),
        "/models": Answer(MODELS),
        "/models/history": Answer({"promotions": CHANGES}),
        "/models/compare": Answer(COMPARE),
        "/triggers": Answer(TRIGGERS),
        "/suggestions": Answer({"suggestions": []}),
        "/retrain": Answer(STARTED, 202),
    }
    fake_monitoring.script(api)
    fake_thresholds.script(api, CHAMPION)
    return api
