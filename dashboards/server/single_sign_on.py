"""Logging in through an identity provider: Streamlit speaks OpenID Connect, then our own session begins.

`[auth]` in `.streamlit/secrets.toml` of the study folder says which provider
(https://docs.streamlit.io/develop/concepts/connections/authentication). What it vouches for is an
e-mail address; who may come in, and as what, is said by `isopath staff add … --oidc` alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from streamlit import config

from study.access.accounts import normal_id
from study.errors import StorageError
from study.founding import Study

PAGE = "single-sign-on"
"""The page that asks the provider."""

_PROVIDER_COOKIES = "_streamlit_user"


def secrets_file(study: Study) -> Path:
    """Where the provider is named."""
    return study.folder.root / ".streamlit" / "secrets.toml"


def is_offered(study: Study) -> bool:
    """Whether the study names a provider."""
    path = secrets_file(study)
    if not path.is_file():
        return False
    try:
        return "auth" in tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise StorageError(str(path), f"cannot be read ({problem})", "mend it, or take it away") from problem


def use_secrets_of(study: Study) -> None:
    """Let Streamlit read this study's secrets, and no others of this machine.

    Raises:
        StorageError: the file is no TOML.
    """
    is_offered(study)
    config.set_option("secrets.files", [str(secrets_file(study))])


def vouched_id(user: Mapping[str, Any]) -> str | None:
    """The account id the provider vouches for; None where it says that the address is not verified.

    Args:
        user: the claims, as `st.user` holds them.
    """
    email, is_verified = user.get("email"), user.get("email_verified", True)
    return normal_id(email) if isinstance(email, str) and email and is_verified is True else None


def forget_provider(request: Request, response: Response) -> None:
    """Take the provider's word from the browser: it is good for one log-in, not for Streamlit's 30 days."""
    for name in request.cookies:
        if name.startswith(_PROVIDER_COOKIES):
            response.delete_cookie(name, path="/")
