"""Photographs and their labels: reading folders, telling copies apart, splitting honestly."""
