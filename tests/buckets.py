"""An S3 server (moto) in this process, and new buckets on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import s3fs
from moto.server import ThreadedMotoServer

from tests.processes import free_port


@contextmanager
def running_s3() -> Iterator[dict[str, str]]:
    """A running server; yields the environment variables for boto."""
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()


def fresh_bucket() -> str:
    """The URL of a new bucket on the server in the environment."""
    name = f"test-{uuid4().hex}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"
