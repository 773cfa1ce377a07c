"""Parts of the Training data page."""
