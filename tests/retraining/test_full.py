"""Full retraining of the smallest network on drawn photos, for a few steps."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from api.core.paired_comparison import DetectorComparison, PairedCounts
from api.core.progress import silent
from api.model.package import HEAD, REPLAY, load_package
from api.model.replay_buffer import ReplayBuffer, RetiredRows
from api.registry.promotion_gate import judge
from api.retraining import full
from api.retraining.detector_plan import DetectorPlan
from api.retraining.full_corpus import IMPORTED, PhotographsMissingError, build_corpus
from api.retraining.full_detector import DetectorOutcome
from api.retraining.job import RetrainJob
from api.retraining.new_detector import NewDetector
from api.retraining.omissions import Omissions
from api.retraining.plan import TooFewOfClassError
from api.retraining.progress import stage_ranges
from api.storage.tables.photos import ImageRow
from api.training.corpus import TooFewPhotographsError
from api.training.detection.train import TrainedDetector
from api.training.recipe import Recipe
from tests.retraining.catalog import KNOWN, NEW, a_photo, picture, write_champion
from tests.retraining.detectors import imported as imported  # noqa: PLC0414 - a fixture
from tests.synthetic_images import encode
from tests.training.drawn_collection import CLASSES, draw_collection

SMALL = Recipe(
    architecture="custom_cnn", weights="none", input_size=32, batch_size=16, views=64, epochs=1
).as_dict()
# Scenes for learning to tell several fruits from one. Drawing 6,000, as in the champion's recipe,
# would take three quarters of a run.
SCENES = 60
Jobs = Callable[..., RetrainJob]


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_champion(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def _few_trays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full, "TRAYS", 4)


@pytest.fixture
def make_job(champion: Path, tmp_path: Path) -> Jobs:
    """Makes jobs with `count` catalog photos for each of `classes`."""

    def make(
        imported: Path, classes: tuple[str, ...] = (), count: int = 40, **rest: Any
    ) -> RetrainJob:
        stored = {}
        photos = []
        for class_name in classes:
            for seed in range(1000, 1000 + count):
                image = picture(class_name, seed)
                data = encode(image)
                name = f"{class_name}/{seed}"
                photo = a_photo(image, data, class_name, name, f"{name}.png")
                stored[photo.blob] = data
                photos.append(photo)
        package = load_package(champion)
        assert package.manifest.detector
        recipe = package.manifest.detector.recipe | {"several_scenes": SCENES}
        detector = package.manifest.detector.model_copy(update={"metrics": {}, "recipe": recipe})
        changes = {"recipe": SMALL, "detector": detector}
        manifest = package.manifest.model_copy(update=changes)
        return RetrainJob(
            dataclasses.replace(package, manifest=manifest),
            photos=photos,
            started_by="me",
            read=stored.__getitem__,
            folder=tmp_path,
            imported=imported,
            **{"options": {}, **rest},
        )

    return make


@pytest.mark.usefixtures("eager_training")
def test_full_run_trains_and_compares(make_job: Jobs, imported: Path) -> None:
    epochs: list[dict[str, float]] = []
    stages: list[str] = []
    candidate = full.make_candidate(
        make_job(
            imported,
            (NEW,),
            progress=lambda stage, _done, _total: stages.append(stage),
            on_epoch=epochs.append,
            options={"epochs": 2},
        )
    )
    assert candidate.manifest.classes == (*KNOWN, NEW)
    assert (candidate.manifest.parent, candidate.manifest.started_by) == ("champion", "me")
    assert candidate.manifest.recipe["epochs"] == 2
    assert len(epochs) == 2
    assert {"loss", "val_loss"} <= set(epochs[0])
    assert set(stages) <= set(stage_ranges("full"))
    assert "Fine-tuning" in stages
    # The three classes name the same fruits as the champion's detector.
    assert candidate.detector == {"plan": "keep", "message": ""}
    assert candidate.manifest.detector
    measured = candidate.manifest.detector.metrics["single"]
    assert sum(part["photographs"] for part in measured.values()) > 0
    replay = ReplayBuffer.load(candidate.folder / REPLAY)
    of_catalog = replay.targets.argmax(axis=1) == 2
    assert (replay.catalog == of_catalog).all()
    assert 0 < of_catalog.sum() <= 40
    comparison = candidate.comparison
    assert comparison
    assert set(comparison.per_class) == set(KNOWN)
    assert comparison.overall.photographs > 0
    assert comparison.milliseconds is not None
    assert comparison.new_classes[NEW].left_out == 40
    assert comparison.new_classes[NEW].held_out > 0
    # A network this small cannot beat the champion.
    assert not judge(comparison).promote
    package = load_package(candidate.folder)
    assert package.manifest.version == candidate.manifest.version
    assert package.head.several is not None


@pytest.mark.usefixtures("eager_training")
def test_new_detector_can_fall_back_on_the_current_grader(
    make_job: Jobs, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(imported)
    current = TrainedDetector.of_package(job.champion)
    assert current
    nothing = PairedCounts(0, 0, 0, 0)
    comparison = DetectorComparison(photographs=0, boxes=0, overall=nothing)
    new = NewDetector(DetectorPlan.TUNE, current, current, comparison, [])
    outcome = DetectorOutcome(current, new.report | {"message": ""}, new)
    monkeypatch.setattr(full, "make_detector", lambda *_: outcome)
    candidate = full.make_candidate(job)
    assert candidate.comparison
    assert not judge(candidate.comparison).promote
    fallback = candidate.fallback
    assert fallback
    assert fallback.comparison is None
    assert load_package(fallback.folder).manifest == fallback.manifest
    files = (fallback.manifest.files, candidate.manifest.files, job.champion.manifest.files)
    assert files[0][HEAD] == files[2][HEAD] != files[1][HEAD]


@pytest.mark.usefixtures("eager_training")
def test_custom_classes_need_no_imported_photos(make_job: Jobs, tmp_path: Path) -> None:
    classes = (NEW, "rottenbanana")
    candidate = full.make_candidate(
        make_job(tmp_path / "nothing", classes, options={"classes": list(classes)})
    )
    assert candidate.manifest.classes == ("rottenbanana", NEW)
    assert candidate.comparison
    assert candidate.comparison.overall.photographs == 0


def test_missing_photos_fail_before_training(
    make_job: Jobs, imported: Path, tmp_path: Path
) -> None:
    with pytest.raises(PhotographsMissingError, match="freshapples, freshbanana are not on"):
        build_corpus(make_job(tmp_path / "nothing", (NEW,)))
    # A few uploads must not replace the champion's training photos.
    few = make_job(tmp_path / "nothing", KNOWN, count=10)
    with pytest.raises(PhotographsMissingError, match="mode fast"):
        build_corpus(dataclasses.replace(few, folder=make_folder(tmp_path / "second")))


@pytest.mark.parametrize("count", [2, 9])
def test_class_that_is_too_small_is_left_out_unless_requested(
    make_job: Jobs, imported: Path, tmp_path: Path, count: int
) -> None:
    """Eight would be enough for a fast run, but a full run needs photos in each split."""
    job = make_job(imported, (NEW,), count=count)
    for photo in job.photos:
        cast("ImageRow", photo).split = "train"
    corpus = build_corpus(job)
    assert corpus.classes == KNOWN
    assert job.omissions.classes == {NEW: count}
    options = {"classes": [*KNOWN, NEW]}
    requested = dataclasses.replace(job, options=options, folder=make_folder(tmp_path / "second"))
    with pytest.raises((TooFewOfClassError, TooFewPhotographsError), match=NEW):
        build_corpus(requested)


def test_photos_that_cannot_be_read_are_skipped(make_job: Jobs, imported: Path) -> None:
    job = make_job(imported, (NEW,))
    cut, gone = job.photos[:2]
    read = job.read

    def read_damaged(blob: str) -> bytes:
        if blob == gone.blob:
            raise FileNotFoundError(blob)
        return read(blob)[:100] if blob == cut.blob else read(blob)

    job = dataclasses.replace(job, read=read_damaged)
    corpus = build_corpus(job)
    assert len([file for file in corpus.listing.files if file.class_name == NEW]) == 38
    assert set(job.omissions.photos) == {cut.sha256, gone.sha256}


def test_catalog_overrides_an_imported_file(make_job: Jobs, imported: Path) -> None:
    data = (imported / KNOWN[0] / "3.png").read_bytes()
    twin = a_photo(picture(KNOWN[0], 3), data, KNOWN[1], "twin", "twin.png")
    job = dataclasses.replace(
        make_job(imported), photos=[twin], read={"twin.png": data}.__getitem__
    )
    corpus = build_corpus(job)
    (file,) = [row for row in corpus.listing.files if row.sha256 == twin.sha256]
    assert (file.class_name, file.path in corpus.catalog) == (KNOWN[1], True)
    assert (corpus.listing.root / file.path).read_bytes() == data
    assert all((corpus.listing.root / row.path).exists() for row in corpus.listing.files)


def test_recipe_is_the_champions_with_requested_changes(make_job: Jobs, imported: Path) -> None:
    manifest = make_job(imported).champion.manifest
    assert full.make_recipe(manifest, {}).as_dict() == SMALL
    requested = full.make_recipe(manifest, {"architecture": "mobilenet_v2", "epochs": 3})
    assert (requested.architecture, requested.weights, requested.epochs) == (
        "mobilenet_v2",
        "imagenet",
        3,
    )
    assert requested.input_size == 32
    unchanged = full.make_recipe(manifest, {"architecture": "custom_cnn"})
    assert unchanged.weights == "none"


def test_corpus_has_imported_boxes_and_ood_photos(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    none = np.zeros(0, bool)
    job = SimpleNamespace(
        folder=tmp_path / "run",
        imported=draw_collection(tmp_path / "imported"),
        champion=SimpleNamespace(manifest=SimpleNamespace(classes=CLASSES)),
        replay=SimpleNamespace(
            boxed=none,
            catalog=none,
            targets=np.zeros((0, 4)),
            photographs=np.zeros(0, str),
            splits=np.zeros(0, str),
            retired=RetiredRows.none(4),
        ),
        omissions=Omissions(),
        photos=[],
        boxed_photos=[],
        options={},
        progress=silent,
    )
    damaged = ("market/other/pear/3.jpg", "not_fruit/11.png", "phone/0501.jpg")
    for name in damaged:
        path = job.imported / name
        path.write_bytes(path.read_bytes()[:99])
    corpus = build_corpus(cast("RetrainJob", job))
    assert set(job.omissions.files) == set(damaged)
    assert job.omissions.figures["skipped"] == 3
    linked = corpus.listing.root / IMPORTED
    assert sorted(path.relative_to(linked).parts[-2] for path in corpus.near_files[::4]) == [
        "lemon",
        "papaya",
        "pear",
        "rottenguava",
    ]
    assert {path.relative_to(linked).parts[0] for path in corpus.far_files} == {"not_fruit"}
    samples = [*corpus.near_ood("train"), *corpus.far_ood("train"), *corpus.boxed("train")]
    assert all(sample.copies[0].is_file() for sample in samples)
    assert {sample.source for sample in corpus.near_ood("train")} == {"market"}


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path
