"""Scripted answers of the endpoints behind the pages Predict (many photos) and Training data."""

import json
import re
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from tests.ui.fake_api import PREDICTION, Answer, FakeApi

_NO_FRESHNESS = {"freshness": None, "freshness_score": None, "freshness_level": None}
IDS = ["1" * 32, "2" * 32, "3" * 32]
SUMMARY: dict[str, Any] = {
    "images": 3,
    "by_class": {"freshapples": 2, "kiwi": 1},
    "by_split": {"train": 2, "test": 1},
    "by_origin": {"upload": 2, "feedback": 1},
    "newest_upload": "2026-11-21T10:00:00Z",
    "new_images": 3,
    "photographs": {
        "total": 2010,
        "by_class": {"freshapples": {"train": 1500}, "rottenapples": {"test": 510}},
    },
}
EMPTY_SUMMARY = SUMMARY | {"images": 0, "by_class": {}, "new_images": 0}
IMAGES: dict[str, Any] = {
    "total": 3,
    "offset": 0,
    "limit": 24,
    "images": [
        {
            "id": image_id,
            "class_name": class_name,
            "split": "train",
            "origin": "upload",
            "filename": f"{image_id[0]}.jpg",
            "width": 640,
            "height": 480,
            "bytes": 9000,
            "sha256": "ab",
            "photograph": "p1",
            "created_at": "2026-11-21T10:00:00Z",
        }
        for image_id, class_name in zip(IDS, ("freshapples", "freshapples", "kiwi"), strict=True)
    ],
}
QUEUE: dict[str, Any] = {
    "items": [
        {
            "prediction_id": name,
            "timestamp": "2026-11-21T10:00:00Z",
            "filename": f"{name}.jpg",
            "confidence": 0.51,
            "predicted_class": "rottenapples",
            "probabilities": {"rottenapples": 0.51, "freshapples": 0.49},
            "recognised": reason == "unsure",
            "model_version": "2026.11.21-1",
            "inference_time_ms": 7.3,
            "photograph_kept": True,
            "suggested_label": "rottenapples",
            "reason": reason,
            "photograph_url": f"/predictions/{name}/photograph",
        }
        for name, reason in (("shoe", "unrecognised"), ("apple", "unsure"), ("pear", "unsure"))
    ]
}
FEEDBACK = {
    "prediction_id": "4f1d",
    "label": "rottenapples",
    "correct": False,
    "photograph": "stored",
    "image_id": IDS[0],
    "message": "Noted: the photo is a training image of rottenapples.",
}


NONE_REMOVED: dict[str, Any] = {
    "total": 0,
    "offset": 0,
    "limit": 200,
    "kept_days": 7.0,
    "photos": [],
}


REMOVED = NONE_REMOVED | {
    "total": 2,
    "photos": [
        {
            "id": name * 32,
            "kind": kind,
            "filename": f"{name}.jpg",
            "class_name": "kiwi" if kind == "image" else None,
            "removed_at": "2026-11-21T10:00:00Z",
            "kept_until": "2026-11-28T10:00:00Z",
        }
        for name, kind in (("a", "image"), ("b", "boxed"))
    ],
}


def sent_names(body: bytes) -> list[str]:
    """The file names in a form; for a zip, its name followed by the path of each entry."""
    names = []
    for part in body.split(b"\r\n--"):
        head, _, data = part.partition(b"\r\n\r\n")
        match = re.search(rb'filename="([^"]+)"', head)
        if match is None:
            continue
        name = match[1].decode()
        if data.startswith(b"PK"):
            with ZipFile(BytesIO(data)) as archive:
                names += [f"{name}/{entry}" for entry in archive.namelist()]
        else:
            names.append(name)
    return names


def sent_class(body: bytes) -> str | None:
    """The class named in a form, if any."""
    match = re.search(rb'name="class_name"\r\n\r\n([^\r]*)\r\n', body)
    return match[1].decode() if match else None


def batch_answer(body: bytes) -> Answer:
    """The response to a batch, by file name: "bad" is an error, "shoe" is not recognised, "rotten"
    is rotten, "old" is past its best and "kiwi" has no freshness.
    """
    lines: list[dict[str, Any]] = []
    for index, name in enumerate(sent_names(body)):
        common = {"index": index, "filename": name}
        if "bad" in name:
            lines.append(common | {"error": {"detail": "This is no photo."}})
        else:
            rotten = {"predicted_class": "rottenapples", "freshness": "rotten"}
            changes: dict[str, Any] = (
                rotten | {"freshness_level": "rotten"} if "rotten" in name else {}
            )
            if "old" in name:
                changes = {"freshness_level": "past_best"}
            if "kiwi" in name:
                changes = {"predicted_class": "kiwi", "fruit": "kiwi"} | _NO_FRESHNESS
            lines.append(PREDICTION | common | changes | {"recognised": "shoe" not in name})
    lines.append({"summary": {"count": len(lines)}})
    return Answer("\n".join(json.dumps(line) for line in lines), content_type="ndjson")


def upload_answer(body: bytes) -> Answer:
    """The response to an upload, by file name: "bad" is rejected and "again" is a duplicate."""
    class_name = sent_class(body)
    report: dict[str, Any] = {
        "uploaded_count": 0,
        "uploaded_files": [],
        "duplicates": [],
        "errors": [],
        "class_name": class_name,
        "timestamp": "2026-11-21T10:00:00Z",
    }
    for name in sent_names(body):
        label = class_name or name.split("/")[-2]
        if "bad" in name:
            error = {"code": "unreadable", "detail": "This is no photo."}
            report["errors"].append({"filename": name} | error)
        elif "again" in name:
            duplicate = {
                "filename": name,
                "kind": "exact",
                "class_name": label,
                "message": f"This file is known already, as {label}.",
                "of": "p1",
                "image_id": None,
            }
            report["duplicates"].append(duplicate)
        else:
            stored = {"id": IDS[0], "photograph": "p1", "class_name": label, "split": "train"}
            report["uploaded_files"].append({"filename": name} | stored)
            report["uploaded_count"] += 1
    return Answer(report)


def script(api: FakeApi, photo: bytes) -> FakeApi:
    """Script every endpoint of the two pages."""
    image = Answer(photo, content_type="image/jpeg")
    api.answers |= {
        "/predict/batch": batch_answer,
        "/predictions/4f1d/feedback": Answer(FEEDBACK),
        "/upload-training-data": upload_answer,
        "/dataset/summary": Answer(SUMMARY),
        "/dataset/images": Answer(IMAGES),
        "/dataset/images/relabel": Answer(
            {
                "relabelled": 2,
                "class_name": "kiwi",
                "missing": [],
                "former": {"freshapples": IDS[:2]},
            }
        ),
        "/dataset/images/remove": Answer({"removed": 2, "missing": [], "kept_days": 7.0}),
        "/dataset/removed": Answer(NONE_REMOVED),
        "/dataset/removed/restore": Answer({"restored": 2, "known": [], "missing": []}),
        "/review-queue": Answer(QUEUE),
        **{f"/dataset/images/{image_id}/photograph": image for image_id in IDS},
        **{item["photograph_url"]: image for item in QUEUE["items"]},
    }
    return api


def zipped(entries: dict[str, bytes]) -> bytes:
    """A zip of files by path."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for path, data in entries.items():
            archive.writestr(path, data)
    return file.getvalue()
