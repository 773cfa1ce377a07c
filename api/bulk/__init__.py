"""Grading a folder or a bucket of photographs from the command line, into one table."""
