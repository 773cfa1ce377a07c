"""The training photos: uploading, importing, duplicates, splits, deleting."""
