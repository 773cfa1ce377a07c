"""Handing work to another process."""
