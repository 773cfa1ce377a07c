"""A value against its limit, as HTML: a page has several such bars, and Plotly charts are slow to
draw."""

from html import escape

from charts.style import HIGHLIGHT, MUTED, RING, WARNING

# The length of the scale, in thresholds, if the value is below the threshold.
_SCALE = 1.25
# Longer bars are cut here, so that the threshold stays visible.
_MAX_SCALE = 4.0
_HEIGHT = "1rem"
_LINE = "3px"


def threshold_bar(value: float, threshold: float, text: str) -> str:
    """The HTML of a horizontal bar for `value`, with a line at `threshold`, which is above 0.

    The part beyond the threshold has another colour. `text` says the same to people who cannot see
    the bar.
    """
    share = max(value, 0.0) / threshold
    end = min(max(_SCALE, share * 1.05), _MAX_SCALE)
    limit = f"{1 / end:.1%}"
    within, beyond = f"{min(share, 1) / end:.1%}", f"{min(share, end) / end:.1%}"
    line = f"{RING} {limit} calc({limit} + {_LINE}), transparent calc({limit} + {_LINE})"
    parts = f"{HIGHLIGHT} {within}, {WARNING} {within} {beyond}, {MUTED} {beyond}"
    style = (
        f"height: {_HEIGHT}; border-radius: 4px; background: "
        f"linear-gradient(to right, transparent {limit}, {line}), "
        f"linear-gradient(to right, {parts})"
    )
    return (
        f'<div class="threshold-bar" role="img" aria-label="{escape(text)}" style="{style}"></div>'
    )
