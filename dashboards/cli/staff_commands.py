"""`isopath staff`: who may log in to the dashboard. The first admin is made here and nowhere else."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from study.access import staffing
from study.access.accounts import accounts_of, normal_id
from study.errors import OutOfRange
from study.events import Role

StaffArgument = Annotated[
    str, typer.Argument(metavar="WHO", help="The account's id; an e-mail with --oidc.", show_default=False)
]
RoleOption = Annotated[Role, typer.Option(help="What they are to the study.", show_default=False)]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    staff = typer.Typer(no_args_is_help=True)
    staff.command(epilog="Example: isopath staff add calm-study anna --role admin")(add)
    staff.command("list", epilog="Example: isopath staff list calm-study")(list_staff)
    staff.command(epilog="Example: isopath staff role calm-study ben --role statistician")(role)
    staff.command(epilog="Example: isopath staff password calm-study anna")(password)
    staff.command(epilog="Example: isopath staff remove calm-study ben")(remove)
    app.add_typer(
        staff,
        name="staff",
        help="Who may log in to the dashboard, and as what.",
        epilog="Example: isopath staff add calm-study anna --role admin",
    )


def add(
    folder: StudyArgument,
    who: StaffArgument,
    role: RoleOption,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="An identity provider vouches for them: no password.")
    ] = False,
    password_stdin: FromStdin = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make an account. Its password is asked for twice and never shown; there is no default."""
    study = opened(folder)
    if oidc and "@" not in who:
        raise OutOfRange("WHO", f"{who!r} is no e-mail", "with --oidc write the one the provider knows")
    secret = None if oidc else _new_password(password_stdin)
    staff_id = staffing.add_staff(study, accounts_of(study), actor_of(actor), who, role, secret)
    say(f"{staff_id} may log in as {role}.", json, {"staff_id": staff_id, "role": role, "oidc": oidc})


def list_staff(folder: StudyArgument, json: JsonOption = False) -> None:
    """Everybody who may log in."""
    study = opened(folder)
    accounts = accounts_of(study)
    everybody = [
        {"staff_id": who, "role": standing.role, "oidc": accounts.is_vouched_for(who)}
        for who, standing in accounts.staff().items()
    ]
    if json:
        say("", True, {"staff": everybody})
        return
    if not everybody:
        typer.echo("Nobody may log in yet: isopath staff add … --role admin")
        return
    table = Table("who", "role", "logs in with", box=None, pad_edge=False)
    for one in everybody:
        table.add_row(
            str(one["staff_id"]), str(one["role"]), "identity provider" if one["oidc"] else "password"
        )
    Console().print(table)


def role(
    folder: StudyArgument,
    who: StaffArgument,
    role: RoleOption,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Give an account another role. Whoever is logged in with it is logged out."""
    staffing.change_role(opened(folder), actor_of(actor), who, role)
    say(f"{who} is {role} from now on.", json, {"staff_id": who, "role": role})


def password(
    folder: StudyArgument,
    who: StaffArgument,
    password_stdin: FromStdin = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Give an account a new password. Whoever is logged in with it is logged out."""
    study = opened(folder)
    accounts = accounts_of(study)
    accounts.standing(normal_id(who))
    staffing.set_password(study, accounts, actor_of(actor), who, _new_password(password_stdin))
    say(f"{who} has a new password.", json, {"staff_id": who})


def remove(
    folder: StudyArgument, who: StaffArgument, actor: ActorOption = None, json: JsonOption = False
) -> None:
    """Close an account. What they did stays in the record."""
    study = opened(folder)
    staffing.remove_staff(study, accounts_of(study), actor_of(actor), who)
    say(f"{who} may not log in any more.", json, {"staff_id": who})


def _new_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OutOfRange("password", "cannot be asked for: this is no terminal", "use --password-stdin")
    first = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        raise OutOfRange("password", "was not typed twice the same", "run the command again")
    return first
