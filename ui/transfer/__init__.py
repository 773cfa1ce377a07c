"""Files on their way to the API: in batches, in the background, and what comes back."""
