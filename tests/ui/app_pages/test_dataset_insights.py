"""The Dataset insights page: filled, empty, slow, failing."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import OpenPage
from tests.ui.fake_api import OUTAGE, Answer, FakeApi, problem
from tests.ui.fake_insights import AUGMENTATION, IMAGE_ID, IMAGES, INSIGHTS, MAP, script

PAGE = "dataset_insights"


@pytest.fixture(autouse=True)
def scripted(api: FakeApi, photo: bytes) -> None:
    script(api)
    api.answers[f"/dataset/images/{IMAGE_ID}/photograph"] = Answer(photo, content_type="image/jpeg")


def written(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def part(page: AppTest, name: str) -> AppTest:
    chosen: Any = page.segmented_control(key="insight")
    found: AppTest = chosen.set_value(name).run()
    assert not found.exception
    return found


def test_balance_and_freshness_come_first_each_with_its_story(open_page: OpenPage) -> None:
    page = open_page(PAGE)

    assert not page.exception
    assert [header.value for header in page.header] == [
        "How even are the classes?",
        "Fresh against rotten",
    ]
    assert "Twice as many fresh apples." in written(page)
    assert "Twenty against ten." in written(page)
    assert len(page.get("plotly_chart")) == 2
    assert "4 that people added" in written(page)


@pytest.mark.parametrize(
    ("name", "story", "charts"),
    [
        ("Light and size", "Light does not give it away.", 2),
        ("Augmentation", "The score hardly moves.", 1),
        ("Map", "What is alike lies close.", 1),
        ("Copies", "85 % would have leaked.", 1),
    ],
)
def test_each_part_has_its_chart_and_story(
    open_page: OpenPage, name: str, story: str, charts: int
) -> None:
    page = part(open_page(PAGE), name)

    assert story in written(page)
    assert len(page.get("plotly_chart")) == charts


def test_copies_are_compared_with_a_split_by_file(open_page: OpenPage) -> None:
    page = part(open_page(PAGE), "Copies")

    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["If files were split"] == "85.3 %"
    assert shown["As photos are split here"] == "0.0 %"


def test_other_views_ask_for_another_seed(open_page: OpenPage, api: FakeApi) -> None:
    page = part(open_page(PAGE), "Augmentation")
    page.button[0].click().run()

    asked = [path for path, _ in api.received if path.startswith("/insights/augmentation")]
    assert ["seed=0" in asked[0], "seed=1" in asked[-1]] == [True, True]
    assert "View 8" in written(page)


def test_without_training_images_a_photo_is_asked_for(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/dataset/images"] = Answer(IMAGES | {"total": 0, "images": []})

    page = part(open_page(PAGE), "Augmentation")

    assert "No photo yet" in written(page)
    assert not page.button


def test_classes_without_freshness_show_no_scores(open_page: OpenPage, api: FakeApi) -> None:
    plain = {**AUGMENTATION["original"], "freshness_score": None, "predicted_class": "mango"}
    api.answers["/insights/augmentation"] = Answer(
        {**AUGMENTATION, "original": plain, "views": [plain] * 8, "freshness": None}
    )
    api.answers["/insights/dataset"] = Answer({**INSIGHTS, "freshness": None})

    page = open_page(PAGE)
    assert [header.value for header in page.header] == ["How even are the classes?"]
    page = part(page, "Augmentation")
    assert not page.get("plotly_chart")
    assert "Mango, 90.0 %" in written(page)


def test_without_measurements_there_are_no_charts(open_page: OpenPage, api: FakeApi) -> None:
    nothing = {"measured": 0, "not_measured": 30, "story": "Not measured."}
    sizes = {**INSIGHTS["sizes"], **nothing, "width": None, "height": None, "sizes": []}
    copies = {**INSIGHTS["copies"], "known": False, "histogram": [], "leak": None}
    answer = {**INSIGHTS, "appearance": {**nothing, "by_class": []}, "sizes": sizes}
    api.answers["/insights/dataset"] = Answer({**answer, "copies": copies})

    page = part(open_page(PAGE), "Light and size")
    assert not page.get("plotly_chart")
    assert written(page).count("Not measured.") == 2
    assert not part(page, "Copies").get("plotly_chart")


def test_without_data_it_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/dataset"] = Answer(
        {**INSIGHTS, "examples": 0, "counts": [], "balance": None, "freshness": None}
    )

    page = open_page(PAGE)

    assert not page.exception
    assert "Training data" in written(page)


@pytest.mark.parametrize(
    ("chosen", "text", "photos"),
    [
        (0, "freshapples/one · uploaded · learned from", 1),
        (1, "rottenapples/two · came with the model · measured on", 0),
        (7, "Choose a dot", 0),
    ],
)
def test_the_selected_dot_is_shown(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, chosen: int, text: str, photos: int
) -> None:
    # A test cannot click on a chart.
    monkeypatch.setattr(
        "components.dataset_insights.embedding_map.selectable_chart", lambda *_: chosen
    )

    page = part(open_page(PAGE), "Map")

    assert text in written(page)
    assert len(page.image) == photos


def test_only_those_with_a_photo_can_be_shown(open_page: OpenPage) -> None:
    page = part(open_page(PAGE), "Map")
    page.toggle[0].set_value(True).run()

    assert not page.exception
    [chart] = page.get("plotly_chart")
    assert chart.proto.alt.startswith("1 photo in two dimensions")


def test_a_persons_own_photo_is_sent_and_shown(
    open_page: OpenPage, api: FakeApi, photo: bytes
) -> None:
    page = part(open_page(PAGE), "Augmentation")
    page.segmented_control(key="augmented").set_value("A photo of mine").run()
    page.file_uploader(key="augmented_photo").set_value(("apple.jpg", photo, "image/jpeg")).run()

    assert not page.exception
    assert any(photo in body for body in api.sent_to("/insights/augmentation"))
    assert "The score hardly moves." in written(page)


def test_an_empty_map_says_what_to_do(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/map"] = Answer({**MAP, "points": []})

    assert "Nothing to show yet" in written(part(open_page(PAGE), "Map"))


def test_a_rejection_is_shown_in_the_apis_words(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/insights/augmentation"] = problem(404, "There is no such image.")

    page = part(open_page(PAGE), "Augmentation")

    assert "There is no such image." in page.error[0].value


@pytest.mark.parametrize("path", ["/insights/dataset", "/insights/map"])
def test_an_outage_can_be_retried(open_page: OpenPage, api: FakeApi, path: str) -> None:
    api.answers[path] = OUTAGE

    page = part(open_page(PAGE), "Map")
    assert [button.label for button in page.button] == ["Try again"]
    script(api)
    page.button[0].click().run()

    assert "What is alike lies close." in written(page)
