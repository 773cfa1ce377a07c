"""Parts of the Dataset insights page."""
