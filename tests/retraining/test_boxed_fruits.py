"""Boxes of the catalog's photos in a run: learned, corrected, and removed with their photo."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from api.catalog import boxed_repository
from api.catalog.box_frames import LabelledBox
from api.core.imaging.crop import crop_around
from api.core.splits import split_of
from api.model.package import REPLAY
from api.model.replay_buffer import ReplayBuffer
from api.registry import store
from api.retraining.boxed_fruits import load_boxed_fruits, teaches_grader
from api.retraining.full_corpus import build_corpus
from api.retraining.job import RetrainJob
from api.retraining.plan import make_plan
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from api.storage.tables.photos import BoxedPhotoRow
from tests.retraining.catalog import BOXES, KNOWN, Run, a_boxed_photo, add_photographs, picture
from tests.synthetic_images import encode


def add_boxed_photo(
    database: Database, blobs: Blobs, seed: int, *class_names: str | None, origin: str = "upload"
) -> str:
    """Add `a_boxed_photo` to the catalog, and return the row's id."""
    (row, boxes), data = a_boxed_photo(seed, *class_names)
    row.origin = origin
    blobs.put(row.blob, data)
    with database.session() as session:
        session.add(row)
        session.flush()
        boxed_repository.put_boxes(session, row, boxes, complete=True)
        return row.id


def plan_of(database: Database, blobs: Blobs, settings: Settings) -> Any:
    with database.reading() as session:
        return make_plan(session, blobs, settings).catalog_diff


def replay_of(finished: RunRow, blobs: Blobs, settings: Settings) -> ReplayBuffer:
    package = store.fetch_package(blobs, str(finished.candidate), settings.model_cache)
    return ReplayBuffer.load(package.folder / REPLAY)


@pytest.mark.slow
def test_boxes_are_learned_and_unlearned(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    ids = [add_boxed_photo(database, blobs, seed, *KNOWN) for seed in range(2000, 2012)]
    assert plan_of(database, blobs, own).added == dict.fromkeys(KNOWN, 12)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert finished.verdict["promote"], finished.verdict["reasons"]
    replay = replay_of(finished, blobs, own)
    rows = replay.catalog
    assert (rows.sum(), set(replay.sources[rows])) == (24, {"catalog"})
    # Boxes of a photo share its group and split.
    groups = set(zip(replay.photographs[rows], replay.splits[rows], strict=True))
    assert groups == {(f"scene/{k}", split_of(f"scene/{k}")) for k in range(2000, 2012)}
    assert len(replay.views) == 2 * (rows & (replay.splits == "train")).sum()
    assert not plan_of(database, blobs, own).any

    with database.session() as session:
        row = boxed_repository.get(session, ids[0]).row
        changed = [LabelledBox(BOXES[0], KNOWN[1])]
        boxed_repository.put_boxes(session, row, changed, complete=False)
    diff = plan_of(database, blobs, own)
    assert (diff.relabelled, diff.removed, diff.added) == (1, 1, {})


@pytest.mark.slow
def test_corrected_box_is_learned(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    add_boxed_photo(database, blobs, 2000, None, KNOWN[1], origin="feedback")
    assert plan_of(database, blobs, own).added == {KNOWN[1]: 1}
    finished = run()
    assert finished.state == "succeeded", finished.message
    replay = replay_of(finished, blobs, own)
    (row,) = replay.catalog.nonzero()[0].tolist()
    assert replay.targets[row].argmax() == 1
    assert finished.verdict
    assert finished.verdict["promote"], finished.verdict["reasons"]
    assert not plan_of(database, blobs, own).any


@pytest.mark.slow
def test_boxed_photo_without_file_is_skipped_and_marked(
    run: Run, own: Settings, database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, KNOWN[0], 4)
    add_boxed_photo(database, blobs, 2000, *KNOWN)
    with database.reading() as session:
        blob = session.scalars(select(BoxedPhotoRow.blob)).one()
    blobs.delete(blob)
    finished = run()
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    # It is listed once, not once for each box.
    named = [one["filename"] for one in finished.verdict["figures"]["skipped_photos"]]
    assert named == ["2000.png"]
    with database.reading() as session:
        assert session.scalars(select(BoxedPhotoRow.unreadable)).one() == "its file is missing"
    assert not plan_of(database, blobs, own).any


def test_only_boxes_of_known_level_teach_the_grader(database: Database, blobs: Blobs) -> None:
    add_boxed_photo(database, blobs, 1, "rottenapples", "apple")
    add_boxed_photo(database, blobs, 2, None, "fruit")
    with database.reading() as session:
        fruits = load_boxed_fruits(session, KNOWN)
    assert [fruit.class_name for fruit in fruits] == ["rottenapples"]
    assert teaches_grader("mango", KNOWN)
    assert teaches_grader("apple", ("apple", "pear"))


@pytest.mark.slow
def test_full_run_learns_the_crops(
    champion: str, own: Settings, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    for seed in range(2000, 2030):
        add_boxed_photo(database, blobs, seed, *KNOWN)
    with database.reading() as session:
        fruits = load_boxed_fruits(session, KNOWN)
    folder = tmp_path / "work"
    folder.mkdir()
    job = RetrainJob(
        store.fetch_package(blobs, champion, own.model_cache),
        photos=fruits,
        options={},
        started_by="me",
        read=blobs.get,
        folder=folder,
        imported=_imported(tmp_path / "imported"),
    )
    corpus = build_corpus(job)
    files = {file.sha256: file for file in corpus.listing.files}
    for fruit in fruits:
        file = files[fruit.sha256]
        assert (file.split, file.photograph) == (fruit.split, fruit.photograph)
        assert file.path in corpus.catalog
    fruit = fruits[0]
    written = Image.open(corpus.listing.root / files[fruit.sha256].path)
    whole = Image.new("RGB", (128, 64))
    for box, shows in zip(BOXES, KNOWN, strict=True):
        whole.paste(picture(shows, 2000), (int(box.x_min), 0))
    assert written.tobytes() == crop_around(whole, fruit.box).tobytes()


def _imported(root: Path) -> Path:
    for class_name in KNOWN:
        (root / class_name).mkdir(parents=True)
        for seed in range(40):
            (root / class_name / f"{seed}.png").write_bytes(encode(picture(class_name, seed)))
    return root
