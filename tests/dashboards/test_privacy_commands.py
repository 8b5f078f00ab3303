"""isopath identity, withdraw and retention, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dashboards.cli.main import app
from dashboards.export_kinds import ExportFormat
from dashboards.study_export import export_study
from study.errors import ConductError, OutOfRange, WrongPassphrase
from study.events import ConsentWithdrawn
from study.founding import Study, initialise_study, open_study
from study.privacy.withdrawal import withdraw
from study.step import RenderSession
from tests.study.conftest import ONE_SESSION
from tests.study.every_step import walk_to
from tests.study.test_identities import ADA, WORDS, bytes_of, quick_keys
from tests.study.walking import enrolled

__all__ = ["quick_keys"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """The passphrase's file, outside the study."""
    path = tmp_path / "passphrase"
    path.write_text(WORDS + "\n")
    return path


def run(*arguments: str | Path, said: str = "") -> Result:
    """A command, in this process; a refusal is raised as it is."""
    return CliRunner().invoke(app, [*map(str, arguments)], input=said)


def _hear_nothing(*_: object) -> None:
    """Of the progress."""


def facts(result: Result) -> dict[str, Any]:
    assert result.exception is None, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_who_somebody_is_comes_in_on_standard_input_and_out_by_the_passphrase(
    study: Study, secret: Path, tmp_path: Path
) -> None:
    who, root, key = enrolled(study), study.folder.root, ("--passphrase-file", secret)
    assert facts(run("identity", "begin", root, *key, "--json"))["key_file"] == str(
        root / "identities.sealed"
    )

    noted = run("identity", "set", root, who, *key, "--json", said=json.dumps(ADA))

    assert facts(noted) == {"participant_id": who, "fields": sorted(ADA)}
    assert ADA["name"] not in noted.output
    assert facts(run("identity", "show", root, who, *key, "--json")) == {who: ADA}
    assert f"  phone: {ADA['phone']}" in run("identity", "list", root, *key).stdout
    assert list(facts(run("identity", "find", root, *key, "--json", said="marlowe\n"))) == [who]
    wrong = tmp_path / "wrong"
    wrong.write_text("something else entirely\n")
    refused = run("identity", "show", root, who, "--passphrase-file", wrong)
    assert isinstance(refused.exception, WrongPassphrase)
    assert refused.stdout == ""


def test_what_is_no_json_is_refused_without_being_repeated(study: Study, secret: Path) -> None:
    who, key = enrolled(study), ("--passphrase-file", secret)
    run("identity", "begin", study.folder.root, *key)

    refused = run("identity", "set", study.folder.root, who, *key, said="Ada Marlowe, 5 Elm Road")

    assert isinstance(refused.exception, OutOfRange)
    assert "Marlowe" not in str(refused.exception)
    assert refused.exception.__cause__ is None


@pytest.mark.parametrize("options", [[], ["--keep", "--erase"]])
def test_withdraw_wants_exactly_one_of_keep_and_erase(study: Study, options: list[str]) -> None:
    refused = run("withdraw", study.folder.root, enrolled(study), *options)

    assert isinstance(refused.exception, OutOfRange)
    assert study.record.events(kinds=[ConsentWithdrawn]) == []


def test_an_erasure_is_confirmed_by_typing_the_id(study: Study, secret: Path) -> None:
    who, root, key = enrolled(study), study.folder.root, ("--passphrase-file", secret)
    walk_to(study, who, RenderSession)
    run("identity", "begin", root, *key)
    run("identity", "set", root, who, *key, said=json.dumps(ADA))

    other = run("withdraw", root, who, "--erase", *key, said="sub-00000000\n")
    assert isinstance(other.exception, ConductError)
    assert open_study(root).record.events(kinds=[ConsentWithdrawn]) == []

    done = facts(run("withdraw", root, who, "--erase", "--confirm", who, *key, "--json"))

    assert done["rows"] >= 4
    assert done["backups_holding"] == []
    assert "ParticipantEnrolled" in done["kept"]
    assert done["named_elsewhere"] is False
    told = facts(run("retention", root, "--json"))
    assert (told["erasures"], told["is_overdue"]) == ([], False)
    assert "Nothing is overdue." in run("retention", root).stdout


def test_status_names_who_waits_to_be_erased(study: Study) -> None:
    who, root = enrolled(study), study.folder.root
    withdraw(study, "participant", who, keeps_data=False, closes_links=False)

    assert facts(run("status", root, "--json"))["to_be_erased"] == [who]
    assert f"{who} asked on" in run("status", root).stdout
    run("withdraw", root, who, "--erase", "--confirm", who)
    assert facts(run("status", root, "--json"))["to_be_erased"] == []


def test_no_export_says_who_somebody_is(study: Study, secret: Path, tmp_path: Path) -> None:
    who, key = enrolled(study), ("--passphrase-file", secret)
    walk_to(study, who, RenderSession)
    run("identity", "begin", study.folder.root, *key)
    run("identity", "set", study.folder.root, who, *key, said=json.dumps(ADA))

    for form in ExportFormat:
        export_study(open_study(study.folder.root), form, tmp_path / "exports" / form, "test", _hear_nothing)

    everything = bytes_of(tmp_path / "exports")
    assert who.encode() in everything
    for value in ADA.values():
        assert value.encode() not in everything
        assert json.dumps(value)[1:-1].encode() not in everything
