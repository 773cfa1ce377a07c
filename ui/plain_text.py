"""Text from outside, such as file names and the API's messages, shown literally. Streamlit renders
Markdown in nearly everything it shows, Plotly renders some HTML, and spreadsheets run formulas.
"""

import re

# Invisible, and not needed to show a text: control characters and direction marks, with which a
# name can fake another extension.
_REMOVED = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_SPECIAL = re.compile(r"[\\`*_\[\]<>~$|#&]")
# Lists, numbers, rules and underlines of headings.
_AT_START = re.compile(r"^(?:[-+=](?=[-=\s]|$)|\d+(?=[.)](?:\s|$)))")
# What Streamlit replaces after parsing, whether escaped or not: links, addresses, icons and emojis,
# colours, arrows. An invisible word joiner keeps the text from matching.
_REPLACED = re.compile(
    r"(?P<before>https?(?=://)|www(?=\.)|(?=@)|:(?=\w)|(?<!\S)[-<>=~](?=(?:->|-|>|=)(?!\S)))",
    re.IGNORECASE,
)
_JOINER = "\N{WORD JOINER}"
# A spreadsheet runs a cell that begins with one of these, some also in full width. If it expects
# another separator than the file's, a cell may also begin in the middle of a text.
_FORMULA_START = re.compile(r"^(?=[\t\r\n])|(?:^|[,;\t\r\n]\"*)(?=[=+\-@|%＝＋－＠])")  # noqa: RUF001


def as_markdown(text: str) -> str:
    """The text for anything that renders Markdown, on one line."""
    plain = _REMOVED.sub(" ", text).strip()
    joined = _REPLACED.sub(rf"\g<before>{_JOINER}", plain)
    return _AT_START.sub(_escape_start, _SPECIAL.sub(r"\\\g<0>", joined))


def as_chart_text(text: str) -> str:
    """The text for a label, a legend or the hover text of a chart."""
    plain = _REMOVED.sub(" ", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Plotly replaces these in templates.
    return plain.replace("%{", f"%{_JOINER}{{")


def as_cell(text: str) -> str:
    """The text for a cell of a table that can be saved as CSV; never a formula."""
    return _FORMULA_START.sub(r"\g<0>'", text)


def _escape_start(match: re.Match[str]) -> str:
    start = match[0]
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"
