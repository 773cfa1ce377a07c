"""Many files on their way to the API, in the background."""
