"""The tests: packages mirror those of `api/` and `ui/`.

The environment that all tests share is set here, before any project module reads its settings.
Benchmarks and scripts, which use drawings and helpers from here, keep their own environment.
"""

import os

if "PYTEST_VERSION" in os.environ:
    # As the API and the worker do. With two test processes on two cores, an eigh of 1280 x 1280
    # takes 0.4 CPU seconds with one BLAS thread and 5 with two, which busy-wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The engine of all tests and the processes they start, because its answers are the same on
    # every processor. RIPELINE_ENGINE=auto or openvino runs the tests with another.
    os.environ.setdefault("RIPELINE_ENGINE", "litert")
    # Avoids calling git for each package that a test makes.
    os.environ.setdefault("RIPELINE_REVISION", "tested")
