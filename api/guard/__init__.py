"""Who may do what, how often, and what browsers are told: looked at before anything is read."""
