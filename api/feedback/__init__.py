"""What people say of predictions, and which of them they should be asked about."""
