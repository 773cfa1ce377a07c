"""Progress callbacks for long-running work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Called with the stage, the items done and their total.
Progress = Callable[[str, int, int], None]
# Called with the metrics of each training epoch.
OnEpoch = Callable[[dict[str, float]], None]


def silent(*_: object) -> None:
    """A `Progress` or `OnEpoch` that reports nothing."""


@contextmanager
def terminal() -> Iterator[Progress]:
    """A progress bar on the terminal for each stage."""
    from rich import progress as bars  # noqa: PLC0415  (not needed for serving)
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
