"""Names of the first release that scripts still use."""
