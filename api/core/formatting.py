"""Numbers, class names and unsafe text in sentences. No NumPy here: logging imports this early."""

import re
import unicodedata

from api.core.labels import read_label

# A spreadsheet runs a cell that begins with one of these as a formula, some in full width too. If
# it expects a different separator from the file's, a cell may begin in the middle of a text.
FORMULA_START = r"^([=+\-@\t\r\n|%＝＋－＠])"  # noqa: RUF001
FORMULA_WITHIN = r"([,;\t\r\n]\"*)([=+\-@|%＝＋－＠])"  # noqa: RUF001
# Classes of Unicode's bidirectional algorithm: embeddings, overrides, isolates and their ends.
_DIRECTION_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


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


def spreadsheet_text(text: str) -> str:
    """`text` for a cell, never run as a formula."""
    return re.sub(FORMULA_WITHIN, r"\1'\2", re.sub(FORMULA_START, r"'\1", text))


def printable(text: str) -> str:
    """`text` on one line, without control characters or lone surrogates (databases reject both),
    line separators, or marks that change the text direction.
    """
    valid = text.encode("utf-8", "replace").decode()
    return "".join(letter for letter in valid if not is_unsafe(letter))


def clean_line(text: str) -> str:
    """`printable`, without surrounding spaces and with composed letters (NFC), as it is stored."""
    return unicodedata.normalize("NFC", printable(text)).strip()


def is_unsafe(letter: str) -> bool:
    """Whether a character breaks the line, controls a terminal, or changes the text direction."""
    is_direction = unicodedata.bidirectional(letter) in _DIRECTION_MARKS
    return is_direction or unicodedata.category(letter) in ("Cc", "Zl", "Zp")
