"""Saved copies are recognised by file name; file names are sanitized."""

import pytest

from api.core.near_duplicates import is_saved_copy, original_name, safe_filename


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
def test_saved_copies_have_the_original_name(file_name: str) -> None:
    name = "Screen Shot 2018-06-12 at 11.50.26 PM"
    assert original_name(file_name) == name
    assert is_saved_copy(file_name) == (not file_name.startswith(name))


@pytest.mark.parametrize("file_name", ["rotated.jpg", "my_translation_1.jpg", "rotated_by_x_1.jpg"])
def test_similar_names_are_unchanged(file_name: str) -> None:
    assert original_name(file_name) == file_name.removesuffix(".jpg")
    assert not is_saved_copy(file_name)


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("apple.jpg", "apple.jpg"),
        ("../../etc/apple.jpg", "apple.jpg"),
        ("C:\\fruit\\apple.jpg", "apple.jpg"),
        ("a\0p\np\x7fle.jpg", "apple.jpg"),
        ("\ud800.jpg", "?.jpg"),
        ("pe\u0302che.jpg", "p\u00eache.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("", "photograph"),
        ("fruit/", "photograph"),
        ("\0", "photograph"),
    ],
)
def test_file_name_is_sanitized(file_name: str, name: str) -> None:
    assert safe_filename(file_name) == name
