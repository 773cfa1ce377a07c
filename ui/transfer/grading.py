"""The CSV of graded photos, where scripts of the first release find it."""

from batch_grading import Graded, as_csv

__all__ = ["Graded", "as_csv"]
