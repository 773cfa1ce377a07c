"""A replica and a worker are killed under load."""

from tests.stack.load import loaded
from tests.stack.runs import start_run, upload, wait_for_run
from tests.stack.stack import Stack
from tests.waiting import until


def test_no_request_fails_when_a_replica_and_a_worker_are_killed(stack: Stack) -> None:
    killed = "api-2"
    with stack.client() as client:
        with loaded(stack.processes, stack.url, stack.key) as load:
            upload(client, "stripes", first=0, count=20)
            until(lambda: busy(stack) == set(stack.replicas))
            run_id = start_run(client)
            worker = until(lambda: worker_of(stack, run_id))
            stack.processes.kill(worker)
            stack.processes.kill(killed)
            until(lambda: unreachable(stack) == {killed})
            until(lambda: "ReplicaDown" in stack.prometheus.alerts())
            # It arrives through Alertmanager at the receiver in RIPELINE_NOTIFY.
            until(lambda: "Ripeline: ReplicaDown" in stack.webhook.titles)
            # The other worker reaps the lost run.
            assert wait_for_run(client, run_id)["state"] in ("interrupted", "succeeded")
            until(lambda: busy(stack) == set(stack.replicas) - {killed})
        second_run = wait_for_run(client, start_run(client))
        assert second_run["state"] == "succeeded", second_run["message"]
    stack.start_stopped()
    until(lambda: not unreachable(stack))
    print(f"\n{load.requests} requests, failed: {load.failures}")
    assert load.requests > 0
    assert load.failures == []


def busy(stack: Stack) -> set[str]:
    """Replicas with predictions in the last 15 seconds, according to Prometheus."""
    query = "sum by (instance) (rate(ripeline_predictions_total[15s])) > 0"
    instances = stack.prometheus.series("instance", query)
    return {name for name in stack.replicas if instance(stack, name) in instances}


def unreachable(stack: Stack) -> set[str]:
    """Replicas that Prometheus cannot scrape."""
    instances = stack.prometheus.series("instance", 'up{job="api"} == 0')
    return {name for name in stack.replicas if instance(stack, name) in instances}


def worker_of(stack: Stack, run_id: str) -> str:
    """The worker that executes the run; "" while it is queued."""
    logs = {worker: stack.processes.log(worker) for worker in stack.workers}
    return next((worker for worker, text in logs.items() if f"Run {run_id} begins." in text), "")


def instance(stack: Stack, name: str) -> str:
    """The replica's `instance` label."""
    return stack.replicas[name].removeprefix("http://")
