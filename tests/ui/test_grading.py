"""Batch grading: names, thumbnails and errors stay together; the CSV escapes formulas."""

import csv
from collections.abc import Iterator
from io import StringIO

import pytest
from api_models import Prediction
from client import ApiClient
from photos import Photo
from transfer import grading
from transfer.background_upload import BackgroundUpload
from transfer.grading import Graded

from tests.ui.fake_api import OUTAGE, PREDICTION, Answer, FakeApi
from tests.ui.fake_collect import script, zipped
from tests.ui.fake_tray import TRAY, tray_answer
from tests.waiting import ANSWER_SECONDS, PATIENCE_SECONDS


@pytest.fixture
def client(api: FakeApi, photo: bytes) -> Iterator[ApiClient]:
    client = ApiClient(
        script(api, photo).address, timeout=ANSWER_SECONDS, health_timeout=ANSWER_SECONDS
    )
    yield client
    client.close()


def wait_for_rows(upload: BackgroundUpload[Graded]) -> list[Graded]:
    assert upload.wait(PATIENCE_SECONDS)
    return upload.rows


def graded(name: str, **changes: object) -> Graded:
    return Graded(name, None, Prediction.model_validate(PREDICTION | changes), None)


def test_each_file_has_its_own_thumbnail_and_grade_or_error(
    client: ApiClient, photo: bytes
) -> None:
    good, bad, rotten = wait_for_rows(
        grading.start(
            client,
            [Photo("a.jpg", photo), Photo("bad.jpg", b"x"), Photo("rotten.jpg", b"y")],
            "0" * 32,
        )
    )

    assert good.prediction is not None
    assert good.thumbnail is not None
    assert good.thumbnail.startswith("data:image/jpeg;base64,")
    assert (bad.prediction, bad.error) == (None, "This is no photo.")
    assert rotten.prediction is not None
    assert rotten.prediction.predicted_class == "rottenapples"
    assert rotten.thumbnail is None


def test_photos_in_a_zip_have_thumbnails(client: ApiClient, photo: bytes) -> None:
    rows = wait_for_rows(
        grading.start(
            client, [Photo("set.zip", zipped({"x/1.jpg": photo, "x/bad.jpg": b"x"}))], "0" * 32
        )
    )

    assert [row.name for row in rows] == ["set.zip/x/1.jpg", "set.zip/x/bad.jpg"]
    assert [row.thumbnail is None for row in rows] == [False, True]


def test_photos_with_the_same_name_keep_their_own_thumbnails(
    client: ApiClient, photo: bytes
) -> None:
    rows = wait_for_rows(
        grading.start(client, [Photo("1.jpg", b"no"), Photo("1.jpg", photo)], "0" * 32)
    )

    assert [row.thumbnail is None for row in rows] == [True, False]


def test_number_of_thumbnails_is_limited(
    client: ApiClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "MAX_THUMBNAILS", 30)

    rows = wait_for_rows(
        grading.start(client, [Photo(f"{n}.jpg", photo) for n in range(60)], "0" * 32)
    )

    assert len(rows) == 60
    assert sum(row.thumbnail is not None for row in rows) == 30


def test_truncated_response_is_requested_again(
    client: ApiClient, api: FakeApi, photo: bytes
) -> None:
    first = Answer('{"filename": "a.jpg", "error": {"detail": "cut"}}\n', content_type="ndjson")
    api.first["/predict/batch"] += [first, OUTAGE]

    [row] = wait_for_rows(grading.start(client, [Photo("a.jpg", photo)], "0" * 32))

    assert row.error is None
    assert len(api.sent_to("/predict/batch")) == 3
    # So that the API records the photo once.
    assert len(api.idempotency_keys) == 3
    assert len(set(api.idempotency_keys)) == 1
    wait_for_rows(grading.start(client, [Photo("a.jpg", photo)], "0" * 32))
    assert len(set(api.idempotency_keys)) == 2


def test_classes_and_unrecognised_photos_are_counted() -> None:
    rows = [
        graded("1"),
        graded("2", recognised=False),
        graded("3"),
        graded("4", predicted_class="kiwi"),
        Graded("5", None, None, "broken"),
    ]

    assert grading.by_class(rows) == {"freshapples": 2, None: 1, "kiwi": 1}


def test_csv_opens_in_spreadsheets_with_its_letters() -> None:
    text = grading.as_csv([Graded("pêche.jpg", None, None, "damaged")])

    assert text.encode().startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    assert (row["row"], row["filename"], row["error"]) == ("1", "pêche.jpg", "damaged")


def test_csv_has_both_labels_and_raw_values() -> None:
    rows = [
        graded("1", confidence=0.9731),
        graded("2", freshness_level="past_best", confidence=0.9999),
        graded("3", recognised=False),
        graded("4", predicted_class="dragon_fruit", fruit="dragon fruit", freshness=None),
    ]

    table = list(csv.DictReader(StringIO(grading.as_csv(rows))))

    assert [row["grade"] for row in table] == [
        "Fresh apple",
        "Apple, past its best",
        "Not known",
        "Dragon fruit",
    ]
    assert [row["confidence_percent"] for row in table[:2]] == ["97.3 %", "over 99.9 %"]
    assert float(table[0]["confidence"]) == 0.9731
    assert table[0]["predicted_class"] == "freshapples"
    of_a_fruit = ("predicted_class", "freshness_score", "freshness_level")
    for name in (*of_a_fruit, "confidence", "confidence_percent"):
        assert table[2][name] == ""
    assert table[2]["recognised"] == "False"


def test_csv_has_every_row_and_escapes_formulas() -> None:
    rows = [graded("=cmd()|'x'.jpg"), Graded("b.jpg", None, None, "+broken")]

    first, second = csv.DictReader(StringIO(grading.as_csv(rows)))

    assert first["filename"] == "'=cmd()|'x'.jpg"
    assert first["predicted_class"] == "freshapples"
    assert float(first["confidence"]) == PREDICTION["confidence"]
    assert first["freshness_level"] == PREDICTION["freshness_level"]
    assert first["error"] == ""
    assert (second["error"], second["predicted_class"]) == ("'+broken", "")


def test_csv_for_countries_with_a_decimal_comma() -> None:
    rows = [graded("a;b, c.jpg", confidence=0.9731), Graded("b.jpg", None, None, "no 1.5")]

    text = grading.as_csv(rows, decimal_comma=True).removeprefix("\ufeff")

    first, second = csv.DictReader(StringIO(text), delimiter=";")
    assert first["filename"] == "a;b, c.jpg"
    assert (first["confidence"], first["confidence_percent"]) == ("0,9731", "97,3 %")
    assert first["model_version"] == PREDICTION["model_version"]
    assert (second["error"], second["confidence"]) == ("no 1.5", "")


@pytest.mark.parametrize(
    ("tag", "has_comma"),
    [
        *(("de", True), ("de-DE", True), ("pt-BR", True), ("sr-Latn-RS", True), ("en-ZA", True)),
        *(("en-US", False), ("en", False), ("de-CH", False), ("es-MX", False), ("", False)),
        *(("ja-JP", False), ("FR_fr", True)),
    ],
)
def test_countries_with_a_decimal_comma(tag: str, has_comma: bool) -> None:
    assert grading.has_decimal_comma(tag) is has_comma


def test_csv_of_several_fruits_has_no_grade_of_one() -> None:
    tray = Prediction.model_validate(tray_answer(TRAY))
    one = Prediction.model_validate(tray_answer(TRAY[:1]))
    text = grading.as_csv([Graded("t", None, tray, None), Graded("o", None, one, None)])

    first, second = csv.DictReader(StringIO(text))
    assert (first["fruits"], first["not_known"], first["worst_level"]) == ("3", "1", "rotten")
    assert first["grade"].startswith("4 fruits: 1 rotten")
    assert first["predicted_class"] == first["confidence"] == first["confidence_percent"] == ""
    assert (second["fruits"], second["worst_level"], second["grade"]) == ("1", "", "Fresh apple")


def test_unrecognised_things_are_not_among_the_fruits_of_the_csv() -> None:
    answer = tray_answer([TRAY[0] | {"recognised": False}], recognised=False)
    shoe = Prediction.model_validate(answer)

    [row] = csv.DictReader(StringIO(grading.as_csv([Graded("s", None, shoe, None)])))

    assert (row["grade"], row["fruits"], row["not_known"]) == ("Not known", "0", "1")


def test_several_fruits_that_were_not_found_one_by_one_are_not_counted() -> None:
    """A model without a detector can still tell that there are several."""
    plain = Prediction.model_validate(PREDICTION | {"several": True})
    [row] = csv.DictReader(StringIO(grading.as_csv([Graded("t", None, plain, None)])))
    assert (row["grade"], row["fruits"], row["predicted_class"]) == ("Several fruits", "", "")
