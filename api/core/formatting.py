"""Numbers and class names in sentences, formatted as in the app."""

from api.core.labels import read_label


def percent(share: float, digits: int = 1) -> str:
    """0.977 is "97.7 %"."""
    return f"{100 * share:.{digits}f} %"


def words(class_name: str) -> str:
    """`rottenapples` is "rotten apple"."""
    return read_label(class_name).words


def share(part: float) -> str:
    """A whole percentage; only 0 and 1 themselves become 0 % and 100 %."""
    if 0 < part < 0.005:
        return "under 1 %"
    if 0.995 < part < 1:
        return "over 99 %"
    return percent(part, 0)


def number(count: int, one: str, more: str | None = None) -> str:
    """A count with its noun: "1 photograph", "1,360 photographs"."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
