"""A person goes: what they gave is kept or erased, everywhere, and the record still holds."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from study.access.links import issue_link, participant_of
from study.cohort import SimulatedClock
from study.conduct import discontinue, record_deviation, report_adverse_event
from study.erasable import as_erased, erasures_due
from study.errors import ConductError, OutOfRange, WrongPassphrase
from study.events import (
    AdverseEventReported,
    ConsentWithdrawn,
    DataErased,
    EndReason,
    IdentityForgotten,
    ParticipantDiscontinued,
    QuestionnaireSubmitted,
    SelfReportSubmitted,
)
from study.founding import Study, initialise_study, open_study
from study.freeze import freeze
from study.oversight.alerts import acknowledge, alerts_of
from study.oversight.enrolment import enrolment_of
from study.privacy import erasure
from study.privacy.erasure import erase
from study.privacy.identities import begin_key_file, note_identities
from study.privacy.withdrawal import withdraw
from study.record import Draft, Record
from study.step import Finished, RenderSession
from study.steps import next_step
from tests.postgres import PostgresServer
from tests.study.conftest import ONE_SESSION, PROTOCOL_SHA256
from tests.study.every_step import study_with_every_step, take, walk_to
from tests.study.test_identities import WORDS, bytes_of, quick_keys
from tests.study.walking import ACTOR, enrolled

__all__ = ["quick_keys"]

MARKER = "zanzibarbarossa"
"""A word that nothing but what this person gave can hold."""


@pytest.fixture
def whole(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "whole", clock, ONE_SESSION) as study:
        yield study


def finished(study: Study) -> str:
    """Somebody who went through everything."""
    participant_id = enrolled(study)
    walk_to(study, participant_id, Finished)
    return participant_id


def marked(study: Study, participant_id: str) -> None:
    """Put the marker wherever something of a person may stand."""
    record_deviation(study, ACTOR, participant_id, f"came late, {MARKER}", MARKER)
    study.record.append(
        ACTOR,
        lambda _: [
            Draft(ParticipantDiscontinued(EndReason.DROPPED_OUT, MARKER), participant_id),
            Draft(
                QuestionnaireSubmitted(
                    study.protocol.assessments[0].phase, "q", {"remarks": MARKER * 500}, ()
                ),
                participant_id,
            ),
        ],
    )
    session = study.folder.sessions / participant_id / "ses-01"
    session.mkdir(parents=True)
    (session / "session.flac").write_bytes(MARKER.encode())
    own = study.folder.own_music(participant_id)
    own.mkdir(parents=True)
    (own / "01.mp3").write_bytes(MARKER.encode())
    (study.folder.predictions / f"{participant_id}_ses-01_cues.json").write_text(MARKER)
    for path in (study.folder.results, study.folder.report, study.folder.picture):
        path.write_text(f"{participant_id} {MARKER}")


def due_of(study: Study, participant_id: str) -> object:
    return next_step(study.protocol, study.record.participant(participant_id))


class TestKeep:
    """What was given may be used."""

    @pytest.mark.requirement("GDPR Art. 7(3)")
    def test_the_part_ends_and_every_link_closes(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        token = issue_link(study, ACTOR, participant_id)
        before = len(study.record.events(participant_id, kinds=[SelfReportSubmitted]))

        assert withdraw(study, "anna", participant_id, keeps_data=True, reason="moves away")

        assert due_of(study, participant_id) == Finished("withdrew")
        assert participant_of(study, token) is None
        wish = study.record.events(participant_id, kinds=[ConsentWithdrawn])[0]
        assert wish.event == ConsentWithdrawn(True, "moves away", "in_progress")
        assert len(study.record.events(participant_id, kinds=[SelfReportSubmitted])) == before
        assert erasures_due(study.record.events()) == {}

    def test_said_twice_is_recorded_once(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        withdraw(study, "anna", participant_id, keeps_data=True)
        head = study.record.head()

        assert not withdraw(study, "anna", participant_id, keeps_data=True)

        assert study.record.head() == head

    def test_nobody_withdraws_a_consent_they_never_gave(self, study: Study) -> None:
        with pytest.raises(ConductError, match="has not given consent"):
            withdraw(study, "anna", enrolled(study), keeps_data=True)

    def test_a_wish_to_be_erased_is_not_turned_into_one_to_be_kept(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        withdraw(study, "anna", participant_id, keeps_data=False)

        with pytest.raises(ConductError, match="that is not taken back"):
            withdraw(study, "anna", participant_id, keeps_data=True)


class TestTheWish:
    """From the wish on nothing is used, though nobody has carried it out yet."""

    def test_what_they_gave_is_read_as_if_it_were_gone(self, whole: Study) -> None:
        gone, stays = finished(whole), finished(whole)

        withdraw(whole, "participant", gone, keeps_data=False)

        read = as_erased(whole.record.events())
        answered = [r for r in read if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))]
        assert {r.participant_id for r in answered} == {stays}
        assert [r.sequence for r in read] == [r.sequence for r in whole.record.events()]
        assert due_of(whole, gone) == Finished("withdrew")

    def test_staff_are_told_until_it_is_done(self, whole: Study, clock: SimulatedClock) -> None:
        participant_id = finished(whole)
        withdraw(whole, "participant", participant_id, keeps_data=False)

        told = [a.kind for a in alerts_of(whole.protocol, whole.record.events(), clock())]
        erase(whole, "anna", participant_id)
        after = [a.kind for a in alerts_of(whole.protocol, whole.record.events(), clock())]

        assert told == ["erasure asked for"]
        assert after == []


class TestErase:
    """Nothing is left of what the person gave."""

    @pytest.mark.requirement("GDPR Art. 17")
    def test_no_byte_of_it_is_left_in_any_file_of_the_study(self, whole: Study) -> None:
        gone, stays = finished(whole), finished(whole)
        marked(whole, gone)
        begin_key_file(whole, "anna", WORDS)
        note_identities(whole, "anna", WORDS, {gone: {"name": "Ada"}, stays: {"name": "Ben"}})
        assert MARKER.encode() in bytes_of(whole.folder.root)
        kept = whole.record.events(stays)

        done = erase(whole, "anna", gone, "wrote a letter", WORDS)

        assert MARKER.encode() not in bytes_of(whole.folder.root)
        assert whole.record.verify() == whole.record.head()
        assert whole.record.events(stays) == kept
        assert done.tombstone.files == 6
        assert done.made_anew == ("results.json", "circumplex.png", "report.html")
        assert [r.kind for r in whole.record.events(gone, kinds=[IdentityForgotten])] == ["IdentityForgotten"]
        assert erasures_due(whole.record.events()) == {}
        history = whole.record.participant(gone)
        left = {r.kind for r in history if r.event is not None}
        assert left == {*done.tombstone.kept, "DataErased"}
        assert done.tombstone.rows == sum(r.event is None for r in history)
        assert not {"SelfReportSubmitted", "EligibilityAssessed", "SessionRendered"} & set(
            done.tombstone.kept
        )

    def test_the_flow_and_the_allocation_stay_right(self, whole: Study, clock: SimulatedClock) -> None:
        people = [finished(whole) for _ in range(4)]
        before = enrolment_of(whole.protocol, whole.record.events(), clock())

        erase(whole, "anna", people[1])

        after = enrolment_of(whole.protocol, whole.record.events(), clock())
        assert (after.enrolled, after.consented, after.allocated) == (
            before.enrolled,
            before.consented,
            before.allocated,
        )
        assert after.levels == before.levels
        assert due_of(whole, people[1]) == Finished("withdrew")

    def test_harm_is_kept_for_the_safety_of_others_unless_the_study_may_erase_it(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        harm = AdverseEventReported("emotional", "mild", "possible", "cried for an hour")
        report_adverse_event(study, ACTOR, participant_id, harm)
        row = study.record.head().sequence
        acknowledge(study, "anna", row, "rang her")

        erase(study, "anna", participant_id)

        assert [r.event for r in study.record.events(kinds=[AdverseEventReported])] == [harm]
        seen = alerts_of(study.protocol, study.record.events(), study.record.clock())
        assert [(alert.kind, alert.acknowledged_by) for alert in seen] == [("adverse event", "anna")]

        erase(study, "anna", participant_id, harm_too=True)

        assert [r.event for r in study.record.events(kinds=[AdverseEventReported])] == [None]
        study.record.verify()

    def test_after_the_freeze_it_is_still_possible_and_adds_no_end_of_a_part(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        freeze(study, "anna", "last visit done")

        erase(study, "anna", participant_id)

        kinds = [r.kind for r in study.record.events(participant_id)]
        assert kinds[-2:] == ["ConsentWithdrawn", "DataErased"]
        assert "ParticipantDiscontinued" not in kinds

    def test_the_key_file_s_passphrase_is_asked_for_before_anything_is_done(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        begin_key_file(study, "anna", WORDS)
        note_identities(study, "anna", WORDS, {participant_id: {"name": "Ada"}})
        head = study.record.head()

        with pytest.raises(OutOfRange, match="the key file names this person"):
            erase(study, "anna", participant_id)
        with pytest.raises(WrongPassphrase):
            erase(study, "anna", participant_id, passphrase="another one entirely")

        assert study.record.head() == head

    def test_an_erasure_that_is_done_is_not_done_again(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        erase(study, "anna", participant_id)
        head = study.record.head()

        with pytest.raises(ConductError, match="is erased already"):
            erase(study, "anna", participant_id)

        assert study.record.head() == head

    def test_who_declined_or_was_not_eligible_may_be_erased_too(self, whole: Study) -> None:
        declined = enrolled(whole)
        take(whole, declined, choice=9)

        erase(whole, "anna", declined)

        wish = whole.record.events(declined, kinds=[ConsentWithdrawn])[0].event
        assert isinstance(wish, ConsentWithdrawn)
        assert wish.outcome == "declined"

    def test_what_arrives_after_the_tombstone_makes_the_erasure_due_again(self, study: Study) -> None:
        participant_id = enrolled(study)
        walk_to(study, participant_id, RenderSession)
        erase(study, "anna", participant_id)

        record_deviation(study, ACTOR, participant_id, "late mail", "x")

        assert set(erasures_due(study.record.events())) == {participant_id}
        erase(study, "anna", participant_id)
        assert erasures_due(study.record.events()) == {}


STAGES = ["forget_identity", "_carry_out", "scrub", "belongings_of", "remove", "_backups_holding"]


def _erase_and_die(root: Path, participant_id: str, before: str, clock: SimulatedClock) -> None:
    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(Record if before == "scrub" else erasure, before, die)
    erase(open_study(root, clock), "anna", participant_id, "letter", WORDS)


@pytest.mark.parametrize("before", STAGES)
def test_an_erasure_that_is_killed_goes_on_when_it_is_run_again(
    tmp_path: Path, clock: SimulatedClock, before: str
) -> None:
    study = initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", clock)
    participant_id = enrolled(study)
    walk_to(study, participant_id, RenderSession)
    marked(study, participant_id)
    begin_key_file(study, "anna", WORDS)
    note_identities(study, "anna", WORDS, {participant_id: {"name": "Ada"}})
    root = study.folder.root
    study.record.close()

    killed = multiprocessing.get_context("fork").Process(
        target=_erase_and_die, args=(root, participant_id, before, clock)
    )
    killed.start()
    killed.join(60)

    assert killed.exitcode == -signal.SIGKILL
    study = open_study(root, clock)
    study.record.verify()
    assert set(erasures_due(study.record.events())) == {participant_id}
    erase(study, "anna", participant_id, "letter", WORDS)
    study.record.verify()
    assert MARKER.encode() not in bytes_of(root)
    assert len(study.record.events(kinds=[ConsentWithdrawn])) == 1
    assert len(study.record.events(kinds=[IdentityForgotten])) == 1
    assert len(study.record.events(kinds=[DataErased])) == 1
    assert erasures_due(study.record.events()) == {}
    study.record.close()


def test_sqlite_leaves_nothing_behind_however_rows_lie_on_its_pages(tmp_path: Path) -> None:
    record = Record.create(f"sqlite:///{tmp_path / 'record.sqlite'}", PROTOCOL_SHA256)
    rng, people = random.Random(7), [f"sub-{number:02}" for number in range(20)]

    def some(number: int, among: Sequence[str]) -> list[Draft]:
        return [_wordy(rng, rng.choice(among)) for _ in range(number)]

    for _ in range(25):
        record.append("test", lambda _: some(rng.randint(1, 25), people))
    gone = people[::2]
    for who in gone:
        rows = [recorded.sequence for recorded in record.events(who)]
        record.erase_payloads("test", rows, "consent withdrawn")
        record.append("test", lambda _: some(5, people[1::2]))
    record.scrub()

    left = bytes_of(tmp_path)
    assert [who for who in people if f"word of {who};".encode() in left] == people[1::2]
    record.close()


def _wordy(rng: random.Random, who: str) -> Draft:
    """A row of anything from a few bytes to several pages."""
    text = f"word of {who};" * rng.choice([1, 3, 20, 60, 200, 900])
    return Draft(ParticipantDiscontinued(EndReason.DROPPED_OUT, text), who)


def heap(server: PostgresServer, url: str) -> bytes:
    """Every byte of a database's own files, as they are on disk."""
    database = url.split("@/")[1].split("?", maxsplit=1)[0]
    server.ask("CHECKPOINT")
    oid = server.ask("SELECT oid FROM pg_database WHERE datname = current_database()", database)
    return bytes_of(server.data / "base" / oid)


@pytest.mark.postgres
def test_postgresql_keeps_no_dead_row_of_what_was_erased(
    postgres_server: PostgresServer, postgres_url: str, clock: SimulatedClock
) -> None:
    record = Record.create(postgres_url, PROTOCOL_SHA256, clock)
    long = (MARKER + os.urandom(3000).hex()) * 3
    drafts = [Draft(ParticipantDiscontinued(EndReason.DROPPED_OUT, text), "sub-1") for text in (MARKER, long)]
    record.append("test", lambda _: drafts)
    assert MARKER.encode() in heap(postgres_server, postgres_url)

    record.erase_payloads("test", [1, 2], "consent withdrawn")
    assert MARKER.encode() in heap(postgres_server, postgres_url)
    record.scrub()

    assert MARKER.encode() not in heap(postgres_server, postgres_url)
    assert record.verify().sequence == 4
    record.close()


@pytest.mark.postgres
def test_a_study_in_postgresql_erases_a_person_as_one_in_a_file_does(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, clock: SimulatedClock
) -> None:
    study = initialise_study(
        tmp_path / "study", ONE_SESSION, "test", "isopath test", clock, store=postgres_url
    )
    gone = enrolled(study)
    walk_to(study, gone, RenderSession)
    marked(study, gone)

    erase(study, "anna", gone)

    assert MARKER.encode() not in heap(postgres_server, postgres_url)
    assert MARKER.encode() not in bytes_of(study.folder.root)
    assert erasures_due(study.record.events()) == {}
    assert study.record.verify() == study.record.head()
    study.record.close()


def test_a_part_that_was_over_before_keeps_its_end(study: Study) -> None:
    participant_id = enrolled(study)
    walk_to(study, participant_id, RenderSession)
    discontinue(study, ACTOR, participant_id, EndReason.LOST_TO_FOLLOW_UP)

    withdraw(study, "anna", participant_id, keeps_data=True)

    assert due_of(study, participant_id) == Finished("lost_to_follow_up")
    assert len(study.record.events(kinds=[ParticipantDiscontinued])) == 1


def test_ids_are_drawn_at_random_and_no_two_people_share_one(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [enrolled(study) for _ in range(50)]
    assert len(set(ids)) == 50
    assert ids != sorted(ids)
    monkeypatch.setattr("study.conduct.secrets.token_hex", lambda _: ids[0].removeprefix("sub-"))
    head = study.record.head()

    with pytest.raises(ConductError, match="is enrolled already"):
        enrolled(study)

    assert study.record.head() == head
