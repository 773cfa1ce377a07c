"""Figures and names in sentences, written as the app writes them."""

from api.core.labels import read_label


def percent(share: float, digits: int = 1) -> str:
    """A share of one as a percentage with so many digits behind the point: "97.7 %"."""
    return f"{100 * share:.{digits}f} %"


def words(class_name: str) -> str:
    """`rottenapples` is "rotten apple"."""
    return read_label(class_name).words


def share(part: float) -> str:
    """A share of one as a whole percentage; what is not certain is never rounded to 0 or 100."""
    if 0 < part < 0.005:
        return "under 1 %"
    if 0.995 < part < 1:
        return "over 99 %"
    return percent(part, 0)


def number(count: int, one: str, more: str | None = None) -> str:
    """The count with its noun: "1 photograph", "1,360 photographs"."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
