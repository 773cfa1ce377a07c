"""docs/ML_TEST_SCORE.md has seven tests per section, correct sums, and valid references."""

import re

import pytest

from api.settings import PROJECT

PAGE = (PROJECT / "docs" / "ML_TEST_SCORE.md").read_text()
SECTIONS = {
    title: re.findall(r"^\| (?!test)(\w.*?) \| ([\d.]+) \| (.*) \|$", body, re.MULTILINE)
    for title, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
REFERENCES = re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", PAGE)


def test_sections_have_seven_tests_with_points() -> None:
    assert [len(rows) for rows in SECTIONS.values()] == [7, 7, 7, 7]
    assert {points for rows in SECTIONS.values() for _, points, _ in rows} <= {"0", "0.5", "1"}


def test_sums_are_right_and_the_lowest_counts() -> None:
    sums = {title: sum(float(points) for _, points, _ in rows) for title, rows in SECTIONS.items()}
    for title, points in sums.items():
        assert f"| {title} | {points:g} |" in PAGE
    assert f"| **Score** | **{min(sums.values()):g}** |" in PAGE


def test_whole_points_name_a_test() -> None:
    for rows in SECTIONS.values():
        for name, points, where in rows:
            if points == "1":
                assert "`tests/" in where, name


@pytest.mark.parametrize(("path", "test"), sorted(set(REFERENCES)))
def test_named_test_exists(path: str, test: str) -> None:
    file = PROJECT / path
    assert file.exists()
    if test:
        assert f"def {test}(" in file.read_text()


def test_named_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", PAGE))
    assert named
    assert named <= targets
