"""The same model behind LitServe: `python -m benchmarks.peers.lit PORT`, in `.venv-bench`."""

import sys

import litserve
from fastapi import Request

from benchmarks.peers.grading import Grading


class Grader(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.grading = Grading()

    def decode_request(self, request: Request) -> bytes:
        # For a form, LitServe passes its fields.
        data: bytes = request["file"].file.read()
        return data

    def predict(self, data: bytes) -> dict[str, float]:
        return self.grading(data)

    def encode_response(self, output: dict[str, float]) -> dict[str, object]:
        best = max(output, key=lambda name: output[name])
        return {"predicted_class": best, "confidence": output[best], "probabilities": output}


if __name__ == "__main__":
    server = litserve.LitServer(Grader(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
