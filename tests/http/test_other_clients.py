"""Requests as other tools send them: forms, compressed bodies, HEAD."""

import base64
import gzip
import io
import zipfile
import zlib

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.http.content_encoding import CHUNK_BYTES
from tests.synthetic_images import draw_fruit, encode

PHOTO = encode(draw_fruit("freshapples"), "JPEG")
DOTNET = 'name="file"; filename="=?utf-8?B?cMOqY2hlLmpwZw==?="'
FORM = {"content-type": "multipart/form-data; boundary=b"}


def part(disposition: str, data: bytes = PHOTO, kind: str | None = "image/jpeg") -> bytes:
    content_type = f"Content-Type: {kind}\r\n" if kind else ""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{content_type}\r\n"
    return head.encode() + data + b"\r\n"


def send(client: TestClient, body: bytes, path: str = "/predict") -> Response:
    return client.post(path, content=body + b"--b--\r\n", headers=FORM)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("name=\"file\"; filename*=UTF-8''p%C3%AAche.jpg", "pêche.jpg"),
        ("name=\"file\"; filename*=iso-8859-1'en'p%EAche.jpg", "pêche.jpg"),
        ("name=\"file\"; filename*=Shift_JIS''%93%8D.jpg", "桃.jpg"),
        ("name=\"file\"; filename*=gb18030''%CC%D2.jpg", "桃.jpg"),
        ("name=\"file\"; filename*=windows-1252''p%EAche.jpg", "pêche.jpg"),
        ('name="file"; filename*="p%C3%AAche.jpg"', "pêche.jpg"),
        ('name="file"; filename*=nothing\'\'%93%8D.jpg; filename="a.jpg"', "a.jpg"),
        ("name=\"file\"; filename*=undefined''%93%8D.jpg", ""),
        ('name="file"; filename*=utf-8\'\'a.jpg; filename="b.jpg"', "a.jpg"),
        (f"{DOTNET}; filename*=utf-8''p%C3%AAche.jpg", "pêche.jpg"),
        (DOTNET, "pêche.jpg"),
        ('name="file"; filename="=?iso-8859-1?Q?p=EAche.jpg?="', "pêche.jpg"),
        ('name="file"; filename="=?nothing?B?cMOq?="', "=?nothing?B?cMOq?="),
        ('name="file"; filename="5%22 apple.jpg"', '5" apple.jpg'),
        ('name="file"; filename="100% apple %41.jpg"', "100% apple %41.jpg"),
        ("name=file; filename=a.jpg", "a.jpg"),
        ('name="file"', ""),
    ],
)
def test_file_has_the_name_that_it_had(client: TestClient, disposition: str, name: str) -> None:
    answer = send(client, part(disposition))
    assert answer.status_code == 200, answer.text
    seen = client.get(f"/predictions/{answer.json()['prediction_id']}").json()
    assert seen["filename"] == name


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/x-anything"])
def test_part_of_a_file_type_needs_no_name(client: TestClient, kind: str) -> None:
    assert send(client, part('name="file"', kind=kind)).status_code == 200


@pytest.mark.parametrize("kind", [None, "text/plain"])
def test_text_in_place_of_the_file_is_refused_with_the_reason(
    client: TestClient, kind: str | None
) -> None:
    answer = send(client, part('name="file"', b"words", kind))
    assert (answer.status_code, answer.json()["code"]) == (422, "missing-file")
    assert "filename" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["base64", "BASE64", "quoted-printable"])
def test_binary_file_sent_as_text_is_refused_with_the_reason(
    client: TestClient, encoding: str
) -> None:
    form = part('name="file"; filename="a.jpg"', base64.b64encode(PHOTO))
    form = form.replace(b"Content-Type", f"Content-Transfer-Encoding: {encoding}\r\nX-A".encode())
    answer = send(client, form)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
    assert "Content-Transfer-Encoding" in answer.json()["detail"]
    plain = part('name="file"; filename="a.jpg"')
    plain = plain.replace(b"Content-Type", b"Content-Transfer-Encoding: binary\r\nX-A")
    assert send(client, plain).status_code == 200


def test_uploads_and_batches_take_the_same_forms(client: TestClient) -> None:
    forms = part("name=\"files\"; filename*=UTF-8''p%C3%AAche.jpg") + part('name="files"')
    batch = send(client, b"words before\r\n" + forms, "/predict/batch")
    assert [row["filename"] for row in batch.json()["results"]] == ["pêche.jpg", "photograph"]
    named = part('name="class_name"', b"mango", "text/plain; charset=utf-8")
    upload = send(client, named + forms, "/upload-training-data").json()
    assert len(upload["uploaded_files"]) + len(upload["duplicates"]) == 2
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.jpg", PHOTO)
    packed = part('name="files"', zipped.getvalue(), "application/zip")
    assert send(client, packed, "/predict/batch").json()["summary"]["graded"] == 1


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/upload-training-data"])
def test_character_set_that_decodes_nothing_is_refused(client: TestClient, path: str) -> None:
    field = "file" if path == "/predict" else "files"
    answer = client.post(
        path,
        content=part(f'name="{field}"; filename="a.jpg"') + b"--b--\r\n",
        headers={"content-type": f"{FORM['content-type']}; charset=undefined"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable-charset")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"\x1f\x8b\x08", "compressed with gzip"),
        (b"PK\x07\x08", "a part of a split zip"),
    ],
)
def test_other_archive_is_not_asked_for_its_class(
    client: TestClient, start: bytes, kind: str
) -> None:
    form = part('name="files"; filename="fruits"', start + bytes(100))
    answer = send(client, form, "/upload-training-data")
    assert (answer.status_code, answer.json()["code"]) == (415, "not-an-image")
    assert kind in answer.json()["detail"]


@pytest.mark.parametrize(
    "before", [b"", b"\r\n", b"This is a message in MIME format.\r\n", b"--bb\r\n" * 500, b"a\n"]
)
def test_text_before_the_first_boundary_is_ignored(client: TestClient, before: bytes) -> None:
    assert send(client, before + part('name="file"; filename="a.jpg"')).status_code == 200


@pytest.mark.parametrize("before", [b"x" * 100, b"x" * 200_000, b"--c\r\n"])
def test_form_without_its_boundary_is_refused(client: TestClient, before: bytes) -> None:
    answer = client.post("/predict", content=before, headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize("before", [b"", b"words\n"])
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_form_with_bare_line_feeds_is_refused_with_the_reason(
    client: TestClient, path: str, before: bytes
) -> None:
    form = part('name="file"; filename="a.jpg"', b"words").replace(b"\r\n", b"\n") + b"--b--\n"
    answer = client.post(path, content=before + form, headers=FORM)
    assert answer.status_code == 400
    assert "lines end in LF alone" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"ids":' + b"[" * 100_000, 400, "nested too deeply"),
        ('{"ids": ["ä"]}'.encode("latin-1"), 400, "not in UTF-8"),
        (b'{"ids": [' + b"9" * 10_000 + b"]}", 400, "too many digits"),
        (b'{"ids": ["a"]} x', 422, "not JSON: Extra data, at character 15."),
        (b"{'ids': []}", 422, "at character 1."),
        (b'\xef\xbb\xbf{"ids": ["a"]}', 422, "body.ids.0"),
    ],
    ids=["deep", "latin-1", "digits", "comma", "quotes", "mark"],
)
def test_json_that_cannot_be_read_is_refused_with_the_reason(
    client: TestClient, body: bytes, status: int, reason: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/dataset/images/remove", content=body, headers=headers)
    assert answer.status_code == status
    assert reason in answer.json()["detail"]


@pytest.mark.parametrize("cut", [1, 100, len(PHOTO)])
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/upload-training-data"])
def test_form_that_is_cut_off_is_refused_whole(client: TestClient, path: str, cut: int) -> None:
    named = part('name="class_name"', b"mango", "text/plain")
    form = named + part('name="files"; filename="1.jpg"') + part('name="file"; filename="2.jpg"')
    before = client.get("/dataset/images").json()["total"]
    answer = client.post(path, content=form[:-cut], headers=FORM)
    assert answer.status_code == 400, answer.text
    assert "cut off" in answer.json()["detail"]
    assert client.get("/dataset/images").json()["total"] == before


@pytest.mark.parametrize("end", [b"--b", b"--b\r\n", b"--b--", b"--b--\r\nwords after"])
def test_forgotten_hyphens_and_words_at_the_end_lose_no_file(
    client: TestClient, end: bytes
) -> None:
    form = part('name="files"; filename="1.jpg"') + part('name="files"; filename="2.jpg"')
    answer = client.post("/predict/batch", content=form + end, headers=FORM)
    assert answer.json()["summary"]["graded"] == 2, answer.text


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(PHOTO)),
        ("GZIP", gzip.compress(PHOTO[:1000]) + gzip.compress(PHOTO[1000:])),
        ("x-gzip", gzip.compress(PHOTO)),
        ("deflate", zlib.compress(PHOTO)),
        # Without zlib's header, as some clients send it.
        ("deflate", zlib.compress(PHOTO, wbits=-15)),
        ("deflate", zlib.compress(PHOTO, 0, wbits=-15)),
        ("identity", PHOTO),
    ],
)
def test_packed_body_is_unpacked(client: TestClient, encoding: str, packed: bytes) -> None:
    headers = {"content-type": "image/jpeg", "content-encoding": encoding}
    plain = client.post("/predict", content=PHOTO, headers={"content-type": "image/jpeg"})
    answer = client.post("/predict", content=packed, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["probabilities"] == plain.json()["probabilities"]


def test_packed_form_and_packed_json(client: TestClient) -> None:
    headers = {"content-encoding": "gzip"}
    form = gzip.compress(part('name="file"; filename="a.jpg"') + b"--b--\r\n")
    assert client.post("/predict", content=form, headers=FORM | headers).status_code == 200
    body = gzip.compress(b'{"ids": ["nothing"]}')
    headers |= {"content-type": "application/json"}
    answer = client.post("/dataset/images/remove", content=body, headers=headers)
    assert "body.ids.0" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_other_encodings_are_refused_by_name(client: TestClient, encoding: str) -> None:
    headers = {"content-type": "image/jpeg", "content-encoding": encoding}
    answer = client.post("/predict", content=PHOTO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-encoding")
    assert encoding in answer.json()["detail"]


@pytest.mark.parametrize("body", [PHOTO, gzip.compress(PHOTO)[:-20], gzip.compress(PHOTO) + b"x"])
def test_broken_packing_is_refused(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "image/jpeg", "content-encoding": "gzip"}
    answer = client.post("/predict", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "broken-encoding")


@pytest.mark.slow
def test_compressed_body_is_bounded_while_it_is_decompressed(client: TestClient) -> None:
    bomb = gzip.compress(bytes(400 * 2**20), 9)
    headers = {"content-type": "image/jpeg", "content-encoding": "gzip"}
    answer = client.post("/predict", content=bomb, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    exactly = gzip.compress(bytes(3 * CHUNK_BYTES))
    assert client.post("/predict", content=exactly, headers=headers).status_code == 415


@pytest.mark.parametrize("path", ["/", "/health", "/live", "/ready", "/models", "/docs"])
def test_head_answers_as_get_without_a_body(client: TestClient, path: str) -> None:
    expected, answer = client.get(path), client.head(path)
    assert answer.status_code == expected.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-type"] == expected.headers["content-type"]


def test_head_without_a_get_is_refused(client: TestClient) -> None:
    answer = client.head("/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert client.head("/nowhere").status_code == 404
    assert client.head("/predictions/nothing").status_code == 404
    assert client.put("/models").headers["allow"] == "GET, HEAD"
