from api.evaluation.supplied_split import VALIDATION_PART, split_by_file
from api.training.class_folders import PhotoFile


def row(path: str, photograph: str) -> PhotoFile:
    return PhotoFile(path, "freshapples", "train", photograph, "train", 1, 1, 1, "", "")


def test_no_photograph_is_lost_to_learning() -> None:
    copied = [row(f"{number}_{copy}.jpg", str(number)) for number in range(60) for copy in range(3)]
    alone = [row(f"alone_{number}.jpg", f"alone {number}") for number in range(60)]
    learned, validation = split_by_file([*copied, *alone])
    assert {file.photograph for file in learned} == {file.photograph for file in [*copied, *alone]}
    assert validation
    assert not {file.path for file in learned} & {file.path for file in validation}
    assert len(learned) + len(validation) == len(copied) + len(alone)


def test_files_without_copies_are_split_too() -> None:
    files = [row(f"{number}.jpg", str(number)) for number in range(200)]
    learned, validation = split_by_file(files)
    assert len(learned) + len(validation) == 200
    assert 0.5 / VALIDATION_PART < len(validation) / 200 < 2 / VALIDATION_PART
