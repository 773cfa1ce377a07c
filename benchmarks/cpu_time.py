"""CPU time and memory of processes, from /proc."""

import os
from pathlib import Path

from playwright.sync_api import BrowserContext

_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessUsage:
    """Usage of one running process."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of all its threads."""
        # The name in the second field may contain spaces.
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        return self._status("VmRSS")

    @property
    def peak(self) -> float:
        """Peak resident memory in MiB since the start or the last `reset_peak`."""
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) / 1024


class BrowserUsage:
    """Usage of all processes of a browser; some of them end with their pages."""

    def __init__(self, context: BrowserContext) -> None:
        if context.browser is None:
            raise ValueError("The context has a browser of its own.")
        self._session = context.browser.new_browser_cdp_session()
        self._before: dict[int, float] = {}

    def begin(self) -> None:
        self._before = self._seconds()

    @property
    def since(self) -> float:
        """CPU seconds since `begin`."""
        return sum(now - self._before.get(pid, 0.0) for pid, now in self._seconds().items())

    def _seconds(self) -> dict[int, float]:
        found = self._session.send("SystemInfo.getProcessInfo")["processInfo"]
        return {process["id"]: process["cpuTime"] for process in found}
