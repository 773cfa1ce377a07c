"""Sends all kinds of hostile requests, mixed by a seed, to a local service."""

import random
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import httpx

from tests.hostile.archives import corrupted, zips
from tests.hostile.files import bombs, mutated, whole_files
from tests.hostile.forms import PATHS, malformed_forms, packed
from tests.hostile.fuzz_payloads import payloads
from tests.hostile.requests import Attack, form_request, request
from tests.hostile.requests import field as form_field
from tests.synthetic_images import draw_fruit, encode

SENDERS = 4
TIMEOUT_SECONDS = 60.0
READ_BYTES = 64 * 2**10


@dataclass
class Outcome:
    """Statuses of the responses, and the responses that are faults."""

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, attack: Attack, answer: bytes) -> None:
        status = int(answer[9:12]) if answer[:5] == b"HTTP/" else 0
        if not status:
            self.unanswered += 1
            self.faults.append(f"{attack.name}: no answer")
            return
        self.statuses[status] += 1
        overloaded = status == 503 and b"\r\nretry-after:" in answer.lower()
        if status >= 500 and not overloaded:
            self.faults.append(f"{attack.name}: {answer[:600]!r}")


def attacks(url: str, seed: int) -> Iterator[Attack]:
    """An endless series, determined by the seed: mostly mutated files, with one form in seven."""
    rng = random.Random(seed)  # noqa: S311
    described = httpx.get(f"{url}/openapi.json", timeout=TIMEOUT_SECONDS, trust_env=False)
    paths = described.json()["paths"]
    files, image = whole_files(), encode(draw_fruit("freshapples", 1), "JPEG")
    archives = zips(image)
    forms, invalid = malformed_forms(image, rng), payloads(paths, rng)
    lot = _opened_lot(url)
    photo_paths = (*PATHS, lot + b"/photos")
    expensive = iter([*archives.items(), *bombs().items()] * 2)
    for number in range(10**9):
        kind = number % 7
        if kind == 0:
            yield next(forms)
        elif kind in (1, 2):
            yield next(invalid)
        elif kind == 3 and number % 3 == 0 and (file := next(expensive, None)):
            yield _upload(*file, rng, photo_paths)
        elif kind == 3 and number % 5 == 0:
            yield request("report", b"GET", lot + rng.choice((b"/report.pdf", b"/report.xlsx")))
        elif kind == 3 and number % 5 == 1:
            yield packed(*mutated(files, rng), rng)
        elif kind == 4:
            yield _upload(*corrupted(archives, rng), rng, photo_paths)
        else:
            yield _upload(*mutated(files, rng), rng, photo_paths)


def _opened_lot(url: str) -> bytes:
    """The path of a new inspection, whose name is a formula."""
    lot = {"lot": '=HYPERLINK("http://127.0.0.1:1")<script>', "supplier": "@\u202e\U0001f34e苹果"}
    opened = httpx.post(f"{url}/inspections", json=lot, timeout=TIMEOUT_SECONDS, trust_env=False)
    assert opened.status_code == 201, opened.text
    return f"/inspections/{opened.json()['id']}".encode()


def send_attacks(port: int, attacks: Iterable[Attack], count: int) -> Outcome:
    """Send the first `count` attacks, SENDERS at a time."""
    outcome = Outcome()

    def send(attack: Attack) -> None:
        outcome.note(attack, _answer(port, attack))

    with ThreadPoolExecutor(SENDERS) as senders:
        # In chunks, since `map` would hold all bodies in memory.
        first = islice(attacks, count)
        while part := list(islice(first, 8 * SENDERS)):
            list(senders.map(send, part))
    return outcome


def _upload(name: str, data: bytes, rng: random.Random, paths: Sequence[bytes]) -> Attack:
    path = rng.choice(paths)
    endpoint = path.partition(b"?")[0]
    if rng.random() < 0.3 and endpoint in (b"/predict", b"/insights/augmentation"):
        kind = rng.choice((b"image/jpeg", b"image/png", b"image/heic", b"image/x"))
        return request(f"raw {name}", b"POST", path, [(b"Content-Type", kind)], data)
    field_name = b"file" if endpoint in (b"/predict", b"/insights/augmentation") else b"files"
    parts = [form_field(field_name, data, name.encode()), form_field(b"class_name", b"freshapples")]
    return form_request(f"{path.decode()} {name}", path, parts)


def _answer(port: int, attack: Attack) -> bytes:
    """The first bytes of the response; empty if the server closed the connection without one."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        answer = b""
        try:
            connection.sendall(attack.data)
            if not attack.complete:  # So that the server does not wait for the rest.
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # The server has answered and closed the connection.
            pass
        try:
            while part := connection.recv(READ_BYTES):
                answer = (answer + part)[:READ_BYTES]
        except TimeoutError:
            return answer if answer else b"HTTP/1.1 599 no answer in time"
        except ConnectionError:
            pass
        return answer
