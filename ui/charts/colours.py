"""Colours that stand out on the light and on the dark background alike."""

HIGHLIGHT = "#3f9a66"
MUTED = "rgba(128, 138, 131, 0.45)"
