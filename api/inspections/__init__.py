"""Inspections of lots: their photos, fruits, verdicts and reports."""
