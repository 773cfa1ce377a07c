"""Saving all that the service stores into a folder, and restoring it."""
