"""`isopath export`: every format of a study with people in it, by the tools of those who will open it."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from analysis.export import read_tables
from dashboards.export_kinds import ExportFormat
from dashboards.study_export import Exported, export_study
from study.checkpoint import make_key, sign_checkpoint, write_checkpoint
from study.errors import ConductError, OutOfRange, StorageError
from study.events import (
    AdverseEventReported,
    ConsentWithdrawn,
    DeviationRecorded,
    QuestionnaireSubmitted,
)
from study.founding import Study
from study.freeze import freeze, unblind
from study.record import Draft
from study.rendered import read_manifests
from tests.analysis.export.psych_ds_rules import problems_of
from tests.analysis.export.test_bids import UNKNOWN, validated
from tests.dashboards.app.busy_study import HOSTILE, BusyStudy
from tests.dashboards.app.staff import PASSWORD, staffed
from tests.dashboards.command_line import Outcome, isopath, refusal


def export(
    study: Study,
    form: str,
    out: Path,
    has_sounds: bool = True,
    is_blinded: bool = False,
    checkpoints: Sequence[Path] = (),
) -> Exported:
    """What the command does, in this process: a command's start takes longer than an export."""
    return export_study(
        study, ExportFormat(form), out, "isopath test", lambda *_: None, is_blinded, has_sounds, checkpoints
    )


def typed(study: Study, form: str, out: Path, *more: str) -> Outcome:
    return isopath("export", study.folder.root, "--format", form, "--out", out, *more)


def unblinded(study: Study) -> Study:
    freeze(study, "test", "all visits done")
    unblind(study, "test", "plan signed")
    return study


def checked_by_the_script(folder: Path, has_packages: bool = False) -> subprocess.CompletedProcess[str]:
    """The exported script, by an interpreter that finds no packages, isopath neither."""
    return subprocess.run(
        [sys.executable, "-I", *([] if has_packages else ["-S"]), "verify_record.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


class TestFormats:
    def test_bids_of_a_study_in_full_swing_has_no_error_and_its_sounds(
        self, busy: BusyStudy, tmp_path: Path
    ) -> None:
        study = unblinded(busy.study)

        facts = typed(study, "bids", tmp_path / "bids", "--json").facts

        issues = validated(tmp_path / "bids")
        assert [issue for issue in issues if issue["severity"] == "error"] == []
        assert {i.get("subCode") for i in issues if i["code"] != "TOO_FEW_AUTHORS"} <= UNKNOWN
        sounds = list((tmp_path / "bids" / "stimuli").glob("*.flac"))
        assert sounds
        assert all(path.read_bytes()[:4] == b"fLaC" for path in sounds)
        written = [path for path in (tmp_path / "bids").rglob("*") if path.is_file()]
        assert facts["files"] == len(written)
        assert not facts["is_blinded"]
        answers = next((tmp_path / "bids" / "phenotype").glob("afterwards_post*.json"))
        assert json.loads(answers.read_text())["item_preference"]["Maximum"] == 7

    def test_csv_and_parquet_read_back_as_the_same_tables(self, busy: BusyStudy, tmp_path: Path) -> None:
        study = unblinded(busy.study)

        for form in ("csv", "parquet"):
            export(study, form, tmp_path / form)

        from_csv, from_parquet = (read_tables(tmp_path / form) for form in ("csv", "parquet"))
        assert list(from_csv) == list(from_parquet)
        for name, table in from_csv.items():
            pd.testing.assert_frame_equal(table, from_parquet[name], check_exact=True)
        assert HOSTILE in set(from_csv["questionnaire_answers"]["answer_text"].dropna())
        sessions = from_csv["sessions"]
        assert sessions["arm"].notna().all()
        assert sessions.loc[sessions["started"], "heard_s"].notna().all()

    def test_psych_ds_and_cdisc_of_the_same_study_hold_what_people_wrote(
        self, busy: BusyStudy, tmp_path: Path
    ) -> None:
        study = unblinded(busy.study)

        for form in ("psych-ds", "cdisc"):
            export(study, form, tmp_path / form)

        assert problems_of(tmp_path / "psych-ds") == set()
        questions = json.loads((tmp_path / "cdisc" / "qs.json").read_text())
        names = [column["name"] for column in questions["columns"]]
        given = [row[names.index("QSORRES")] for row in questions["rows"]]
        assert HOSTILE in given
        events = json.loads((tmp_path / "cdisc" / "ae.json").read_text())
        assert events["records"] == len(study.record.events(kinds=[AdverseEventReported])) == 1


class TestTheRecord:
    @pytest.mark.requirement("21 CFR 11.10(b)", "ALCOA+ original")
    def test_the_exported_record_is_checked_without_isopath_and_a_change_is_found(
        self, trial: Study, tmp_path: Path
    ) -> None:
        erased = next(row.sequence for row in trial.record.events() if row.participant_id is not None)
        trial.record.erase_payload("test", erased, "asked for")
        head = unblinded(trial).record.verify()

        export(trial, "record", tmp_path / "record")
        holds = checked_by_the_script(tmp_path / "record")
        path = tmp_path / "record" / "record.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        row = json.loads(lines[6])
        path.write_text(
            "".join([*lines[:6], json.dumps({**row, "actor": "somebody else"}) + "\n", *lines[7:]])
        )
        changed = checked_by_the_script(tmp_path / "record")
        path.write_text("".join(lines[:-1]))
        cut = checked_by_the_script(tmp_path / "record")

        assert holds.stdout == f"{head.sequence} rows hold, head {head.sha256}\n"
        assert json.loads(lines[erased - 1])["body"] is None
        assert (changed.returncode, changed.stderr) == (1, "row 7: has a changed header\n")
        assert cut.returncode == 1
        assert cut.stderr.startswith(f"head.json: says {head.sequence} rows")

    @pytest.mark.requirement("21 CFR 11.70")
    def test_a_signed_checkpoint_goes_with_the_record_and_the_script_checks_both(
        self, trial: Study, tmp_path: Path
    ) -> None:
        key = tmp_path / "calm.key"
        public_key = make_key(trial, key, "a long enough passphrase", "test")
        signed = tmp_path / "monday.checkpoint"
        write_checkpoint(signed, sign_checkpoint(trial, key, "a long enough passphrase", "test"))
        study = unblinded(trial)

        export(study, "record", tmp_path / "record", checkpoints=[signed])
        holds = checked_by_the_script(tmp_path / "record", has_packages=True)
        plain = checked_by_the_script(tmp_path / "record")
        copy = tmp_path / "record" / "checkpoints" / "monday.json"
        copy.write_text(copy.read_text().replace('"signed_at": "2', '"signed_at": "3'))
        forged = checked_by_the_script(tmp_path / "record", has_packages=True)

        assert holds.stdout.splitlines()[1] == f"monday.json holds, signed by {public_key}"
        assert plain.stdout.splitlines()[1].endswith("signature not checked (pip install cryptography)")
        assert forged.stderr == "monday.json: was changed since it was signed\n"
        with pytest.raises(OutOfRange, match="does not go with csv"):
            export(study, "csv", tmp_path / "csv", checkpoints=[signed])

    def test_a_blinded_record_has_no_salt_no_hash_and_no_time_of_day(
        self, trial: Study, tmp_path: Path
    ) -> None:
        export(trial, "record", tmp_path / "record")

        rows = [json.loads(line) for line in (tmp_path / "record" / "record.jsonl").read_text().splitlines()]
        assert len(rows) == trial.record.head().sequence
        assert not any({"salt", "sha256", "body"} & set(row) for row in rows)
        assert {len(row["at"]) for row in rows} == {10}
        assert not (tmp_path / "record" / "verify_record.py").exists()


def test_where_somebody_has_an_account_that_may_export_nobody_else_does(trial: Study, tmp_path: Path) -> None:
    staffed(trial)

    def exported_by(who: str) -> Outcome:
        command = ["export", str(trial.folder.root), "--format", "csv", "--out", str(tmp_path / "csv")]
        return isopath(*command, "--as", who, "--password-stdin", lines=f"{PASSWORD}\n")

    assert "exporting a study" in refusal(exported_by("cora"))
    assert not (tmp_path / "csv").exists()
    assert exported_by("stan").code == 0


class TestBlinding:
    def test_before_the_record_is_unblinded_every_export_is_blinded_and_says_so(
        self, trial: Study, tmp_path: Path
    ) -> None:
        done = typed(trial, "csv", tmp_path / "csv")

        assert "not frozen and unblinded yet" in done.out
        assert "not frozen and unblinded yet" in (tmp_path / "csv" / "README.txt").read_text()
        tables = read_tables(tmp_path / "csv")
        assert "arm" not in tables["sessions"]
        assert tables["sessions"]["heard_planned_s"].tolist() == pytest.approx([6.0] * 6, abs=0.1)

    def test_blinded_can_be_asked_for_afterwards(self, trial: Study, tmp_path: Path) -> None:
        done = export(unblinded(trial), "csv", tmp_path / "csv", is_blinded=True)

        assert (done.is_blinded, done.may_join_arms) == (True, True)
        assert "not frozen and unblinded" not in (tmp_path / "csv" / "README.txt").read_text()
        assert "arm" not in read_tables(tmp_path / "csv")["sessions"]


#: Where words that were not erased may stand: the note of somebody else, who withdrew.
NOTES = {
    "bids": {"participants.tsv"},
    "psych-ds": {"data/study-eveningCalm_description-participants_data.csv"},
    "cdisc": set(),
    "csv": {"participants.csv"},
    "record": {"record.jsonl"},
}


@pytest.mark.requirement("GDPR Art. 17")
def test_nothing_erased_comes_back_and_the_person_is_marked(busy: BusyStudy, tmp_path: Path) -> None:
    study = busy.study
    told = study.record.events(kinds=[AdverseEventReported, QuestionnaireSubmitted, DeviationRecorded])
    for row in told:
        study.record.erase_payload("test", row.sequence, "asked for")
    unblinded(study)

    for form, notes in NOTES.items():
        folder = tmp_path / form
        export(study, form, folder, has_sounds=False)

        files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        assert {name for name, path in files.items() if b"window.harmed" in path.read_bytes()} == notes, form
        readme = next(path for name, path in files.items() if name.startswith("README"))
        assert busy.whole in readme.read_text()
    lines = (tmp_path / "record" / "record.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines if "window.harmed" in line] == [
        "ParticipantDiscontinued"
    ]


def test_what_somebody_asked_to_have_erased_is_in_no_export_before_it_is_done(
    busy: BusyStudy, tmp_path: Path
) -> None:
    study = busy.study
    wish = ConsentWithdrawn(False, "asked by letter", "completed")
    study.record.append("test", lambda _: [Draft(wish, busy.whole)])
    unblinded(study)

    export(study, "bids", tmp_path / "bids")
    with pytest.raises(ConductError, match=f"{busy.whole}: asked for their data to be erased"):
        export(study, "record", tmp_path / "record")

    subject = tmp_path / "bids" / busy.whole
    assert [path.name for path in subject.rglob("*_stim*")] == []
    heard = {who: manifest.audio_sha256 for (who, _), manifest in read_manifests(study).items()}
    # Two people in silence hear the same file.
    others = {sha256 for who, sha256 in heard.items() if who != busy.whole}
    assert {path.stem for path in (tmp_path / "bids" / "stimuli").iterdir()} == others
    assert not (tmp_path / "record").exists()


class TestWholeOrNotAtAll:
    def test_a_zip_holds_what_the_folder_holds_and_is_the_same_each_time(
        self, trial: Study, tmp_path: Path
    ) -> None:
        export(trial, "csv", tmp_path / "csv")
        for name in ("one.zip", "two.zip"):
            export(trial, "csv", tmp_path / name)

        first = (tmp_path / "one.zip").read_bytes()
        assert first == (tmp_path / "two.zip").read_bytes()
        with zipfile.ZipFile(io.BytesIO(first)) as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
        assert held == {path.name: path.read_bytes() for path in (tmp_path / "csv").iterdir()}

    def test_a_place_that_is_taken_is_refused_and_left_as_it_is(self, trial: Study, tmp_path: Path) -> None:
        taken = tmp_path / "taken"
        taken.mkdir()
        (taken / "mine.txt").write_text("mine")
        (tmp_path / "taken.zip").write_text("mine")

        for out in (taken, tmp_path / "taken.zip"):
            with pytest.raises(StorageError, match="is there already; name a new folder or ZIP file"):
                export(trial, "csv", out)
        assert [path.name for path in taken.iterdir()] == ["mine.txt"]
        assert (tmp_path / "taken.zip").read_text() == "mine"

    def test_a_broken_record_is_not_exported_and_nothing_is_left(self, trial: Study, tmp_path: Path) -> None:
        root = trial.folder.root
        trial.record.close()
        with sqlite3.connect(trial.folder.record) as database:
            database.execute("UPDATE event SET actor = 'somebody' WHERE sequence = 5")
        before = sorted(tmp_path.iterdir())

        outcome = isopath("export", root, "--format", "bids", "--out", tmp_path / "bids")

        assert "row 5" in refusal(outcome)
        assert sorted(tmp_path.iterdir()) == before

    def test_a_sound_that_is_gone_is_refused_with_the_remedy(self, busy: BusyStudy, tmp_path: Path) -> None:
        study = unblinded(busy.study)
        for path in study.folder.sessions.rglob("*.flac"):
            path.unlink()

        with pytest.raises(StorageError, match="export with --no-sounds"):
            export(study, "bids", tmp_path / "bids")
        assert not (tmp_path / "bids").exists()
        export(study, "bids", tmp_path / "bids", has_sounds=False)
        assert not (tmp_path / "bids" / "stimuli").exists()
        events = "".join(path.read_text() for path in (tmp_path / "bids").rglob("*_events.tsv"))
        assert "stim_file" not in events
        assert "stim_sha256" in events
