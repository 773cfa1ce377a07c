"""Where fresh ends and rotten begins, as the people here want it."""
