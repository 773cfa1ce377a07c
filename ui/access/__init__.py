"""Who may use the app."""
