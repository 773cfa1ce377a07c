"""Evaluation: cross-validation, metrics, model comparison, plots."""
