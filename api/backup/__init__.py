"""Saving all that the service knows into a folder, and bringing it back."""
