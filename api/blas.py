"""How many threads a product of NumPy's takes: one, where photographs are graded side by side."""

import os

# OpenBLAS reads it when NumPy is imported. On all cores, the few products of each photograph would
# wait for each other, and for the cores on which others are graded.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def keep_to_one_thread() -> None:
    """For this process, where NumPy is not imported yet, and for those that it starts.

    What the environment says otherwise stays.
    """
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
