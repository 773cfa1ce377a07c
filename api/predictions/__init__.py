"""Graded photos: single and batch, recording, history, feedback, freshness thresholds."""
