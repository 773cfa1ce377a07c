"""The routes, one module for each feature."""
