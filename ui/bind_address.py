"""Refuses to serve an app without login to other machines, as the API does without keys.

The app uses its API key on behalf of everybody who opens it.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from settings import Settings


def check_bind_address(settings: Settings, address: str, *, has_login: bool) -> str:
    """Why the app must not listen on `address` ("" means all); empty if it may."""
    is_protected = has_login or bool(settings.ui_password.get_secret_value())
    if is_protected or settings.allow_open or _is_loopback(address):
        return ""
    # Without a key, an API on this machine still accepts changes from this machine.
    has_key = bool(settings.api_key.get_secret_value())
    if not has_key and not _is_loopback(urlsplit(settings.api_url).hostname or ""):
        return ""
    return (
        f"The app would listen on {address or 'all addresses'}, which other machines can reach, "
        "and anybody who opens it could change data and models. Set RIPELINE_UI_PASSWORD (openssl "
        "rand -hex 12 makes one) or a login (RIPELINE_OIDC_…), or RIPELINE_ALLOW_OPEN=1 if that is "
        "meant."
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # A name, or empty for all addresses.
        return False
