"""What a request must be before any route sees it: questions about its head alone, each with a yes or no."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_ENCODED_AGAIN = re.compile(r"%[0-9a-fA-F]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_plain_path(path: str) -> bool:
    """Whether a decoded path goes down only: no dots that climb, backslashes, or second encoding."""
    return not (
        not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or ".." in path.split("/")
        or _ENCODED_AGAIN.search(path)
        or _CONTROL.search(path)
    )


def host_name(host: str) -> str | None:
    """The name in a Host header, lower-case, without its port; None where it is none."""
    if not host or re.search(r"[\s/\\?#@%]", host):
        return None
    try:
        parts = urlsplit(f"//{host}")
        # Asked for, since only then its range is checked.
        _ = parts.port
    except ValueError:
        return None
    return None if parts.hostname is None else parts.hostname.rstrip(".")


def is_host(headers: Headers, names: frozenset[str]) -> bool:
    """Whether the server is called by one of its names.

    An address in digits is one of its names too where `names` is not empty: a page
    of another site can be made to resolve to this server (DNS rebinding), but only
    under that site's name.
    """
    hosts = headers.getlist("host")
    name = host_name(hosts[0]) if len(hosts) == 1 else None
    if name is None:
        return False
    return not names or name in names or _is_address(name)


def is_same_origin(scope: Scope, headers: Headers) -> bool:
    """Whether one of our own pages sent it, as the browser itself tells.

    An origin of ``null`` says nothing either way: a page that names no referrer has it
    too when it sends a form.

    Source: W3C Fetch Metadata; OWASP, Cross-Site Request Forgery Prevention.
    """
    origin = headers.get("origin")
    if origin not in (None, "null"):
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        return str(origin).lower() == f"{scheme}://{headers.get('host', '').lower()}"
    return headers.get("sec-fetch-site") == "same-origin"


def comes_from_elsewhere(headers: Headers) -> bool:
    """Whether the browser says that a page of another site asked."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def is_json(headers: Headers) -> bool:
    """Whether the body says it is JSON: no HTML form can say so."""
    return headers.get("content-type", "").split(";", maxsplit=1)[0].strip().lower() == "application/json"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
