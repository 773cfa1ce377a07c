"""What the data looks like: balance, freshness, looks, copies, a map, and augmentation."""
