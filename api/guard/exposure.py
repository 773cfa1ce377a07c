"""Whether an address can be reached from other machines, and what may then be open."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from api.settings import Settings


def objection(settings: Settings) -> str:
    """Why the service must not listen as the settings say; empty where it may."""
    if settings.allow_open or settings.has_keys or _is_loopback(settings.host):
        return ""
    return (
        f"RIPELINE_HOST={settings.host} can be reached from other machines, where anybody could "
        "change data and models. Set RIPELINE_CHANGE_KEYS (openssl rand -hex 32 makes a key), or "
        "RIPELINE_ALLOW_OPEN=1 if that is meant."
    )


def reached_from_outside(server: tuple[str, int | None] | None) -> bool:
    """Of the end of a connection on this machine, as ASGI gives it; a socket file is inside."""
    address = _address(server[0]) if server else None
    return address is not None and not address.is_loopback


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


@lru_cache(maxsize=256)
def _address(host: str) -> IPv4Address | IPv6Address | None:
    """None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
