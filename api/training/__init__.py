"""Training: corpus, augmentation, fine-tuning, heads, export. Knows nothing of the service."""
