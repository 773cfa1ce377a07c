"""Hostile file names and messages in every answer of the fake API."""

import json
from typing import Any

from tests.ui import (
    fake_collect,
    fake_history,
    fake_insights,
    fake_learning,
    fake_lots,
    fake_report,
    fake_thresholds,
)
from tests.ui.fake_api import Answer, FakeApi

# The first one once made a reviewer's browser load a foreign image.
EVIL = (
    "![x](http://foreign.example/x.png)<img src=http://foreign.example/y.png onerror=evil()>"
    "<script>evil()</script>[in](http://foreign.example) http://foreign.example www.foreign.example"
    " me@foreign.example **evil** $evil$ `evil` :red[evil] :smile: :streamlit: :material_home:"
)
# Fields whose text comes from outside or may quote such text.
FIELDS = {
    "filename",
    "message",
    "detail",
    "title",
    "interpretation",
    "story",
    "sentence",
    "reason",
    "reasons",
    "description",
    "photograph",
    "file",
    "split",
    "counts",
    "training",
    "latency",
    "lot",
    "supplier",
    "note",
}
# In these answers, the field of that name is a number or one of a fixed set of values.
FIXED = {
    ("images", "split"),
    ("points", "split"),
    ("uploaded_files", "split"),
    ("counts", "split"),
    ("items", "reason"),
    ("", "photograph"),
}


def with_evil(value: Any, parent: str = "", name: str = "") -> Any:
    """The answer with EVIL added to each text in FIELDS."""
    if isinstance(value, dict):
        return {key: with_evil(item, name or parent, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_evil(item, parent, name) for item in value]
    if isinstance(value, str) and name in FIELDS and (parent, name) not in FIXED:
        return f"{value} {EVIL}"
    return value


def script(api: FakeApi, photo: bytes) -> FakeApi:
    """Script answers for every page, with only hostile texts, a failed run and two versions."""
    fake_collect.script(api, photo)
    summary, images = api.answers["/dataset/summary"], api.answers["/dataset/images"]
    fake_report.script(api)
    fake_learning.script(api)
    model_info = api.answers["/model-info"]
    fake_lots.script(api, photo)
    fake_history.script(api, photo)
    api.answers["/model-info"] = model_info
    failed = fake_learning.RUN | {"state": "failed", "verdict": None, "candidate": None}
    api.answers |= {
        "/dataset/summary": summary,
        "/dataset/images": images,
        "/dataset/removed": Answer(fake_collect.REMOVED),
        "/retrain/estimate": Answer(fake_learning.ESTIMATE | {"champion": fake_insights.CHAMPION}),
        "/models": Answer(
            {
                "champion": fake_insights.CHAMPION,
                "rollback_to": fake_report.PREVIOUS,
                "models": [
                    fake_report.version(fake_insights.CHAMPION) | {"name": EVIL},
                    fake_report.version(fake_report.PREVIOUS, "retired") | {"name": EVIL},
                ],
            }
        ),
        f"/report/{fake_insights.CHAMPION}": Answer(
            fake_report.REPORT | {"comparison": fake_report.NETWORKS}
        ),
        fake_learning.THRESHOLDS_PATH: Answer(fake_learning.MODEL_THRESHOLDS),
        "/runs": fake_learning.runs(failed, fake_learning.RUN),
        "/suggestions": Answer({"suggestions": [fake_learning.SUGGESTION]}),
    }
    fake_thresholds.script(api, fake_insights.CHAMPION)
    for path, answer in api.answers.items():
        if isinstance(answer, Answer) and answer.content_type.endswith("json") and answer.body:
            api.answers[path] = Answer(with_evil(json.loads(answer.body)), answer.status)
    # One gallery photo and one queue photo cannot be shown, so their names appear instead.
    del api.answers[f"/dataset/images/{fake_collect.IDS[0]}/photograph"]
    del api.answers["/predictions/shoe/photograph"]
    return api
