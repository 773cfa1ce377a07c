"""A replica and a worker are killed while people grade photographs."""

from tests.stack.learning import ended, start_run, upload
from tests.stack.load import loaded
from tests.stack.stack import Stack
from tests.waiting import until


def test_a_dead_replica_and_a_dead_worker_cost_nobody_a_request(stack: Stack) -> None:
    dead = "api-2"
    with stack.client() as client:
        with loaded(stack.processes, stack.url, stack.key) as load:
            upload(client, "stripes", first=0, count=20)
            until(lambda: busy(stack) == set(stack.replicas))
            run_id = start_run(client)
            worker = until(lambda: taken_by(stack, run_id))
            stack.processes.kill(worker)
            stack.processes.kill(dead)
            until(lambda: seen_dead(stack) == {dead})
            until(lambda: "ReplicaDown" in stack.prometheus.alerts())
            # The other worker puts the lost run right.
            assert ended(client, run_id)["state"] in ("interrupted", "succeeded")
            until(lambda: busy(stack) == set(stack.replicas) - {dead})
        again = ended(client, start_run(client))
        assert again["state"] == "succeeded", again["message"]
    stack.make_whole()
    until(lambda: not seen_dead(stack))
    print(f"\n{load.requests} requests, failed: {load.failures}")
    assert load.requests > 0
    assert load.failures == []


def busy(stack: Stack) -> set[str]:
    """The replicas that graded something in the last seconds, as Prometheus sees it."""
    query = "sum by (instance) (rate(ripeline_predictions_total[15s])) > 0"
    instances = stack.prometheus.by("instance", query)
    return {name for name in stack.replicas if place(stack, name) in instances}


def seen_dead(stack: Stack) -> set[str]:
    """The replicas that Prometheus cannot reach."""
    instances = stack.prometheus.by("instance", 'up{job="api"} == 0')
    return {name for name in stack.replicas if place(stack, name) in instances}


def taken_by(stack: Stack, run_id: str) -> str:
    """The worker that performs the run; empty while none has taken it."""
    said = {worker: stack.processes.said(worker) for worker in stack.workers}
    return next((worker for worker, text in said.items() if f"Run {run_id} begins." in text), "")


def place(stack: Stack, name: str) -> str:
    """What Prometheus calls the replica."""
    return stack.replicas[name].removeprefix("http://")
