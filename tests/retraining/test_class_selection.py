"""Which classes there will be, and whether there is enough of each."""

import dataclasses

import pytest

from api.retraining.class_selection import choose_classes, require_enough
from api.retraining.errors import TooFewClassesError, TooFewOfClassError, UnknownClassesError
from tests.retraining.test_training_rows import KNOWN, a_photo, a_replay


def test_the_classes_are_those_known_and_then_the_new_ones() -> None:
    assert choose_classes(("pear", "apple"), {"plum", "fig", "pear"}, None) == (
        "pear",
        "apple",
        "fig",
        "plum",
    )
    assert choose_classes(KNOWN, {"plum"}, ["plum", "apple"]) == ("apple", "plum")
    with pytest.raises(UnknownClassesError, match=r"of kiwi\. There are some of: apple, pear"):
        choose_classes(KNOWN, {"plum"}, ["plum", "kiwi"])
    with pytest.raises(TooFewClassesError, match="1 "):
        choose_classes(KNOWN, {"plum"}, ["plum"])


def test_too_few_of_a_class_are_named_before_any_work() -> None:
    replay = a_replay(40)
    enough = [a_photo(f"n{k}", "plum") for k in range(8)]
    require_enough(replay, KNOWN, enough, (*KNOWN, "plum"))
    with pytest.raises(TooFewOfClassError, match=r"plum \(7\): each class needs at least 8"):
        require_enough(replay, KNOWN, enough[1:], (*KNOWN, "plum"))
    copies = [dataclasses.replace(photo, photograph="plum/one") for photo in enough]
    with pytest.raises(TooFewOfClassError, match=r"plum \(1\)"):
        require_enough(replay, KNOWN, copies, (*KNOWN, "plum"))
    none_to_learn = [dataclasses.replace(photo, split="test") for photo in enough]
    with pytest.raises(TooFewOfClassError, match=r"plum \(8\)"):
        require_enough(replay, KNOWN, none_to_learn, (*KNOWN, "plum"))
