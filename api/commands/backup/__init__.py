"""Saving everything that the service stores to a folder, and restoring it."""
