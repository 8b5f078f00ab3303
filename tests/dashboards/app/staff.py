"""Members of staff for tests: one of each role, and how each comes in."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import httpx
from argon2 import PasswordHasher

from study.access.accounts import Accounts
from study.access.staffing import add_staff
from study.events import Role
from study.founding import Study

PASSWORD = "four unrelated words here"

#: One account a role.
PEOPLE = {
    Role.ADMIN: "anna",
    Role.COORDINATOR: "cora",
    Role.STATISTICIAN: "stan",
    Role.UNBLINDED: "una",
}


def staffed(study: Study) -> Accounts:
    """Give a study one account of each role; their hashes are quick to check."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts = Accounts(study.folder.root / "access.sqlite", study.record, quick)
    for role, staff_id in PEOPLE.items():
        add_staff(study, accounts, "test", staff_id, role, PASSWORD)
    return accounts


def cookies_of(study: Study, accounts: Accounts, role: Role | None) -> dict[str, str]:
    """What the browser of somebody of this role holds; nothing for a stranger."""
    if role is None:
        return {}
    return {"isopath_staff": accounts.begin_session(PEOPLE[role], study.record.clock())}


def forget_attempts(study: Study) -> None:
    """As if nobody had tried to log in yet."""
    with closing(sqlite3.connect(study.folder.root / "access.sqlite", timeout=10)) as connection, connection:
        connection.execute("DELETE FROM attempt")
        connection.execute("DELETE FROM failing")


class AtTheDoor:
    """Somebody at the log-in page, without a browser.

    Args:
        url: of the server.
    """

    def __init__(self, url: str, cookies: dict[str, str] | None = None) -> None:
        self.client = httpx.Client(base_url=url, cookies=cookies, headers={"origin": url}, timeout=20)

    def __enter__(self) -> AtTheDoor:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def form(self, query: str = "") -> dict[str, str]:
        """The hidden fields of the page's form."""
        page = self.client.get(f"/staff/log-in{query}")
        assert page.status_code == 200, page.text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))

    def log_in(self, staff_id: str, password: str = PASSWORD, **changes: str) -> httpx.Response:
        """Fill the form and send it."""
        fields = {**self.form(), "staff_id": staff_id, "password": password, **changes}
        return self.client.post("/staff/log-in", data=fields)

    @property
    def token(self) -> str | None:
        """The session this browser holds."""
        return self.client.cookies.get("isopath_staff")
