"""Monitoring: drift, the summary of recent predictions, and triggers of retraining."""
