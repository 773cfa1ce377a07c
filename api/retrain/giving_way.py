"""The processor for a run: what serving leaves of it."""

import logging
import os
from pathlib import Path

# The least that there is.
NICE = 19
AUTOGROUP = Path("/proc/self/autogroup")
log = logging.getLogger(__name__)


def give_way(group: Path = AUTOGROUP) -> None:
    """For a process in a session of its own, before it starts threads.

    Linux may share the processor out among sessions before it does so within them; niceness then
    counts only against processes of the same session, and as much again has to be said of the
    session. In a container both count within it alone; its own share is said where it is started.
    """
    os.nice(NICE)
    try:
        group.write_text(f"{NICE}")
    except OSError as error:  # Other systems have no such groups.
        log.info("No niceness for the session: %s", error)
