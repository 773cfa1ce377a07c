"""Measurements, each a command of its own: see the Makefile."""
