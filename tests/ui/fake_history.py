"""Scripted answers of the history: a page of three photos, a second page with one more, a batch."""

from typing import Any

from tests.ui.fake_api import MODEL_INFO, PREDICTION, Answer, FakeApi
from tests.ui.fake_lots import ID as LOT_ID

LIST = "/predictions"
APPLE, TRAY, CAT, OLD = (letter * 32 for letter in "abcd")
CURSOR = "second-page"
BATCH = "7" * 32
_UNSET = ("instances", "image", "summary", "batch_id", "inspection_id", "lot")


def item(prediction_id: str, **changes: Any) -> dict[str, Any]:
    base = {name: value for name, value in PREDICTION.items() if name != "prediction"}
    base |= dict.fromkeys((*_UNSET, "label", "dismissed_at", "several"))
    return base | {
        "prediction_id": prediction_id,
        "filename": f"{prediction_id[:1]}.jpg",
        "photograph_kept": True,
        **changes,
    }


ITEMS = {
    APPLE: item(APPLE, filename="apple.jpg"),
    TRAY: item(TRAY, filename="lot.jpg", inspection_id=LOT_ID, lot="A-17", label="rottenapples"),
    CAT: item(CAT, filename="cat.jpg", recognised=False, photograph_kept=False),
    OLD: item(OLD, filename="old.jpg", predicted_class="rottenapples", freshness="rotten"),
}


def page_of(*items: dict[str, Any], following: str | None = None, total: int = 0) -> Answer:
    shown = list(items)
    body = {"total": total or len(shown), "offset": 0, "limit": 20, "next": following}
    return Answer(body | {"predictions": shown})


def script(api: FakeApi, photo: bytes) -> None:
    """Script two pages, with three photos and one."""
    first = page_of(*(ITEMS[one] for one in (APPLE, TRAY, CAT)), following=CURSOR, total=4)
    api.answers |= {
        "/model-info": Answer(MODEL_INFO),
        LIST: first,
        f"{LIST}?order=newest&limit=20&after={CURSOR}": page_of(ITEMS[OLD], total=4),
    }
    for prediction_id, each in ITEMS.items():
        api.answers[f"{LIST}/{prediction_id}"] = Answer(each)
        api.answers[f"{LIST}/{prediction_id}/photograph"] = Answer(photo, content_type="image/jpeg")
        api.answers[f"{LIST}/{prediction_id}/dismissal"] = Answer("", 204)
