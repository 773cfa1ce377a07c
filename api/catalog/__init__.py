"""Training photos: upload, import, duplicates, relabelling, deletion."""
