"""The routes, one module per feature."""
