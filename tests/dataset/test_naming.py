"""The marks of a saved copy are told from the name of the photograph."""

import pytest

from api.dataset.naming import is_saved_copy, photograph_name


@pytest.mark.parametrize(
    "file_name",
    [
        "Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "rotated_by_15_Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "rotated_by_75_Screen Shot 2018-06-12 at 11.50.26 PM.jpg",
        "vertical_flip_Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "horizontal_flip_Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "translation_Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "SaltAndPepper_Screen Shot 2018-06-12 at 11.50.26 PM.png",
        "translation_rotated_by_60_Screen Shot 2018-06-12 at 11.50.26 PM.png",
    ],
)
def test_all_copies_share_the_name_of_the_photograph(file_name: str) -> None:
    name = "Screen Shot 2018-06-12 at 11.50.26 PM"
    assert photograph_name(file_name) == name
    assert is_saved_copy(file_name) == (not file_name.startswith(name))


@pytest.mark.parametrize("file_name", ["rotated.jpg", "my_translation_1.jpg", "rotated_by_x_1.jpg"])
def test_names_that_only_look_like_it_stay(file_name: str) -> None:
    assert photograph_name(file_name) == file_name.removesuffix(".jpg")
    assert not is_saved_copy(file_name)
