"""A process that performs a run ends with the worker that started it, however that ends."""

import os
import threading

POLL_SECONDS = 0.5
# Nobody reads it: the process that would is gone.
STATUS = 1


def end_with(parent: int) -> None:
    """End this process soon after `parent`, the process that started it, has ended.

    By looking, and not by a signal, so that it works on every Unix; whoever has lost the parent has
    another one.
    """

    def watch() -> None:
        waiting = threading.Event()
        while os.getppid() == parent:
            waiting.wait(POLL_SECONDS)
        os._exit(STATUS)

    threading.Thread(target=watch, name="parent", daemon=True).start()
