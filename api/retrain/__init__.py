"""Retraining: runs, the worker that does them, and what becomes of their outcome."""
