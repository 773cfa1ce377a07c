"""Figures in sentences, written as the app writes them."""


def percent(share: float, digits: int = 1) -> str:
    """A share of one as a percentage with so many digits behind the point: "97.7 %"."""
    return f"{100 * share:.{digits}f} %"
