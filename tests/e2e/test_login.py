"""A login by OIDC: real app, real browser, fake provider."""

from playwright.sync_api import Browser

from tests.e2e.fake_provider import CLIENT_ID, running_provider
from tests.e2e.pages import PATIENCE_MS, expect_title, wait_until_drawn
from tests.processes import app_process, free_port
from tests.ui.fake_api import FakeApi


def test_login_redirects_to_the_provider_and_back(browser: Browser) -> None:
    port = free_port()
    api = FakeApi()
    try:
        with running_provider() as provider:
            settings = {
                "RIPELINE_UI_URL": f"http://127.0.0.1:{port}",
                "RIPELINE_OIDC_METADATA_URL": provider.metadata_url,
                "RIPELINE_OIDC_CLIENT_ID": CLIENT_ID,
                "RIPELINE_OIDC_CLIENT_SECRET": "of the test",
                "RIPELINE_OIDC_COOKIE_SECRET": "0" * 64,
            }
            with app_process(api.address, settings, port) as (ui_url, _):
                page = browser.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(ui_url)
                expect_title(page, "Ripeline")
                assert not api.received

                page.get_by_role("button", name="Log in").click()
                wait_until_drawn(page, "")
                [login] = provider.logins
                assert login["client_id"] == CLIENT_ID
                assert login["response_type"] == "code"
                assert login["redirect_uri"] == f"http://127.0.0.1:{port}/oauth2callback"
                assert login["code_challenge_method"] == "S256"
                assert "openid" in login["scope"].split()

                page.reload()
                wait_until_drawn(page, "")
                page.close()
    finally:
        api.stop()
