"""The API's endpoints of the history."""

from api_models import Explanation, HistoryItem, Prediction, PredictionPage
from client import ApiClient
from history import Search

_PATH = "/predictions"
# The most rows that the API lists at once.
MOST = 200
MOST_IN_WORKBOOK = 10_000


class HistoryClient:
    """Raises `ApiError` as `HttpClient` does."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def find(self, search: Search, after: str | None, limit: int) -> PredictionPage:
        """A page; `after` is the `next` of the previous page."""
        params = search.params() | {"limit": limit} | ({"after": after} if after else {})
        return self._api.call(PredictionPage, "GET", _PATH, params=params)

    def find_all(self, search: Search) -> list[HistoryItem]:
        """All pages."""
        items: list[HistoryItem] = []
        after = None
        while True:
            page = self.find(search, after, MOST)
            items += page.predictions
            after = page.next
            if after is None:
                return items

    def workbook(self, search: Search) -> bytes:
        """All search results as XLSX, at most MOST_IN_WORKBOOK photos."""
        params = search.params()
        return self._api.content(f"{_PATH}.xlsx", params=params)

    def get(self, prediction_id: str) -> HistoryItem:
        return self._api.call(HistoryItem, "GET", f"{_PATH}/{prediction_id}")

    def dismiss(self, prediction_id: str) -> None:
        """Say that its photo shows no fruit."""
        self._api.send("PUT", f"{_PATH}/{prediction_id}/dismissal")

    def take_back(self, prediction_id: str) -> None:
        """Take the dismissal back."""
        self._api.send("DELETE", f"{_PATH}/{prediction_id}/dismissal")

    def explain(self, item: HistoryItem, picture: bytes) -> Explanation | None:
        """Where the grader looked; only the version that graded the photo can say."""
        answer: Prediction = self._api.predict(
            item.filename or "photo.jpg", picture, explain=True, prediction_id=item.prediction_id
        )
        return answer.explanation


def photo_path(prediction_id: str) -> str:
    """The path of a graded photo at the API."""
    return f"{_PATH}/{prediction_id}/photograph"
