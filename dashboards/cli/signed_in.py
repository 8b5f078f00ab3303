"""Who runs a command, where what may be done hangs on the role: an account and its password."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from study.access.accounts import Staff, accounts_of, normal_id
from study.errors import ConductError, OutOfRange
from study.founding import Study

AsOption = Annotated[
    str, typer.Option("--as", metavar="WHO", help="Your account (isopath staff).", show_default=False)
]
PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]

_ADDRESS = "command line"


def signed_in(study: Study, who: str, from_stdin: bool) -> Staff:
    """The account somebody proves to be theirs; attempts count as they do on the log-in page.

    Raises:
        ConductError: the account or its password is not right, it waits after too many attempts, or an
            identity provider vouches for it.
        OutOfRange: there is no terminal to ask at.
    """
    accounts, now = accounts_of(study), study.record.clock()
    name = normal_id(who)
    if name in accounts.staff() and accounts.is_vouched_for(name):
        raise ConductError(name, "logs in through an identity provider", "use the dashboard")
    entered = accounts.log_in(name, _password(from_stdin), _ADDRESS, now)
    if entered.wait_s > 0:
        wait = f"wait {entered.wait_s:.0f} s and try again"
        raise ConductError(name, "has to wait after too many attempts", wait)
    if entered.token is None:
        raise ConductError(name, "the account or its password is not right", "see isopath staff list")
    staff = accounts.staff_of_session(entered.token, now)
    accounts.end_session(entered.token)
    if staff is None:
        raise ConductError(name, "has just been changed", "try again")
    return staff


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OutOfRange("password", "cannot be asked for: this is no terminal", "use --password-stdin")
    return getpass.getpass("Your password: ")
