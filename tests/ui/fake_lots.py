"""Scripted answers about inspections of lots."""

from typing import Any

from tests.ui.fake_api import Answer, FakeApi
from tests.ui.fake_tray import FINDING

LIST = "/inspections"
ID, PHOTO_ID, OTHER_ID = "1" * 32, "a" * 32, "b" * 32
LOT, PHOTOS = f"{LIST}/{ID}", f"{LIST}/{ID}/photos"
REMOVED, REMOVED_PHOTOS = "/removed-inspections", f"{LOT}/removed-photos"
NEW: dict[str, Any] = {
    "id": ID,
    "lot": "A-17",
    "supplier": "Hofgut Lindau",
    "kind": "apple",
    "max_rotten": 0.05,
    "max_past_best": 0.1,
    "confidence": 0.95,
    "created_at": "2026-11-29T10:00:00Z",
    "photos": 0,
    "same_asked": 0,
    "counts": {"fresh": 0, "past_best": 0, "rotten": 0, "unknown": 0},
    "shares": [],
    "verdict": {
        "decision": "more",
        "more": 88,
        "over": [],
        "message": "Photograph about 88 fruits, from all parts of the lot.",
    },
}


def _share(level: str, count: int, limit: float | None) -> dict[str, Any]:
    return {
        "level": level,
        "count": count,
        "share": count / 3,
        "low": 0.01,
        "high": 0.9,
        "limit": limit,
    }


BEGUN = NEW | {
    "photos": 1,
    "counts": {"fresh": 1, "past_best": 1, "rotten": 1, "unknown": 1},
    "shares": [_share("rotten", 1, 0.05), _share("past_best", 1, 0.1), _share("fresh", 1, None)],
    "verdict": NEW["verdict"]
    | {"more": 12, "message": "Photograph about 12 more fruits to be sure."},
}


def fruit(number: int, level: str | None, **changes: object) -> dict[str, Any]:
    x = 30 * (number - 1)
    return {
        "photo_id": PHOTO_ID,
        "number": number,
        "box": {"x_min": x, "y_min": 0, "x_max": x + 25, "y_max": 30},
        "level": level,
        "said": None,
        "added": False,
        "predicted_class": "rottenapples" if level == "rotten" else "freshapples",
        "confidence": 0.91,
        "recognised": level is not None,
        "freshness_score": 0.5,
        "freshness_level": level or "fresh",
    } | changes


FRUITS = [fruit(1, "rotten"), fruit(2, "past_best"), fruit(3, None), fruit(4, "fresh")]
PHOTO: dict[str, Any] = {
    "id": PHOTO_ID,
    "number": 1,
    "filename": "crate.jpg",
    "created_at": "2026-11-29T10:00:00Z",
    "model_version": "v1",
    "width": 120,
    "height": 90,
    "photograph_kept": True,
    "ungraded": 0,
    "same_as": None,
    "counted": True,
    "answered": False,
    "fruits": FRUITS,
}

_TIMES = {"removed_at": "2026-11-29T11:00:00Z", "kept_until": "2026-12-06T11:00:00Z"}
REMOVED_LOT = {"id": ID, "lot": "A-17", "supplier": "Hofgut Lindau", "photos": 2} | _TIMES
REMOVED_PHOTO = {"id": PHOTO_ID, "number": 1, "filename": "crate.jpg", "fruits": 4} | _TIMES


def page_of(name: str, items: list[dict[str, Any]]) -> Answer:
    return Answer({"total": len(items), "offset": 0, "limit": 50, name: items})


def removed_of(name: str, items: list[dict[str, Any]], kept_days: float = 7.0) -> Answer:
    page = {"total": len(items), "offset": 0, "limit": 200, "kept_days": kept_days}
    return Answer(page | {name: items})


def script(
    api: FakeApi,
    photo: bytes,
    inspection: dict[str, Any] = BEGUN,
    photos: list[dict[str, Any]] | None = None,
) -> None:
    """Script the given inspection with these photos of four fruits each."""
    shown = [PHOTO] if photos is None else photos
    picture = Answer(photo, content_type="image/jpeg")
    api.answers |= {
        "/model-info": Answer(FINDING),
        LIST: page_of("inspections", [inspection]),
        REMOVED: removed_of("inspections", []),
        LOT: Answer(inspection),
        REMOVED_PHOTOS: removed_of("photos", []),
        PHOTOS: page_of("photos", shown),
        f"{LOT}/fruits": page_of("fruits", FRUITS if shown else []),
        f"/predictions/{PHOTO_ID}/photograph": picture,
        f"/predictions/{OTHER_ID}/photograph": picture,
    }
    for number in range(1, 6):
        api.answers[f"{PHOTOS}/{PHOTO_ID}/fruits/{number}"] = Answer(PHOTO)
