"""Progress in the terminal."""

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T_co = TypeVar("T_co", covariant=True)


class Countable(Sized, Iterable[T_co], Protocol[T_co]):
    """An iterable with a length."""


class Show:
    """Prints messages and progress bars to stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def over(self, steps: Countable[T_co], title: str) -> Iterator[T_co]:
        """Iterate over `steps` with a progress bar and the remaining time."""
        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console) as progress:
            yield from progress.track(steps)
