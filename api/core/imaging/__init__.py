"""Image files: decode, resize, hash, and strip metadata."""
