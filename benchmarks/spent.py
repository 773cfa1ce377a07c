"""What a process has taken of the machine, as Linux tells it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Spent:
    """Of one process that runs."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def seconds(self) -> float:
        """Of processor time, in all its threads."""
        # The name in the second field may hold spaces.
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> float:
        """MiB resident now."""
        return self._status("VmRSS")

    @property
    def peak(self) -> float:
        """MiB resident at most, since it began or since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) / 1024
