"""The current containers take over a volume written by an earlier image."""

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.settings import PROJECT
from tests.containers.engine import Engine
from tests.containers.profile import Profile
from tests.deploy.dockerfile import stages
from tests.stack.runs import start_run, upload, wait_for_run
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

# The first commit that builds on the current base image. Its catalog has revision 0007.
EARLIER = "82e2632f"
IMAGE = "ripeline-test/earlier"
STORED = 12


@pytest.fixture(scope="module")
def earlier(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The API's image of that commit."""
    folder = tmp_path_factory.mktemp("earlier")
    archive = folder / "earlier.tar"
    git = ["git", "-C", str(PROJECT), "archive", "--output", str(archive), EARLIER]
    if subprocess.run(git, capture_output=True, check=False).returncode:
        pytest.skip(f"this checkout has no history back to {EARLIER}")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "code", filter="data")
    code = folder / "code"
    bases = {stage.base for stage in stages(code / "Dockerfile.api") if ":" in stage.base}
    missing = [base for base in sorted(bases) if not engine.has_image(base)]
    assert not missing, f"The bases have changed since: {missing}"
    engine.build(IMAGE, code, {"dockerfile": "Dockerfile.api", "target": "serve"})
    return IMAGE


@pytest.fixture
def upgraded(engine: Engine, earlier: str, tmp_path: Path) -> Iterator[Profile]:
    """The small profile, whose API first runs the earlier image."""
    profile = Profile(engine, tmp_path, {}, full=False)
    profile.build()
    profile.images["api"] = earlier
    try:
        yield profile
    finally:
        profile.remove()


def test_volume_of_an_earlier_image_is_usable(upgraded: Profile, engine: Engine) -> None:
    with running(upgraded, only="api") as client:
        assert upload(client, "rings", first=0, count=STORED) == STORED
        before = graded(client)
        until(lambda: prediction_ids(client))
        served = client.get("/model-info").json()["model_info"]["version"]
        kept = prediction_ids(client)
    upgraded.down()
    del upgraded.images["api"]
    with running(upgraded) as client:
        assert client.get("/dataset/images").raise_for_status().json()["total"] == STORED
        assert prediction_ids(client) == kept
        # The version in use is unchanged, and grades as before.
        assert client.get("/model-info").json()["model_info"]["version"] == served
        after = graded(client)
        assert after["predicted_class"] == before["predicted_class"]
        assert after["confidence"] == pytest.approx(before["confidence"], abs=0.01)
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
    print(f"\ntaken over from {EARLIER}: {STORED} photos, {len(kept)} predictions, {served}")


def running(profile: Profile, only: str = "") -> httpx.Client:
    """A client of the profile's API, which is started with all other services or on its own."""
    profile.up(only)
    profile.until_healthy("api")
    return profile.client(profile.url(profile.container("api"), 8000))


def graded(client: httpx.Client) -> dict[str, object]:
    files = {"file": ("apple.jpg", encode(draw_fruit("freshapples", size=300), "JPEG"))}
    answer: dict[str, object] = client.post("/predict", files=files).raise_for_status().json()
    return answer


def prediction_ids(client: httpx.Client) -> set[str]:
    page = client.get("/predictions").raise_for_status().json()
    return {one["prediction_id"] for one in page["predictions"]}
