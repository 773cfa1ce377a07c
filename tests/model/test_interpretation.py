import pytest

from api.core.labels import Level
from api.model.interpretation import describe


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        (0.9999, "Fresh apple: the grader is sure (over 99 %)."),
        (0.98, "Fresh apple: the grader is sure (98 %)."),
        (0.7, "Probably fresh apple (70 %)."),
        (0.55, "Hard to tell: fresh apple (55 %) or rotten apple (45 %)."),
    ],
)
def test_interpretation_follows_the_confidence(fresh: float, expected: str) -> None:
    sentence = describe({"freshapples": fresh, "rottenapples": 1 - fresh}, recognised=True)
    assert sentence.startswith(expected)


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        (0.98, "Apple, sound but past its best: the grader is sure (98 %)."),
        (0.7, "Probably apple, sound but past its best (70 %)."),
        (0.55, "Hard to tell: apple, sound but past its best (55 %) or rotten apple (45 %)."),
        (0.3, "Probably rotten apple (70 %). By its freshness score it is past its best."),
    ],
)
def test_interpretation_of_past_best_names_the_level(fresh: float, expected: str) -> None:
    probabilities = {"freshapples": fresh, "rottenapples": 1 - fresh}
    assert describe(probabilities, True, "past_best").startswith(expected)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("fresh", "Fresh mango: the grader is sure (95 %)."),
        ("rotten", "Fresh mango: the grader is sure (95 %). By its freshness score it is rotten."),
        (None, "Fresh mango: the grader is sure (95 %)."),
    ],
)
def test_level_that_disagrees_with_the_class_is_mentioned(
    level: Level | None, expected: str
) -> None:
    probabilities = {"freshmango": 0.95, "overripemango": 0.03, "rottenmango": 0.02}
    assert describe(probabilities, True, level) == expected


def test_level_in_the_class_name_is_not_repeated() -> None:
    probabilities = {"freshmango": 0.02, "overripemango": 0.95, "rottenmango": 0.03}
    expected = "Overripe mango: the grader is sure (95 %)."
    assert describe(probabilities, True, "past_best") == expected


def test_unrecognised_image_lists_the_known_fruit() -> None:
    sentence = describe({"freshapples": 0.6, "rottenbanana": 0.4}, recognised=False)
    assert "anything that this grader knows (apple, banana)" in sentence
    assert "fresh apple comes closest" in sentence


def test_one_of_several_fruits_is_never_graded_as_sure() -> None:
    sentence = describe({"freshapples": 0.999, "rottenapples": 0.001}, True, several=True)
    assert sentence.startswith("This photo shows several fruits")
    assert "most like fresh apple (over 99 %)" in sentence
    assert "sure" not in sentence
