"""What starts a retraining by itself: each trigger a small rule in a file of its own."""
