"""The Dataset insights page: filled, empty, slow, failing."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_insights import AUGMENTATION, IMAGE_ID, IMAGES, INSIGHTS, MAP
from tests.ui.fake_report import script

PAGE = "dataset_insights"


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api)
    api.answers[f"/dataset/images/{IMAGE_ID}/photograph"] = Answer(photo, content_type="image/jpeg")


def page_text(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def part(page: AppTest, name: str) -> AppTest:
    control: Any = page.segmented_control(key="insight")
    changed: AppTest = control.set_value(name).run()
    assert not changed.exception
    return changed


def test_balance_and_freshness_are_shown_first(open_page: OpenPage) -> None:
    page = open_page(PAGE)

    assert not page.exception
    assert [header.value for header in page.header] == [
        "How even are the classes?",
        "Fresh against rotten",
    ]
    assert "Twice as many fresh apples." in page_text(page)
    assert "Twenty against ten." in page_text(page)
    assert len(page.get("plotly_chart")) == 2
    assert "4 that people added" in page_text(page)


@pytest.mark.parametrize(
    ("name", "story", "charts"),
    [
        ("Light and size", "Light does not give it away.", 2),
        ("Augmentation", "The score hardly moves.", 1),
        ("Map", "What is alike lies close.", 1),
        ("Copies", "85 % would have leaked.", 1),
    ],
)
def test_each_part_has_its_charts_and_text(
    open_page: OpenPage, name: str, story: str, charts: int
) -> None:
    page = part(open_page(PAGE), name)

    assert story in page_text(page)
    assert len(page.get("plotly_chart")) == charts


def test_copies_are_compared_with_a_split_by_file(open_page: OpenPage) -> None:
    page = part(open_page(PAGE), "Copies")

    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["If files were split"] == "85.3 %"
    assert metrics["As photos are split here"] == "0.0 %"


def test_other_views_request_another_seed(open_page: OpenPage, api: FakeApi) -> None:
    page = part(open_page(PAGE), "Augmentation")
    page.button[0].click().run()

    requests = [path for path, _ in api.received if path.startswith("/insights/augmentation")]
    assert ["seed=0" in requests[0], "seed=1" in requests[-1]] == [True, True]
    assert "View 8" in page_text(page)


def test_without_training_images_augmentation_shows_no_photo(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 0, "images": []})

    page = part(open_page(PAGE), "Augmentation")

    assert "No photo yet" in page_text(page)
    assert not page.button


def test_classes_without_freshness_show_no_scores(open_page: OpenPage, api: FakeApi) -> None:
    unscored = {**AUGMENTATION["original"], "freshness_score": None, "predicted_class": "mango"}
    api.answers["/insights/augmentation"] = Answer(
        {**AUGMENTATION, "original": unscored, "views": [unscored] * 8, "freshness": None}
    )
    api.answers["/insights/dataset"] = Answer({**INSIGHTS, "freshness": None})

    page = open_page(PAGE)
    assert [header.value for header in page.header] == ["How even are the classes?"]
    page = part(page, "Augmentation")
    assert not page.get("plotly_chart")
    assert "Mango, 90.0 %" in page_text(page)


def test_without_measurements_there_are_no_charts(open_page: OpenPage, api: FakeApi) -> None:
    nothing = {"measured": 0, "not_measured": 30, "story": "Not measured."}
    sizes = {**INSIGHTS["sizes"], **nothing, "width": None, "height": None, "sizes": []}
    copies = {**INSIGHTS["copies"], "known": False, "histogram": [], "leak": None}
    answer = {**INSIGHTS, "appearance": {**nothing, "by_class": []}, "sizes": sizes}
    api.answers["/insights/dataset"] = Answer({**answer, "copies": copies})

    page = part(open_page(PAGE), "Light and size")
    assert not page.get("plotly_chart")
    assert page_text(page).count("Not measured.") == 2
    assert not part(page, "Copies").get("plotly_chart")


def test_without_data_the_page_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/dataset"] = Answer(
        {**INSIGHTS, "examples": 0, "counts": [], "balance": None, "freshness": None}
    )

    page = open_page(PAGE)

    assert not page.exception
    assert "Training data" in page_text(page)


@pytest.mark.parametrize(
    ("selected", "text", "photos"),
    [
        (0, "freshapples/one · uploaded · learned from", 1),
        (1, "rottenapples/two · came with the model · measured on", 0),
        (7, "Choose a dot", 0),
    ],
)
def test_selected_dot_is_shown(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, selected: int, text: str, photos: int
) -> None:
    # AppTest cannot click on a chart.
    monkeypatch.setattr(
        "components.dataset_insights.embedding_map.selectable_chart", lambda *_: selected
    )

    page = part(open_page(PAGE), "Map")

    assert text in page_text(page)
    assert len(page.image) == photos


def test_map_can_be_limited_to_points_with_a_photo(open_page: OpenPage) -> None:
    page = part(open_page(PAGE), "Map")
    page.toggle[0].set_value(True).run()

    assert not page.exception
    [chart] = page.get("plotly_chart")
    assert chart.proto.alt.startswith("1 photo in two dimensions")


def test_uploaded_photo_is_sent_and_augmented(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    page = part(open_page(PAGE), "Augmentation")
    page.segmented_control(key="augmented").set_value("A photo of mine").run()
    page.file_uploader(key="augmented_photo").set_value(("apple.jpg", photo, "image/jpeg")).run()

    assert not page.exception
    assert any(photo in body for body in api.sent_to("/insights/augmentation"))
    assert "The score hardly moves." in page_text(page)


def test_empty_map_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/map"] = Answer({**MAP, "points": []})

    assert "Nothing to show yet" in page_text(part(open_page(PAGE), "Map"))


def test_rejected_request_shows_the_detail_of_the_api(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/augmentation"] = problem(404, "There is no such image.")

    page = part(open_page(PAGE), "Augmentation")

    assert "There is no such image." in page.error[0].value


@pytest.mark.parametrize("path", ["/insights/dataset", "/insights/map"])
def test_failed_request_can_be_retried(open_page: OpenPage, api: FakeApi, path: str) -> None:
    api.answers[path] = OUTAGE

    page = part(open_page(PAGE), "Map")
    assert [button.label for button in page.button] == ["Try again"]
    script(api)
    page.button[0].click().run()

    assert "What is alike lies close." in page_text(page)
