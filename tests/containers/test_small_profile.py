"""The small profile in containers: built, restricted, retrained, stopped, killed, kept."""

import httpx
import pytest

from tests.containers.engine import Engine
from tests.containers.profile import Profile
from tests.processes import Processes
from tests.stack.load import loaded
from tests.stack.runs import start_run, upload, wait_for_run
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

SERVICES = ("api", "worker", "ui")
each_service = pytest.mark.parametrize("service", SERVICES)
# Maximum size of the image in MB, including Debian and Python.
MAX_SIZES = {"api": 450, "worker": 2000, "ui": 500}
# In /proc/1/status: no capability in any set, and no way to gain one.
RESTRICTED = {"CapPrm": "0000000000000000", "CapEff": "0000000000000000", "NoNewPrivs": "1"}
# Exit status of a process that does not catch SIGTERM.
TERMINATED = 143
# Checks both engines' grades of the package's own probe pictures.
ENGINES = """
from pathlib import Path
from api.model.package import load_package
from api.model.predictor import Predictor
for engine in ("litert", "openvino"):
    Predictor.of_package(load_package(Path("models/default")), engine=engine)
"""
# Packages that a full run needs in the image and lists in its manifest.
TRAINING = """
import keras, mlflow, numpy
import api.training.train
from api.evaluation.build import LIBRARIES
from api.model.provenance import versions_of
from api.training.export import to_litert
image = keras.Input((32, 32, 3), dtype="uint8")
layers = [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
network = keras.Sequential([image, keras.layers.Rescaling(1 / 255), *layers])
network.compile("adam", "mse")
network.fit(numpy.ones((8, 32, 32, 3), "uint8"), numpy.ones((8, 4)), verbose=0)
assert to_litert(network)
assert versions_of(LIBRARIES)["tensorflow"]
"""


def test_every_service_of_the_file_runs(profile: Profile, engine: Engine) -> None:
    assert set(profile.services) == set(SERVICES)
    print(f"\nengine: {engine.program} {engine.run('version', '--format', '{{.Client.Version}}')}")
    for service in SERVICES:
        image = profile.image(service)
        stand_in = engine.stood_in_for(image)
        megabytes = engine.image(image)["Size"] / 1e6
        print(f"{image}: {megabytes:.0f} MB; base: {stand_in or 'pulled'}")
        assert megabytes < MAX_SIZES[service]
        assert engine.state(profile.container(service))["Running"]


@each_service
def test_container_is_restricted(profile: Profile, engine: Engine, service: str) -> None:
    container = profile.container(service)
    status = engine.run("exec", container, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {name: fields[name] for name in RESTRICTED} == RESTRICTED
    assert int(fields["Uid"].split()[0]) >= 10000
    for folder in ("/app", "/venv", "/var/tmp"):  # noqa: S108
        assert not engine.works("exec", container, "touch", f"{folder}/new"), folder


def test_app_is_served(profile: Profile) -> None:
    assert (
        "Streamlit" in httpx.get(profile.url(profile.container("ui"), 8501), trust_env=False).text
    )


def test_image_has_all_that_the_api_uses(profile: Profile, engine: Engine) -> None:
    """Much has been pruned from its packages."""
    fruit = draw_fruit("freshapples", size=300)
    with profile.client(api_url(profile)) as client:
        for kind in ("JPEG", "HEIF", "AVIF", "WEBP"):
            files = {"file": (f"apple.{kind.lower()}", encode(fruit, kind))}
            client.post("/predict?instances=true&explain=true", files=files).raise_for_status()
        files = {"file": ("apple.jpg", encode(fruit, "JPEG"))}
        views = client.post("/insights/augmentation", files=files).raise_for_status().json()
        assert len(views["views"]) == 8
        lot = client.post("/inspections", json={"lot": "Ω-17"}).raise_for_status().json()["id"]
        photos = [("files", ("apple.jpg", encode(fruit, "JPEG")))]
        client.post(f"/inspections/{lot}/photos", files=photos).raise_for_status()
        for path in (f"/inspections/{lot}/report.pdf", f"/inspections/{lot}/report.xlsx"):
            assert client.get(path).raise_for_status().content
        assert client.get("/predictions.xlsx").raise_for_status().content
        assert client.get("/insights/map").raise_for_status().content
    engine.run("exec", profile.container("api"), "python", "-c", ENGINES)


def test_upload_and_retraining_end_in_a_new_version(profile: Profile) -> None:
    with profile.client(api_url(profile)) as client:
        assert upload(client, "rings", first=0, count=60) == 60
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
        assert run["verdict"]["promote"], run["verdict"]["reasons"]
        until(lambda: served(client) == run["candidate"])


def test_volume_survives_new_containers(profile: Profile) -> None:
    with profile.client(api_url(profile)) as client:
        upload(client, "squares", first=0, count=8)
        version, stored = served(client), count(client)
    profile.down()
    profile.up()
    profile.until_healthy("api")
    with profile.client(api_url(profile)) as client:
        assert count(client) == stored
        assert served(client) == version


def test_worker_trains_and_converts_a_network(profile: Profile, engine: Engine) -> None:
    """A full run needs both, with the image's pruned TensorFlow."""
    engine.run("exec", profile.container("worker"), "python", "-c", TRAINING)


@each_service
def test_service_ends_on_sigterm(profile: Profile, engine: Engine, service: str) -> None:
    """It must exit within its grace period, after which the engine would kill it (status 137)."""
    container = profile.container(service)
    engine.run("stop", container)
    assert engine.state(container)["ExitCode"] in (0, TERMINATED)
    engine.run("start", container)
    profile.until_healthy("api")


@each_service
def test_killed_service_comes_back_and_loses_nothing(
    profile: Profile, engine: Engine, processes: Processes, service: str
) -> None:
    """Under load, in the middle of a run. Grading may fail only while the API is down."""
    container = profile.container(service)
    with (
        profile.client(api_url(profile)) as client,
        loaded(processes, api_url(profile), profile.key) as load,
    ):
        upload(client, "stripes", first=100 * SERVICES.index(service), count=20)
        stored = count(client)
        run_id = start_run(client)
        until(lambda: f"Run {run_id} begins." in profile.log(profile.container("worker")))
        before = engine.state(container)["Pid"]
        engine.crash(container, profile.image(service))
        until(lambda: engine.state(container)["Pid"] not in (0, before))
        profile.until_healthy("api")
    with profile.client(api_url(profile)) as client:
        # A run whose worker died is marked interrupted; any other continues.
        ended = ("succeeded", "interrupted") if service == "worker" else ("succeeded",)
        assert wait_for_run(client, run_id)["state"] in ended
        assert count(client) == stored
        again = wait_for_run(client, start_run(client))
        assert again["state"] == "succeeded", again["message"]
    failed = sum(one["num_failures"] for one in load.failures)
    print(f"\n{service} killed: {load.requests} requests, {failed} failed")
    assert load.requests > 0
    assert failed == 0 or service == "api"


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Processes:
    return Processes(tmp_path_factory.mktemp("load"))


def api_url(profile: Profile) -> str:
    return profile.url(profile.container("api"), 8000)


def served(client: httpx.Client) -> str:
    """The version in use."""
    version: str = client.get("/model-info").json()["model_info"]["version"]
    return version


def count(client: httpx.Client) -> int:
    """How many photos are in the catalog."""
    total: int = client.get("/dataset/images").raise_for_status().json()["total"]
    return total
