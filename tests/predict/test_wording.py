import pytest

from api.predict.wording import interpret


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        (0.9999, "Fresh apple: the grader is sure (over 99 %)."),
        (0.98, "Fresh apple: the grader is sure (98 %)."),
        (0.7, "Probably fresh apple (70 %)."),
        (0.55, "Hard to tell: fresh apple (55 %) or rotten apple (45 %)."),
    ],
)
def test_says_how_sure_it_is(fresh: float, expected: str) -> None:
    sentence = interpret({"freshapples": fresh, "rottenapples": 1 - fresh}, recognised=True)
    assert sentence.startswith(expected)


def test_names_what_it_knows_when_it_does_not_recognise() -> None:
    sentence = interpret({"freshapples": 0.6, "rottenbanana": 0.4}, recognised=False)
    assert "anything that this grader knows (apple, banana)" in sentence
    assert "fresh apple comes closest" in sentence
