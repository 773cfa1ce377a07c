"""Scripted answers about a photo of several fruits."""

import json
from typing import Any

from tests.ui.fake_api import MODEL_INFO, PREDICTION, PROBABILITIES, Answer, FakeApi, problem
from tests.ui.fake_collect import sent_names

FINDING = MODEL_INFO | {"model_info": MODEL_INFO["model_info"] | {"finds_fruits": True}}
BOXES = "/predictions/4f1d/boxes"
NO_DETECTOR = problem(409, "The model in use cannot find single fruits.", "no-detector")


def instance(box: tuple[int, int, int, int], **changes: object) -> dict[str, Any]:
    names = ("x_min", "y_min", "x_max", "y_max")
    fields = ("predicted_class", "confidence", "fruit", "freshness", "freshness_level")
    graded = {name: PREDICTION[name] for name in (*fields, "freshness_score", "recognised")}
    found = {"box": dict(zip(names, box, strict=True)), "score": 0.9}
    return graded | found | {"probabilities": PROBABILITIES} | changes


ROTTEN = {"predicted_class": "rottenapples", "freshness": "rotten", "freshness_level": "rotten"}
TRAY = [
    instance((0, 0, 30, 30), freshness_score=0.98),
    instance((80, 60, 110, 90), freshness_score=0.02, **ROTTEN),
    instance((40, 30, 70, 60), freshness_score=0.6, freshness_level="past_best", confidence=0.55),
    instance((90, 0, 110, 20), recognised=False),
]


def tray_answer(instances: list[dict[str, Any]], **changes: object) -> dict[str, Any]:
    """The answer for a photo of 120 x 90 pixels with these fruits."""
    levels = [one["freshness_level"] for one in instances]
    summary = {
        "count": len(instances),
        "by_class": {},
        "by_level": {level: levels.count(level) for level in ("fresh", "past_best", "rotten")},
        "unrecognised": 0,
        "worst": None,
        "ungraded": 0,
    }
    added = {
        "image": {"width": 120, "height": 90},
        "instances": instances,
        "several": len(instances) > 1,
        "summary": summary,
    }
    return PREDICTION | added | changes


def boxes_answer(photograph: str) -> Answer:
    """The answer to a person's boxes."""
    messages = {
        "stored": "Noted: the photo is kept with 4 fruits; the next retraining learns from 1 "
        "of them.",
        "known": "This photo was uploaded with boxes. To change them: PUT /dataset/…",
    }
    body = {"prediction_id": "4f1d", "id": "b1", "width": 120, "height": 90, "complete": True}
    return Answer(body | {"boxes": [], "photograph": photograph, "message": messages[photograph]})


def script(api: FakeApi, instances: list[dict[str, Any]] | None = None) -> FakeApi:
    """Script a model that finds these fruits in each photo."""
    api.answers |= {
        "/model-info": Answer(FINDING),
        "/predict": Answer(PREDICTION),
        BOXES: boxes_answer("stored"),
        "/predict?instances=true": Answer(tray_answer(TRAY if instances is None else instances)),
    }
    return api


def batch_answer(body: bytes) -> Answer:
    """The response to a batch: files named "tray" show TRAY, the others one fruit."""
    lines: list[dict[str, Any]] = [
        tray_answer(TRAY if "tray" in name else TRAY[:1]) | {"index": index, "filename": name}
        for index, name in enumerate(sent_names(body))
    ]
    lines.append({"summary": {}})
    return Answer("\n".join(json.dumps(line) for line in lines), content_type="ndjson")
