"""Retraining: runs, their queue and worker process, and how a candidate model is made."""
