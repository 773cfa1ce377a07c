"""A folder of drawn photos, some of them broken."""

import json
from pathlib import Path

import fsspec

from api.commands.bulk.grader import ScoringJob
from api.model.package import load_package
from api.settings import PROJECT, get_settings
from tests.synthetic_images import KINDS, draw_fruit, encode

# In row order: sorted by full path, as in a bucket.
PATHS = [
    "B.JPG",
    "a-b/1.png",
    "a/1.png",
    "a/2.webp",
    "a/b/c/3.jpeg",
    "a/broken.jpg",
    "a/empty.png",
    "a/large.bmp",
    "ä/Äpfel 1.jpg",
]
# Part of the error message of each broken photo.
ERRORS = {
    "a/broken.jpg": "damaged or cut off",
    "a/empty.png": "is empty",
    "a/large.bmp": "larger than",
}
OTHER_FILES = [".hidden.jpg", ".cache/1.jpg", "notes.txt", "a/jpg"]
MAX_BYTES = 100_000
PACKAGE = load_package(PROJECT / "models" / "default")


def contents() -> dict[str, bytes]:
    """The bytes of every file by path, unsorted."""
    kinds = [*KINDS, *KINDS]
    files = {}
    for seed, path in enumerate(reversed(PATHS)):
        file_format = {"png": "PNG", "webp": "WEBP"}.get(path.rpartition(".")[2], "JPEG")
        files[path] = encode(draw_fruit(kinds[seed], seed), file_format)
    files["a/broken.jpg"] = files["a/broken.jpg"][:-300]
    files["a/empty.png"] = b""
    files["a/large.bmp"] = encode(draw_fruit("freshapples", size=300), "BMP")
    return files | dict.fromkeys(OTHER_FILES, b"x")


def put(address: str, files: dict[str, bytes]) -> str:
    """Write the files to a folder or bucket, and return its address."""
    options = {} if "://" in address else {"auto_mkdir": True}
    store, root = fsspec.core.url_to_fs(address, **options)
    store.pipe({f"{root}/{path}": data for path, data in files.items()})
    return address


def job_for(address: str | Path, max_bytes: int = MAX_BYTES) -> ScoringJob:
    engine = get_settings().engine
    return ScoringJob(PACKAGE, str(address), max_bytes, 64_000_000, engine=engine)


def write_many(folder: Path, count: int) -> Path:
    """Write `count` photos, most of them copies, so that a job takes a while."""
    drawn = [encode(draw_fruit(kind, 1), "JPEG") for kind in KINDS]
    for number in range(count):
        path = folder / f"crate {number // 50}" / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn[number % len(drawn)])
    return folder


def parts_done(out: Path) -> int:
    return len(list(out.with_name(f"{out.name}.parts").glob("rows/[0-9]*.parquet")))


def spec(out: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((out.parent / f"{out.name}.parts/job.json").read_text())
    return content
