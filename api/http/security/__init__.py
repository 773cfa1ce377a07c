"""Authentication, permissions and rate limits, all checked before a body is read."""
