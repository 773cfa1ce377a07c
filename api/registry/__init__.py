"""Model registry: versions, their packages, the promotion gate, and which version serves."""
