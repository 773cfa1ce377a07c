"""Model packages: what a trained grader is on disk, and which one serves."""
