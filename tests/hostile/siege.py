"""Everything hostile, mixed by a seed, sent to a service over loopback."""

import random
import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import httpx

from tests.drawing import draw_fruit, encode
from tests.hostile.archives import broken, zips
from tests.hostile.files import mutated, promises, whole_files
from tests.hostile.forms import PATHS, odd_forms
from tests.hostile.junk import junk
from tests.hostile.requests import Attack, request, sent_as_form
from tests.hostile.requests import field as form_field

SENDERS = 4
PATIENCE_SECONDS = 60.0
READ_BYTES = 64 * 2**10


@dataclass
class Outcome:
    """What became of a siege."""

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, attack: Attack, answer: bytes) -> None:
        status = int(answer[9:12]) if answer[:5] == b"HTTP/" else 0
        if not status:
            self.unanswered += 1
            if attack.complete:
                self.faults.append(f"{attack.name}: no answer")
            return
        self.statuses[status] += 1
        told = status == 503 and b"\r\nretry-after:" in answer.lower()
        if status >= 500 and not told:
            self.faults.append(f"{attack.name}: {answer[:600]!r}")


def attacks(url: str, seed: int) -> Iterator[Attack]:
    """Without end, and the same for the same seed: mostly mutated files, one in seven a form."""
    chance = random.Random(seed)  # noqa: S311
    paths = httpx.get(f"{url}/openapi.json", trust_env=False).json()["paths"]
    files, picture = whole_files(), encode(draw_fruit("freshapples", 1), "JPEG")
    archives, traps = zips(picture), promises()
    forms, rubbish = odd_forms(picture, chance), junk(paths, chance)
    rare = iter([*archives.items(), *traps.items()] * 2)
    for number in range(10**9):
        kind = number % 7
        if kind == 0:
            yield next(forms)
        elif kind in (1, 2):
            yield next(rubbish)
        elif kind == 3 and number % 3 == 0 and (trap := next(rare, None)):
            yield _sent(*trap, chance)
        elif kind == 4:
            yield _sent(*broken(archives, chance), chance)
        else:
            yield _sent(*mutated(files, chance), chance)


def besiege(port: int, hostile: Iterable[Attack], count: int) -> Outcome:
    """Send `count` of them, a few at a time."""
    outcome = Outcome()

    def one(attack: Attack) -> None:
        outcome.note(attack, _answer(port, attack))

    with ThreadPoolExecutor(SENDERS) as senders:
        # Not all at once: some of them are long.
        chosen = islice(hostile, count)
        while part := list(islice(chosen, 8 * SENDERS)):
            list(senders.map(one, part))
    return outcome


def _sent(name: str, data: bytes, chance: random.Random) -> Attack:
    path = chance.choice(PATHS)
    if chance.random() < 0.3 and path in (b"/predict", b"/insights/augmentation"):
        kind = chance.choice((b"image/jpeg", b"image/png", b"image/heic", b"image/x"))
        return request(f"raw {name}", b"POST", path, [(b"Content-Type", kind)], data)
    named = b"files" if path in (b"/predict/batch", b"/upload-training-data") else b"file"
    parts = [form_field(named, data, name.encode()), form_field(b"class_name", b"freshapples")]
    return sent_as_form(f"{path.decode()} {name}", path, parts)


def _answer(port: int, attack: Attack) -> bytes:
    """The first bytes of what comes back; nothing where the server closed before it answered."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        found = b""
        try:
            connection.sendall(attack.data)
            if not attack.complete:  # Nothing more will come: the server need not wait.
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # It has answered already and closed.
            pass
        try:
            while part := connection.recv(READ_BYTES):
                found = (found + part)[:READ_BYTES]
        except TimeoutError:
            return found if found else b"HTTP/1.1 599 no answer in time"
        except ConnectionError:
            pass
        return found
