"""Model packages: what a trained grader is on disk."""
