"""Who may do what, how often, and what browsers are told: checked before a body is read."""
