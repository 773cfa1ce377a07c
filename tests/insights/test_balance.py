"""Counts by class and freshness, and their stories."""

from api.insights.balance import balance, counts, freshness
from tests.insights.samples import some


def test_counts_by_class_split_and_origin() -> None:
    examples = some(
        "mango", "mango", "kiwi", splits=["test", "test", "train"], origins=["upload"] * 3
    )
    found = [(row.class_name, row.split, row.origin, row.examples) for row in counts(examples)]
    assert found == [("kiwi", "train", "upload", 1), ("mango", "test", "upload", 2)]


def test_the_largest_class_is_compared_with_the_smallest() -> None:
    found = balance(some(*["freshapples"] * 6, *["rotten_bananas"] * 2, *["mango"] * 4))
    assert found is not None
    assert (found.largest, found.largest_examples) == ("freshapples", 6)
    assert (found.smallest, found.smallest_examples) == ("rotten_bananas", 2)
    assert found.ratio == 3
    assert "12 examples in 3 classes" in found.story
    assert "3.0 times as many as rotten banana" in found.story


def test_the_story_depends_on_the_ratio() -> None:
    def story(large: int) -> str:
        found = balance(some(*["mango"] * large, *["kiwi"] * 10))
        assert found is not None
        return found.story

    assert "well balanced" in story(12)
    assert "no trouble yet" in story(25)
    assert "photographs of it help most" in story(40)


def test_one_class_and_none() -> None:
    found = balance(some("mango"))
    assert found is not None
    assert "at least two classes" in found.story
    assert balance(some()) is None


def test_fresh_against_rotten_in_total_and_by_fruit() -> None:
    found = freshness(
        some(*["freshapples"] * 3, *["rottenapples"], *["rottenbanana"] * 4, "mango", "mango")
    )
    assert found is not None
    assert (found.fresh, found.rotten, found.other) == (3, 5, 2)
    assert [(part.fruit, part.fresh, part.rotten) for part in found.by_fruit] == [
        ("apple", 3, 1),
        ("banana", 0, 4),
    ]
    assert "Always saying rotten would be right for 62 %" in found.story
    assert "most one-sided fruit is banana, 100 % of it rotten" in found.story
    assert "Of banana there is only one of the two" in found.story


def test_classes_without_freshness() -> None:
    assert freshness(some("mango", "kiwi")) is None
    assert freshness(some()) is None
