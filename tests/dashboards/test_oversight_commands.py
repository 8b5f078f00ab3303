"""The commands of unblinding, the code-break list, amendments and pauses, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.cli.main import app
from study.access.accounts import accounts_of
from study.errors import ConductError, IsopathError, OutOfRange
from study.events import (
    ArmRevealed,
    ArmsUnblinded,
    RecordFrozen,
    Role,
    StaffAdded,
    UnblindingApproved,
)
from study.founding import Study
from study.record import Draft
from tests.dashboards.app.staff import PASSWORD, staffed
from tests.dashboards.short_study import arm_of, short_study, waiting

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = short_study(tmp_path / "study")
    staffed(made)
    yield made
    made.record.close()


def typed(*arguments: object, lines: str = f"{PASSWORD}\n") -> Result:
    """Run a command in this process, with these lines on its standard input."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=lines)


def done(*arguments: object, lines: str = f"{PASSWORD}\n") -> str:
    """What a command that must succeed prints."""
    result = typed(*arguments, lines=lines)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refused(*arguments: object, lines: str = f"{PASSWORD}\n") -> IsopathError:
    """How a command refuses."""
    problem = typed(*arguments, lines=lines).exception
    assert isinstance(problem, IsopathError), problem
    return problem


def test_a_request_goes_from_typing_to_the_arm(study: Study) -> None:
    who, root = waiting(study), study.folder.root
    asked = ("--reason", "sedated on the ward", "--password-stdin", "--json")

    number = json.loads(done("unblind", "request", root, who, "--as", "cora", *asked))["request"]
    done("unblind", "approve", root, number, "--as", "anna", "--password-stdin")
    told = json.loads(done("unblind", "reveal", root, number, "--as", "cora", "--password-stdin", "--json"))
    listed = done("unblind", "list", root)

    label = study.protocol.arm(arm_of(study, who)).label
    assert told == {"participant_id": who, "arms": {"ses-01": label}}
    assert "revealed" in listed
    assert label not in listed


@pytest.mark.requirement("21 CFR 11.10(d)", "21 CFR 11.10(g)")
def test_nobody_acts_for_an_account_without_its_password_or_beyond_its_role(study: Study) -> None:
    who, root = waiting(study), study.folder.root
    reason = ("--reason", "fell", "--password-stdin")
    number = json.loads(done("unblind", "request", root, who, "--as", "cora", *reason, "--json"))["request"]

    wrong = refused("unblind", "approve", root, number, "--as", "anna", "--password-stdin", lines="guess\n")
    beyond = refused("unblind", "approve", root, number, "--as", "stan", "--password-stdin")
    stranger = refused("unblind", "emergency", root, who, "--as", "eve", "--confirm", who, *reason)

    assert "the account or its password is not right" in str(wrong)
    assert "stan is statistician, and may not" in str(beyond)
    assert "the account or its password is not right" in str(stranger)
    assert not study.record.events(kinds=[UnblindingApproved, ArmRevealed])


@pytest.mark.requirement("21 CFR 11.10(d)", "ICH E6(R3) 4.2.6")
def test_once_there_is_an_admin_nobody_else_freezes_or_unblinds_at_the_command_line(study: Study) -> None:
    root, why = study.folder.root, ("--reason", "the last visit is done")

    unnamed = refused("freeze", root, *why)
    beyond = refused("freeze", root, *why, "--as", "cora", "--password-stdin")
    done("freeze", root, *why, "--as", "anna", "--password-stdin")
    confirmed = ("--confirm", study.protocol.study_id)
    early = refused("unblind", "study", root, *why, *confirmed)
    done("unblind", "study", root, *why, *confirmed, "--as", "anna", "--password-stdin")

    assert str(unnamed) == "freezing: is for anna; name your account with --as"
    assert "cora is coordinator, and may not" in str(beyond)
    assert "name your account with --as" in str(early)
    assert {r.actor for r in study.record.events(kinds=[RecordFrozen, ArmsUnblinded])} == {"admin:anna"}


def test_an_account_of_an_identity_provider_is_sent_to_the_dashboard(study: Study) -> None:
    study.record.append("test", lambda _: [Draft(StaffAdded("ben@example.org", Role.ADMIN))])
    accounts_of(study).keep("ben@example.org", None, study.record.clock())

    problem = refused(
        "unblind", "approve", study.folder.root, 1, "--as", "ben@example.org", "--password-stdin"
    )

    assert problem.remedy == "use the dashboard"


def test_an_emergency_asks_for_the_id(study: Study) -> None:
    who, root = waiting(study), study.folder.root
    asked = ("unblind", "emergency", root, who, "--as", "cora", "--reason", "seizure", "--password-stdin")

    slip = refused(*asked, lines=f"{PASSWORD}\nyes\n")
    told = done(*asked, lines=f"{PASSWORD}\n{who}\n")

    assert "is not the participant's id" in str(slip)
    assert study.protocol.arm(arm_of(study, who)).label in told


def test_the_code_break_list_is_made_by_the_unblinded_and_opened_by_its_passphrase(
    study: Study, tmp_path: Path
) -> None:
    who, root, out = waiting(study), study.folder.root, tmp_path / "calm.codes"
    words = tmp_path / "words"
    words.write_text(PASSPHRASE)
    using = ("--passphrase-file", words)

    blocked = refused("code-break", root, "--out", out, "--as", "cora", "--password-stdin", *using)
    assert not out.exists()
    done("code-break", root, "--out", out, "--as", "una", "--password-stdin", *using)
    opened = json.loads(done("code-break", "--open", out, "--json", *using))
    done("code-break", "--open", out, "--participant", who, "--html", tmp_path / "envelope.html", *using)
    words.write_text("another horse battery staple")
    wrong = refused("code-break", "--open", out, *using)

    label = study.protocol.arm(arm_of(study, who)).label
    assert "cora is coordinator, and may not" in str(blocked)
    assert opened["participants"] == {who: {"ses-01": label}}
    assert label in (tmp_path / "envelope.html").read_text()
    assert "is not opened by this passphrase" in str(wrong)


def test_what_differs_is_told_put_in_force_and_seen_in_the_status(study: Study, tmp_path: Path) -> None:
    root, new = study.folder.root, tmp_path / "new.json"
    protocol = json.loads(study.folder.protocol.read_text())
    protocol["study"]["version"] = "2"
    new.write_text(json.dumps(protocol))
    why = ("--as", "anna", "--reason", "the committee asked", "--password-stdin")

    told = done("diff", root, new)
    amended = json.loads(done("amend", root, new, *why, "--json"))
    same = done("diff", root, new)
    done("recruitment", "pause", root, *why)
    status = json.loads(done("status", root, "--json"))

    assert told == f'$.study.version: "{study.protocol.versions[-1].version}" became "2"\n'
    assert amended["changes"] == [told.strip()]
    assert same == "The two protocols say the same.\n"
    assert (status["protocol_version"], status["recruitment_paused"]) == ("2", True)
    with pytest.raises(ConductError, match="recruitment is paused"):
        waiting(study)
    assert isinstance(refused("code-break", root), OutOfRange)
