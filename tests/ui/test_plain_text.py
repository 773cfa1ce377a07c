"""Text from outside is shown literally everywhere."""

import pytest
from plain_text import as_cell, as_chart_text, as_markdown

JOINER = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("![x](http://a.example/x.png)", rf"!\[x\](http{JOINER}://a.example/x.png)"),
        ("<img src=x>", r"\<img src=x\>"),
        ("**a** _b_ `c` ~d~ $e$ |f| &amp;", r"\*\*a\*\* \_b\_ \`c\` \~d\~ \$e\$ \|f\| \&amp;"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("---", r"\---"),
        (
            ":red[a] :smile: :material/home:",
            rf":{JOINER}red\[a\] :{JOINER}smile: :{JOINER}material/home:",
        ),
        ("www.a.example me@a.example", rf"www{JOINER}.a.example me{JOINER}@a.example"),
        ("a -> b", rf"a -{JOINER}\> b"),
        ("    a\r\n\r\n# b", r"a \# b"),
        ("a\u202egpj.exe\x1b", "a gpj.exe"),
        ("Fresh apple: the grader is sure (97 %).", "Fresh apple: the grader is sure (97 %)."),
        ("img_1-2.jpg", r"img\_1-2.jpg"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    assert as_markdown(text) == escaped


def test_chart_text_has_neither_html_nor_templates() -> None:
    shown = as_chart_text("<a href='x'>y</a> %{x} &lt;\n")
    assert shown == f"&lt;a href='x'&gt;y&lt;/a&gt; %{JOINER}{{x}} &amp;lt; "


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))  # noqa: RUF001
def test_cell_is_never_a_formula(start: str) -> None:
    assert as_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("separator", [",", ";", "\t", "\n", "\r\n", ';"', ",,"])
@pytest.mark.parametrize("start", list("=+-@|＝"))  # noqa: RUF001
def test_no_formula_where_another_sign_separates_cells(separator: str, start: str) -> None:
    text = f"a{separator}{start}1+1{separator}b.jpg"
    assert as_cell(text) == f"a{separator}'{start}1+1{separator}b.jpg"


@pytest.mark.parametrize("text", ["", "a=1", "2026-1.jpg", "a, b; c.jpg", "a; -1.jpg"])
def test_other_cells_stay(text: str) -> None:
    assert as_cell(text) == text
