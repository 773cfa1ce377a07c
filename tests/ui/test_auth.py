"""Access to the app: password, OIDC login, and a limit on attempts."""

import pytest
import streamlit as st
from auth import MAX_TRIES, WINDOW_SECONDS, LoginThrottle
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import APP, OpenPage
from tests.ui.fake_api import FakeApi
from tests.waiting import ANSWER_SECONDS


@pytest.fixture
def app(api: FakeApi, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("RIPELINE_UI_PASSWORD", "kürbis")
    return AppTest.from_file(APP, default_timeout=ANSWER_SECONDS)


def submit(app: AppTest, password: str) -> AppTest:
    app.text_input[0].set_value(password)
    app.button[0].click().run()
    assert not app.exception
    return app


def test_without_a_password_setting_the_app_is_open(open_page: OpenPage) -> None:
    assert open_page("predict").title[0].value == "Is it fresh?"


def test_nothing_is_shown_before_login(app: AppTest, api: FakeApi) -> None:
    app.run()

    assert not app.exception
    assert [title.value for title in app.title] == ["Ripeline"]
    assert not app.file_uploader
    assert not api.received


def test_correct_password_opens_every_page_of_the_session(app: AppTest) -> None:
    submit(app.run(), "kürbis")

    assert app.title[0].value == "Is it fresh?"
    assert app.switch_page("app_pages/training_data.py").run().title[0].value == "Training data"


def test_wrong_password_is_rejected(app: AppTest) -> None:
    submit(app.run(), "melone")

    assert app.title[0].value == "Ripeline"
    assert "not the password" in app.error[0].value


def test_attempts_are_limited_across_sessions(app: AppTest) -> None:
    app.run()
    for _ in range(MAX_TRIES):
        submit(app, "melone")
    other = AppTest.from_file(APP, default_timeout=ANSWER_SECONDS).run()

    submit(other, "kürbis")

    assert other.title[0].value == "Ripeline"
    assert "Try again in" in other.warning[0].value


def test_with_oidc_configured_the_app_requires_login(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = []
    monkeypatch.setattr("auth.find_spec", lambda name: object())
    monkeypatch.setattr(st, "login", lambda *provider: logins.append(provider))
    app.secrets["auth"] = {"redirect_uri": "http://x", "google": {"client_id": "x"}}
    app.user = {"is_logged_in": False}

    app.run()
    assert not app.text_input
    assert [button.label for button in app.button] == ["Log in with Google"]
    app.button[0].click().run()
    assert logins == [("google",)]

    app.user = {"is_logged_in": True}
    assert app.run().title[0].value == "Is it fresh?"


def test_oidc_without_authlib_says_what_to_install(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.find_spec", lambda name: None)
    app.user = {"is_logged_in": False}

    assert "Authlib" in app.run().error[0].value


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock)


def test_only_the_exact_password_is_accepted(throttle: LoginThrottle) -> None:
    assert throttle.check("kürbis", "kürbis")
    assert not throttle.check("kürbis", "kurbis")
    assert not throttle.check("kürbis", "")


def test_after_too_many_attempts_even_the_correct_password_has_to_wait(
    throttle: LoginThrottle, clock: Clock
) -> None:
    for _ in range(MAX_TRIES):
        assert throttle.seconds_to_wait() == 0
        assert not throttle.check("right", "wrong")
        clock.now += 1

    assert throttle.seconds_to_wait() == WINDOW_SECONDS - MAX_TRIES
    assert not throttle.check("right", "right")
    clock.now = WINDOW_SECONDS
    assert throttle.check("right", "right")


def test_correct_passwords_do_not_count_as_attempts(throttle: LoginThrottle) -> None:
    for _ in range(2 * MAX_TRIES):
        assert throttle.check("right", "right")
