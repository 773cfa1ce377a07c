"""Benchmarks: `make bench` and `make bench-pages`."""

from api.core.process_tuning import keep_to_one_thread

# As in the API, before NumPy is imported: parts that grade in this process are pinned to one core,
# where several OpenBLAS threads would wait for each other.
keep_to_one_thread()
