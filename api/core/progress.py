"""How long work tells whoever waits for it how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Called with what is being done, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]
# Called with the figures of each epoch of a training, once it is over.
OnEpoch = Callable[[dict[str, float]], None]


def silent(_stage: str, _done: int, _total: int) -> None:
    """For callers who do not wait."""


def unheard(_figures: dict[str, float]) -> None:
    """For callers who do not follow the epochs."""


@contextmanager
def terminal() -> Iterator[Progress]:
    """Show a bar with time spent and time left for each stage on the terminal."""
    from rich import progress as bars  # noqa: PLC0415  (serving does without it)
    from rich.text import Text  # noqa: PLC0415

    class Rate(bars.ProgressColumn):
        def render(self, task: bars.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.0f}/s" if speed else "")

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        Rate(),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns) as display:
        tasks: dict[str, bars.TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = display.add_task(stage, total=total)
            display.update(tasks[stage], completed=done, total=total)

        yield report
