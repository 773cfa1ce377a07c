"""Counts by class and by freshness, and the sentences about them."""

from api.insights.balance import balance, counts, freshness
from tests.insights.samples import make_examples


def test_counts_by_class_split_and_origin() -> None:
    examples = make_examples(
        "mango", "mango", "kiwi", splits=["test", "test", "train"], origins=["upload"] * 3
    )
    result = [(row.class_name, row.split, row.origin, row.examples) for row in counts(examples)]
    assert result == [("kiwi", "train", "upload", 1), ("mango", "test", "upload", 2)]


def test_largest_class_is_compared_with_the_smallest() -> None:
    result = balance(make_examples(*["freshapples"] * 6, *["rotten_bananas"] * 2, *["mango"] * 4))
    assert result is not None
    assert (result.largest, result.largest_examples) == ("freshapples", 6)
    assert (result.smallest, result.smallest_examples) == ("rotten_bananas", 2)
    assert result.ratio == 3
    assert "12 examples in 3 classes" in result.story
    assert "3.0 times as many as rotten banana" in result.story


def test_story_depends_on_the_ratio() -> None:
    def story(large: int) -> str:
        result = balance(make_examples(*["mango"] * large, *["kiwi"] * 10))
        assert result is not None
        return result.story

    assert "well balanced" in story(12)
    assert "no problem yet" in story(25)
    assert "photos of it help most" in story(40)


def test_balance_of_one_class_and_of_none() -> None:
    result = balance(make_examples("mango"))
    assert result is not None
    assert "at least two classes" in result.story
    assert balance(make_examples()) is None


def test_fresh_and_rotten_are_counted_in_total_and_by_fruit() -> None:
    result = freshness(
        make_examples(
            *["freshapples"] * 3, *["rottenapples"], *["rottenbanana"] * 4, "mango", "mango"
        )
    )
    assert result is not None
    assert (result.fresh, result.rotten, result.other) == (3, 5, 2)
    assert [(part.fruit, part.fresh, part.rotten) for part in result.by_fruit] == [
        ("apple", 3, 1),
        ("banana", 0, 4),
    ]
    assert "Always saying rotten would be right for 62 %" in result.story
    assert "most one-sided fruit is banana, 100 % of it rotten" in result.story
    assert "Of banana there is only one of the two" in result.story


def test_plain_classes_have_no_freshness_balance() -> None:
    assert freshness(make_examples("mango", "kiwi")) is None
    assert freshness(make_examples()) is None
