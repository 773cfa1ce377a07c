"""Benchmarks: `make bench` and `make bench-pages`."""
