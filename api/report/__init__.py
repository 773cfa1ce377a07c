"""What was measured of the recipe, which no package holds."""
