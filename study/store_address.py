"""The address of a record's database: as it is typed, as it is kept, and as messages show it.

A password is never part of it: addresses are kept in files, shown in messages
and seen in lists of processes. PostgreSQL's comes from the environment variable
ISOPATH_STORE_PASSWORD, or from where PostgreSQL's own programs find it
(PGPASSFILE, ``~/.pgpass``).
"""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from study.errors import OutOfRange

PASSWORD_VARIABLE = "ISOPATH_STORE_PASSWORD"
"""The environment variable that holds PostgreSQL's password."""

_DRIVER = "postgresql+psycopg"
_SECRETS = frozenset({"password", "sslpassword"})
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def parse_address(text: str) -> URL:
    """The address that somebody typed, as SQLAlchemy takes it.

    To another machine the connection is encrypted, unless ``sslmode`` says otherwise;
    ``sslmode=verify-full`` also asks for the server's certificate.

    Args:
        text: ``sqlite:///path`` or ``postgresql://user@host:port/database?sslmode=…``.

    Raises:
        OutOfRange: it is no address of a SQLite or PostgreSQL database, or holds a password.
    """
    try:
        url = make_url(text)
    except ArgumentError as problem:
        # What was typed may hold a password: it is not repeated.
        raise OutOfRange("the store's address", "is no address", _REMEDY) from problem
    if url.password is not None or _SECRETS & set(url.query):
        remedy = f"leave it out; set {PASSWORD_VARIABLE}, or write it into ~/.pgpass"
        raise OutOfRange("the store's address", "holds a password, which others could read", remedy)
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url
    if backend not in {"postgresql", "postgres"} or url.drivername not in {backend, _DRIVER}:
        raise OutOfRange("the store's address", f"is of {url.drivername!r}", _REMEDY)
    if not url.database:
        raise OutOfRange("the store's address", "names no database", _REMEDY)
    url = url.set(drivername=_DRIVER)
    host = _host(url)
    is_far = bool(host) and not host.startswith("/") and host not in _HERE
    return url.update_query_dict({"sslmode": "require"}) if is_far and "sslmode" not in url.query else url


def checked_address(text: str) -> str:
    """The address as it was typed, if it may be kept in a file.

    Raises:
        OutOfRange: see `parse_address`.
    """
    parse_address(text)
    return text


def shown_address(url: URL) -> str:
    """The database's name in messages: SQLite's path, or PostgreSQL's address without its options."""
    if url.get_backend_name() == "sqlite":
        return url.database or "memory"
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{_host(url)}{port}/{url.database}"


def _host(url: URL) -> str:
    host = url.query.get("host", "")
    return url.host or (host if isinstance(host, str) else host[0])


_REMEDY = "write postgresql://user@host/database"
