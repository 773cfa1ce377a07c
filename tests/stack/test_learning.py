"""All replicas follow uploads, retraining, promotion and rollback."""

from tests.stack.runs import start_run, upload, wait_for_run
from tests.stack.stack import Stack
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until


def test_every_replica_follows_promotion_and_rollback(stack: Stack) -> None:
    with stack.client() as client:
        before = client.get("/model-info").json()["model_info"]["version"]
        assert upload(client, "rings", first=0, count=60) == 60
        run = wait_for_run(client, start_run(client))
        assert run["state"] == "succeeded", run["message"]
        assert run["verdict"]["promote"], run["verdict"]["reasons"]
        stack.until_all_serve(run["candidate"])
        until(lambda: graded_by_all(stack, run["candidate"]))

        rolled_back = client.post("/models/rollback")
        assert rolled_back.status_code == 200, rolled_back.text
        stack.until_all_serve(before)


def test_every_replica_serves_every_uploaded_image(stack: Stack) -> None:
    with stack.client() as client:
        upload(client, "squares", first=0, count=20)
    contents = []
    for url in stack.replicas.values():
        with stack.client(url) as replica:
            images = replica.get("/dataset/images", params={"class_name": "squares"}).json()
            ids = [image["id"] for image in images["images"]]
            answers = [replica.get(f"/dataset/images/{one}/photograph") for one in ids]
            contents.append([answer.content for answer in answers])
            assert all(answer.is_success for answer in answers)
    assert len(contents[0]) == 20
    assert contents == [contents[0]] * len(stack.replicas)


def graded_by_all(stack: Stack, version: str) -> bool:
    """Grade once more, and return whether Prometheus has predictions by `version` from each
    replica."""
    image = encode(draw_fruit("freshapples"), "JPEG")
    with stack.client() as client:
        answer = client.post("/predict", files={"file": ("a.jpg", image)})
    assert answer.json()["model_version"] == version
    query = f'sum by (instance) (ripeline_predictions_total{{version="{version}"}}) > 0'
    return len(stack.prometheus.series("instance", query)) == len(stack.replicas)
