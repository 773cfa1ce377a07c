"""Retraining: runs, the queue, the worker that performs them, and registering the outcome."""
