from api.evaluation.supplied_split import VALIDATION_PART, split_by_file
from api.training.class_folders import PhotoFile


def row(path: str, photograph: str) -> PhotoFile:
    return PhotoFile(path, "freshapples", "train", photograph, "train", 1, 1, 1, "", "")


def test_every_photo_is_trained_on() -> None:
    copied = [row(f"{number}_{copy}.jpg", str(number)) for number in range(60) for copy in range(3)]
    alone = [row(f"alone_{number}.jpg", f"alone {number}") for number in range(60)]
    training, validation = split_by_file([*copied, *alone])
    assert {file.photograph for file in training} == {file.photograph for file in [*copied, *alone]}
    assert validation
    assert not {file.path for file in training} & {file.path for file in validation}
    assert len(training) + len(validation) == len(copied) + len(alone)


def test_files_without_copies_are_split() -> None:
    files = [row(f"{number}.jpg", str(number)) for number in range(200)]
    training, validation = split_by_file(files)
    assert len(training) + len(validation) == 200
    assert 0.5 / VALIDATION_PART < len(validation) / 200 < 2 / VALIDATION_PART
