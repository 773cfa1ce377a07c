"""Model packages, their versions, and which of them serves."""
