"""Pure values and functions: images, labels, splits, heads, metrics. Imports nothing of ours."""
