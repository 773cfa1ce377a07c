"""Colours that stand out on the light and on the dark background alike."""

HIGHLIGHT = "#3f9a66"
MUTED = "rgba(128, 138, 131, 0.45)"
RING = "#8a948c"
WARNING = "#cf7a2f"
# One after the other, for series that are neither good nor bad.
SERIES = (
    "#3f9a66",
    "#cf7a2f",
    "#5b8ecb",
    "#b5607f",
    "#8a7fc0",
    "#4da39d",
    "#a08c3a",
    "#a06f55",
)
