from api.training.class_folders import PhotoFile, find_leakage


def row(side: str, photograph: str, copy: str = "") -> PhotoFile:
    path = f"{side}/freshapples/{copy}{photograph}.jpg"
    return PhotoFile(path, "freshapples", side, photograph, "train", 1, 1, 1, "", "")


def test_photos_on_both_sides_are_found() -> None:
    files = [
        row("train", "a"),
        row("test", "a", "rotated_by_15_"),
        row("test", "a", "translation_"),
        row("train", "b"),
        row("test", "c"),
    ]
    leak = find_leakage(files)
    assert leak is not None
    assert (leak.photographs, leak.files, leak.leaked_files) == (2, 3, 2)
    assert leak.pairs == ((files[1], files[0]),)


def test_no_leakage_without_a_supplied_split() -> None:
    assert find_leakage([row("", "a"), row("", "b")]) is None
    assert find_leakage([row("train", "a")]) is None
