"""Grading a folder or a bucket of photos into one table."""
