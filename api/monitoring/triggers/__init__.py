"""What starts a retraining by itself."""
