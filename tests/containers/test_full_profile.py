"""The full profile in containers: it retrains, is monitored, and survives killed parts under
load."""

import httpx
import pytest

from tests.containers.engine import Engine
from tests.containers.profile import Profile
from tests.processes import Processes
from tests.stack.load import loaded
from tests.stack.prometheus import Prometheus
from tests.stack.runs import start_run, upload, wait_for_run
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

# All parts that must run; only Grafana has no stand-in.
PARTS = {
    *("api", "worker", "ui", "nginx", "postgres", "store", "bucket", "mlflow", "prometheus"),
    *("alertmanager", "alerts"),
}


def test_every_part_runs(full_profile: Profile, engine: Engine) -> None:
    assert set(full_profile.services) >= PARTS
    print(f"\nengine: {engine.program} {engine.run('version', '--format', '{{.Client.Version}}')}")
    for service in full_profile.services:
        image = full_profile.image(service)
        for container in full_profile.containers(service):
            state = engine.state(container)
            # Only the service that creates the bucket exits.
            assert state["Running"] or (service, state["ExitCode"]) == ("bucket", 0)
        print(f"{service} x {len(full_profile.containers(service))}: {image}; ", end="")
        print(engine.stood_in_for(image) or "as published")
    for service, reason in full_profile.left_out.items():
        print(f"{service}: left out: {reason}")
    assert len(full_profile.containers("api")) == 2


def test_upload_and_retraining_end_in_a_version_that_all_serve(full_profile: Profile) -> None:
    with full_profile.client(front(full_profile)) as client:
        assert upload(client, "rings", first=0, count=60) == 60
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
        assert run["verdict"]["promote"], run["verdict"]["reasons"]
        until(lambda: served(full_profile) == {run["candidate"]})
        files = {"file": ("apple.jpg", encode(draw_fruit("freshapples", size=300), "JPEG"))}
        graded = client.post("/predict", files=files).raise_for_status().json()
        assert graded["model_version"] == run["candidate"]


def test_prometheus_sees_every_replica(full_profile: Profile) -> None:
    prometheus = watching(full_profile)
    replicas = len(full_profile.containers("api"))
    until(lambda: list(up(prometheus).values()) == [1.0] * replicas)
    assert set(prometheus.series("job", 'up{job="prometheus"}').values()) == {1.0}


def test_metrics_are_not_served_through_nginx(full_profile: Profile) -> None:
    with full_profile.client(front(full_profile)) as client:
        assert client.get("/metrics").status_code == 404
    app = full_profile.url(full_profile.container("nginx"), 8501)
    assert "Streamlit" in httpx.get(app, trust_env=False).text


def test_killed_replica_fails_no_prediction(
    full_profile: Profile, engine: Engine, processes: Processes
) -> None:
    killed, _ = full_profile.containers("api")
    with loaded(processes, front(full_profile), full_profile.key) as load:
        until(lambda: graded(full_profile, killed))
        crash(full_profile, engine, killed)
        full_profile.until_healthy("api")
        # nginx has resumed sending photos to it.
        until(lambda: graded(full_profile, killed))
    print(f"\na replica killed: {load.requests} requests, failed: {load.failures}")
    assert load.requests > 0
    assert load.failures == []


def test_killed_database_fails_no_prediction_and_loses_nothing(
    full_profile: Profile, engine: Engine, processes: Processes
) -> None:
    with (
        full_profile.client(front(full_profile)) as client,
        loaded(processes, front(full_profile), full_profile.key) as load,
    ):
        upload(client, "stripes", first=0, count=20)
        stored = count(client)
        crash(full_profile, engine, full_profile.container("postgres"))
        full_profile.until_healthy("postgres")
        until(lambda: client.put("/triggers/schedule", json={"schedule": None}).is_success)
        assert count(client) == stored
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
    print(f"\nPostgreSQL killed: {load.requests} requests, failed: {load.failures}")
    assert load.requests > 0
    assert load.failures == []


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Processes:
    return Processes(tmp_path_factory.mktemp("load"))


def crash(profile: Profile, engine: Engine, container: str) -> None:
    """Kill it, and wait until it is restarted."""
    before = engine.state(container)["Pid"]
    engine.crash(container, profile.image("api"))
    until(lambda: engine.state(container)["Pid"] not in (0, before))


def front(profile: Profile) -> str:
    """The API, through nginx."""
    return profile.url(profile.container("nginx"), 8000)


def served(profile: Profile) -> set[str]:
    """The set of versions that the replicas serve."""
    versions = set()
    for container in profile.containers("api"):
        with profile.client(profile.url(container, 8000)) as client:
            versions.add(client.get("/model-info").json()["model_info"]["version"])
    return versions


def count(client: httpx.Client) -> int:
    """How many photos are in the catalog."""
    total: int = client.get("/dataset/images").raise_for_status().json()["total"]
    return total


def graded(profile: Profile, container: str) -> float:
    """How many photos a replica has graded since it started."""
    with profile.client(profile.url(container, 8000)) as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    counted = [line for line in lines if line.startswith("ripeline_predictions_total")]
    return sum(float(line.rpartition(" ")[2]) for line in counted)


def watching(profile: Profile) -> Prometheus:
    return Prometheus(profile.url(profile.container("prometheus"), 9090))


def up(prometheus: Prometheus) -> dict[str, float]:
    """Whether Prometheus reaches each replica of the API."""
    return prometheus.series("instance", 'up{job="api"}')
