"""The tests: packages mirror those of `api/` and `ui/`."""

import os

# As the API and the worker do. With two test processes on two cores, an eigh of 1280 x 1280 takes
# 0.4 CPU seconds with one BLAS thread and 5 with two, which spin while they wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
