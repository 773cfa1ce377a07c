"""Watching what is served: drift, and the rules that start a retraining."""
