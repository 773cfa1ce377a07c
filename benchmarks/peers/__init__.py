"""Servers to compare with, each built as its documentation recommends."""
