"""Insights into the data: balance, appearance, copies, embedding map, augmentation; reports."""
