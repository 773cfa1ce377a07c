"""A person's position in the history: the page, and the photo on it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from api_models import PredictionPage
from history import Search

# Loads the page that begins after a cursor.
Load = Callable[[str | None], PredictionPage]


@dataclass
class Walk:
    """The pages of a search, up to the one after the open page.

    `cursors` are where they begin, `place` is the page that is open, and `ids` are its photos.
    """

    search: Search
    cursors: list[str | None] = field(default_factory=lambda: [None])
    place: int = 0
    ids: list[str] = field(default_factory=list)

    @property
    def after(self) -> str | None:
        """The cursor of the open page; None for the first."""
        return self.cursors[self.place]

    @property
    def has_more(self) -> bool:
        """Whether there is a page after this one."""
        return self.place + 1 < len(self.cursors)

    def see(self, page: PredictionPage) -> None:
        """Keep the shown page. Later cursors are dropped, since dismissals may have shifted those
        pages."""
        self.ids = [item.prediction_id for item in page.predictions]
        self.cursors = self.cursors[: self.place + 1] + ([page.next] if page.next else [])

    def turn(self, pages: int) -> None:
        self.place = min(max(0, self.place + pages), len(self.cursors) - 1)

    def has_next(self, opened: str) -> bool:
        return opened in self.ids and (opened != self.ids[-1] or self.has_more)

    def has_previous(self, opened: str) -> bool:
        return opened in self.ids and (opened != self.ids[0] or self.place > 0)

    def next(self, opened: str, load: Load) -> str:
        """The photo after `opened`, perhaps on the next page; `opened` itself if it is the last."""
        if not self.has_next(opened):
            return opened
        if opened != self.ids[-1]:
            return self.ids[self.ids.index(opened) + 1]
        self._open(self.place + 1, load)
        return self.ids[0] if self.ids else opened

    def previous(self, opened: str, load: Load) -> str:
        """The photo before `opened`, perhaps on the previous page; `opened` itself if it is the
        first."""
        if not self.has_previous(opened):
            return opened
        if opened != self.ids[0]:
            return self.ids[self.ids.index(opened) - 1]
        self._open(self.place - 1, load)
        return self.ids[-1] if self.ids else opened

    def _open(self, place: int, load: Load) -> None:
        """Turn to the page at `place`. If it cannot be loaded, the open page stays."""
        page = load(self.cursors[place])
        self.place = place
        self.see(page)
