"""Who runs a command, where what may be done hangs on the role: an account and its password."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from dashboards.cli.arguments import actor_of
from study.access.accounts import Staff, accounts_of, normal_id
from study.access.roles import Permission, may, require_permission, standings
from study.errors import ConductError, OutOfRange
from study.founding import Study
from study.frozen import is_unblinded

AsOption = Annotated[
    str, typer.Option("--as", metavar="WHO", help="Your account (isopath staff).", show_default=False)
]
AsAdminOption = Annotated[
    str | None,
    typer.Option("--as", metavar="WHO", help="Your account, where the study has one that may do this."),
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


def actor_allowed(
    study: Study, permission: Permission, doing: str, who: str | None, from_stdin: bool, actor: str | None
) -> str:
    """The actor of something that a role is needed for, once the study has an account of that role.

    Args:
        who: the account somebody names as theirs; without one the study must have no account that may.
        actor: what the record names where no account is needed.

    Raises:
        ConductError: see `signed_in`; or the account may not, or one is needed and none was named.
    """
    if who is not None:
        staff = signed_in(study, who, from_stdin)
        require_permission(study.record, staff.staff_id, permission, doing)
        return staff.actor
    now = is_unblinded(study.record)
    able = [name for name, one in standings(study.record).items() if may(one.role, permission, now)]
    if able:
        raise ConductError(doing, f"is for {' or '.join(able)}", "name your account with --as")
    return actor_of(actor)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OutOfRange("password", "cannot be asked for: this is no terminal", "use --password-stdin")
    return getpass.getpass("Your password: ")
