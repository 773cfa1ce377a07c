"""Parts of the Inspections page."""
