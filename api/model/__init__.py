"""One model package: its files, its engine, its predictor, and the batcher in front of it."""
