"""The tabs of the Retrain page: versions, past runs."""

from formatting import TEST_ACCURACY

from tests.ui import fake_learning as fake
from tests.ui.app_pages.retrain_page import AT, page_text, press, retrain_page
from tests.ui.app_pages.retrain_page import scripted as scripted  # noqa: PLC0414 - a fixture
from tests.ui.conftest import OpenPage
from tests.ui.fake_api import Answer, FakeApi, problem


def test_versions_are_listed_with_their_accuracy(open_page: OpenPage) -> None:
    page = retrain_page(open_page)

    table = page.dataframe[0].value
    assert table["Version"].tolist()[:2] == [fake.CANDIDATE, fake.CHAMPION]
    assert table["State"].tolist() == [
        "Never in use",
        "In use now",
        "In use before",
        "Files removed",
    ]
    assert table[TEST_ACCURACY].tolist() == ["97.0 %", "98.3 %", "—", "95.0 %"]
    assert page.selectbox[0].options == [fake.CANDIDATE, "20261119-100000-0000000"]
    changes = page.dataframe[1].value
    assert changes["How"].tolist() == ["Passed the checks", "The first one"]


def test_rollback_needs_confirmation_and_names_the_version(
    open_page: OpenPage, api: FakeApi
) -> None:
    api.answers["/models/rollback"] = Answer(
        {
            "version": "20261119-100000-0000000",
            "replaced": fake.CHAMPION,
            "kind": "rollback",
            "at": AT,
        }
    )
    page = press(retrain_page(open_page), "Roll back")

    assert "Version `20261119-100000-0000000` will replace" in page_text(page)
    assert page.table[0].value["In use now"].tolist() == ["98.0 %", "1.0 %"]
    assert page.table[0].value["New"].tolist() == ["97.0 %", "—"]
    assert not api.sent_to("/models/rollback")
    page.button(key="confirm-rollback").click().run()

    # Named: a second click, or a page older than another rollback, must not go further back.
    [sent] = [path for path, _ in api.received if path.startswith("/models/rollback")]
    assert sent == "/models/rollback?to=20261119-100000-0000000"
    assert not page.exception


def test_rejected_rollback_is_shown(open_page: OpenPage, api: FakeApi) -> None:
    api.answers["/models/rollback"] = problem(409, "Its files were removed to make room.")
    page = press(retrain_page(open_page), "Roll back")

    page.button(key="confirm-rollback").click().run()

    assert "Its files were removed to make room." in page.error[0].value


def test_with_one_version_promote_and_rollback_are_disabled(
    open_page: OpenPage, api: FakeApi
) -> None:
    only = fake.version(fake.CHAMPION, "champion", 0.98)
    api.answers["/models"] = Answer(
        {"champion": fake.CHAMPION, "rollback_to": None, "models": [only]}
    )

    page = retrain_page(open_page)

    assert [element.disabled for element in page.button] == [False, True, True]


def test_past_runs_are_listed(open_page: OpenPage, api: FakeApi) -> None:
    by_trigger = fake.RUN | {"started_by": "trigger:new-images", "verdict": fake.NOT_PASSED}
    api.answers["/runs"] = fake.runs(fake.RUN, by_trigger)

    page = retrain_page(open_page, "Past runs")

    table = page.dataframe[0].value
    assert table["Outcome"].tolist() == ["Passed the checks", "Did not pass the checks"]
    assert table["Started by"].tolist() == ["A person", "The trigger “New photos”"]
    assert table["Took"].tolist() == ["12 s", "12 s"]


def test_empty_run_list_says_so(open_page: OpenPage) -> None:
    assert "No run yet" in page_text(retrain_page(open_page, "Past runs"))
