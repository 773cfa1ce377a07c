"""Sends files to the API in batches in the background, and collects the results."""
