"""Parts of the Model report page."""
