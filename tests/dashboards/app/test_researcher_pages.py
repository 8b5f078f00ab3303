"""What members of staff see and do on their pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.researcher import editor_page, gate
from dashboards.researcher.markup import Mark, notice, paragraph, table
from dashboards.researcher.pages import PAGES, ResearcherPage
from dashboards.researcher.record_view import record_view
from dashboards.server.serving import Served, begin_serving
from protocols import example_path
from study.access.accounts import Staff
from study.access.links import participant_of
from study.conduct import enrol, give_consent
from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    ArmsSeen,
    ConsentWithdrawn,
    DeviationRecorded,
    LinkIssued,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    Role,
    SessionRendered,
)
from study.founding import Study
from study.freeze import freeze, unblind
from study.oversight import alerts_of, quality_rows, status_of
from study.privacy.withdrawal import withdraw
from study.record import Draft
from study.support import call_staff
from tests.dashboards.app.arm_leaks import Shown, leaks_in
from tests.dashboards.app.busy_study import HOSTILE, BusyStudy
from tests.dashboards.app.looked_at import Page, page_script
from tests.dashboards.app.two_arms import what_tells_the_arm
from tests.dashboards.app.whole_study import whole_protocol, whole_study

SESSION = "ses-01"

Opens = Callable[[str, Role], Page]


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> Opens:
    """Open a page of the study that is being served, as somebody of a role."""

    def opened(url_path: str, role: Role) -> Page:
        monkeypatch.setattr(gate, "staff_of_cookies", lambda *_, **__: Staff("cora", role))
        return Page(AppTest.from_string(page_script(url_path), default_timeout=60)).run()

    return opened


@pytest.fixture
def new_study(tmp_path: Path) -> Iterator[Study]:
    protocol = whole_protocol()
    protocol["sound_check"] |= {"trials": 3, "pass_at": 3}
    study = whole_study(tmp_path / "new", protocol)
    begin_serving(Served(study, is_secure=False))
    yield study
    study.record.close()


class TestTheOverview:
    def test_a_new_study_says_what_to_do_next(self, new_study: Study, opens: Opens) -> None:
        page = opens("overview", Role.COORDINATOR)

        assert "Nothing needs you now." in page.text
        assert "Nobody has begun a session today." in page.text
        assert "Nobody is enrolled yet: open Participants and enrol the first person." in page.text

    def test_it_shows_alerts_todays_sessions_and_enrolment(self, busy: BusyStudy, opens: Opens) -> None:
        page = opens("overview", Role.COORDINATOR)

        assert "A stop rule of the protocol has been reached: much distress. Please call" in page.text
        assert f"{busy.in_distress}: asks for somebody to come, feels worse" in page.text
        assert "Alerts (3 open)" in page.text
        assert "stopped by choice; heard 37 % of the session" in page.text
        assert "4 of 40" in page.text
        assert 'alt="From ' in page.markup

    def test_an_alert_marked_as_seen_leaves_the_list_and_stays_on_record(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("overview", Role.COORDINATOR)

        # The first button belongs to the stop rule, the second to the newest alert.
        page.at.text_input[1].set_value("sat with the person")
        page.press("Mark as seen", place=1)

        (seen,) = busy.study.record.events(kinds=[AlertAcknowledged])
        assert seen.actor == "coordinator:cora"
        assert isinstance(seen.event, AlertAcknowledged)
        assert seen.event.note == "sat with the person"
        assert "Alerts (2 open)" in page.text

    def test_who_may_not_report_harm_may_not_mark_alerts_either(self, busy: BusyStudy, opens: Opens) -> None:
        page = opens("overview", Role.STATISTICIAN)

        assert "Alerts (3 open)" in page.text
        assert not [button for button in page.at.button if button.label == "Mark as seen"]


class TestParticipants:
    def test_a_person_is_enrolled_and_gets_a_link_that_is_shown_once(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("participants", Role.COORDINATOR)

        page.choose("Site", "south").press("Enrol")
        who = busy.study.record.events(kinds=[ParticipantEnrolled])[-1]
        page.press("Make a personal link")

        assert isinstance(who.event, ParticipantEnrolled)
        assert (who.event.stratum, who.actor) == ({"site": "south"}, "coordinator:cora")
        (token,) = set(re.findall(r"/go/([0-9a-f]{32})", page.text))
        assert participant_of(busy.study, token) == who.participant_id
        assert "QR code of the personal link" in page.markup
        assert token not in page.run().markup

    def test_nobody_is_enrolled_without_a_stratum(self, busy: BusyStudy, opens: Opens) -> None:
        before = len(busy.study.record.events())

        page = opens("participants", Role.COORDINATOR).press("Enrol")

        assert "Choose site first." in page.text
        assert len(busy.study.record.events()) == before

    def test_a_revoked_link_needs_a_reason_and_opens_nothing(self, busy: BusyStudy, opens: Opens) -> None:
        page = opens("participants", Role.COORDINATOR)
        page.choose("One participant: links, sessions, reports", busy.new).run()

        assert "Say why" in page.press("Revoke every open link").text
        page.write("Why revoke", "the telephone was lost").press("Revoke every open link")

        assert "open nothing any more" in page.text
        assert "none open" in page.text

    def test_everybody_stands_there_with_the_verdict_and_its_reason(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("participants", Role.COORDINATOR)

        assert "session 1: stopped (stopped by choice; heard 37 % of the session)" in page.text
        assert "session 1: complete" in page.text
        assert "over: declined" in page.text

    def test_an_adverse_event_is_saved_once_however_often_the_button_is_pressed(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("participants", Role.COORDINATOR)
        page.choose("One participant: links, sessions, reports", busy.stopped).run()
        before = len(busy.study.record.events(kinds=[AdverseEventReported]))

        page.press("Save the adverse event")
        assert "Not saved:" in page.text
        page.choose("Kind", "physical").choose("How bad", "severe").choose("Caused by the music", "probable")
        page.write("What happened, without names", HOSTILE).press("Save the adverse event")
        page.press("Save the adverse event")

        reported = busy.study.record.events(kinds=[AdverseEventReported])[before:]
        assert [r.event for r in reported] == [
            AdverseEventReported("physical", "severe", "probable", HOSTILE)
        ]

    def test_ending_a_persons_part_asks_for_a_tick(self, busy: BusyStudy, opens: Opens) -> None:
        page = opens("participants", Role.COORDINATOR)
        page.choose("One participant: links, sessions, reports", busy.new).run()
        before = len(busy.study.record.events(kinds=[ParticipantDiscontinued]))
        page.choose("Why", "dropped_out")

        assert "tick the box" in page.press("End this person's part").text
        page.at.checkbox[0].check()
        page.press("End this person's part")

        ended = busy.study.record.events(kinds=[ParticipantDiscontinued])[before:]
        assert [r.participant_id for r in ended] == [busy.new]

    def test_whoever_withdraws_is_asked_what_may_become_of_what_they_gave(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        strata = busy.study.protocol.allocation.strata
        who = enrol(busy.study, "test", {factor.factor: factor.levels[0] for factor in strata})
        page = opens("participants", Role.COORDINATOR)
        page.choose("One participant: links, sessions, reports", who).run()
        page.choose("Why", "withdrew")
        page.at.checkbox[0].check()

        assert "Ask whoever withdraws" in page.press("End this person's part").text
        assert busy.study.record.events(who, kinds=[ConsentWithdrawn]) == []
        page.choose("Where they withdrew: what may become of what they gave", "it is to be erased")
        page.press("End this person's part")

        wishes = [r.event for r in busy.study.record.events(who, kinds=[ConsentWithdrawn])]
        assert [wish.keeps_data for wish in wishes if isinstance(wish, ConsentWithdrawn)] == [False]
        assert "asked for their data to be erased" in page.run().text
        assert "Erasure asked for" in opens("overview", Role.COORDINATOR).text

    def test_a_call_for_help_is_told_though_whoever_called_asked_to_be_erased(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        strata = busy.study.protocol.allocation.strata
        who = enrol(busy.study, "test", {factor.factor: factor.levels[0] for factor in strata})
        give_consent(busy.study, "participant", who, busy.study.protocol.languages[0])
        call_staff(busy.study, "participant", who, SESSION)

        withdraw(busy.study, "participant", who, keeps_data=False, closes_links=False)

        told = opens("overview", Role.COORDINATOR).text
        assert f"{who}: called for somebody to come" in told
        assert f"{who}: asks for their data to be erased" in told

    def test_how_a_sound_was_made_is_not_told_to_a_coordinator(self, busy: BusyStudy, opens: Opens) -> None:
        rendered = busy.study.record.events(kinds=[SessionRendered])[0].event
        assert rendered is not None
        made = DeviationRecorded("music by amberly, planned: composer", "isopath render was given --engine")
        busy.study.record.append("test", lambda _: [Draft(e, busy.whole, SESSION) for e in (made, rendered)])

        shown = {}
        for role in (Role.COORDINATOR, Role.UNBLINDED):
            page = opens("participants", role)
            page.choose("One participant: links, sessions, reports", busy.whole).run()
            shown[role] = page.text

        assert "amberly" not in shown[Role.COORDINATOR]
        assert "the sound was made otherwise than planned" in shown[Role.COORDINATOR]
        assert "music by amberly" in shown[Role.UNBLINDED]


class TestASession:
    def test_a_coordinator_sees_what_was_felt_and_heard_and_nothing_that_tells_the_arm(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("sessions", Role.COORDINATOR)
        page.at.selectbox[0].select((busy.whole, SESSION)).run()

        assert "How complete" in page.text
        assert "4 s (100 %)" in page.text
        assert "feeling" in page.text
        # What the music was perceived to express, and the person's guess, describe the sound.
        for told in ("expressed", "Which kind did you hear?", "planned", "generated", "target", "noise"):
            assert told not in page.text
            assert told not in page.markup

    def test_who_may_know_arms_sees_them_after_saying_so_and_it_is_recorded(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        page = opens("sessions", Role.UNBLINDED)
        page.at.selectbox[0].select((busy.whole, SESSION)).run()
        assert "Starts at" not in page.text
        assert not busy.study.record.events(kinds=[ArmsSeen])

        page.at.toggle[0].set_value(True).run()

        assert "Starts at valence −0.60, arousal 0.50" in re.sub(r"\s+", " ", page.text)
        assert f'src="/api/staff/sound/{busy.whole}/{SESSION}"' in page.markup
        assert "Which kind did you hear?" in page.text
        (seen,) = busy.study.record.events(kinds=[ArmsSeen])
        assert (seen.actor, seen.participant_id) == ("unblinded:cora", busy.whole)

    def test_looking_at_a_session_does_not_make_it_look_alive(self, busy: BusyStudy, opens: Opens) -> None:
        study = busy.study
        study.record.append(
            "unblinded:una", lambda _: [Draft(ArmsSeen("una", "sound"), busy.listening, SESSION)]
        )
        later = study.record.clock() + timedelta(hours=13)

        found = status_of(study.protocol, study.record.participant(busy.listening), later)

        assert str(found.sessions[SESSION].verdict) == "partial"


class TestWhatPeopleWrote:
    @pytest.mark.parametrize("url_path", ["overview", "participants", "sessions", "quality"])
    def test_it_is_letters_and_never_markup(self, busy: BusyStudy, opens: Opens, url_path: str) -> None:
        page = opens(url_path, Role.COORDINATOR)
        if url_path == "participants":
            page.choose("One participant: links, sessions, reports", busy.whole).run()
        if url_path == "sessions":
            page.at.selectbox[0].select((busy.whole, SESSION)).run()

        is_shown = "window.harmed" in page.text
        assert is_shown == (url_path in ("participants", "sessions"))
        assert "<script" not in page.markup
        assert "<img src=x" not in page.markup
        # Nothing that Streamlit would read as Markdown, an icon or a formula holds it.
        read_as_markdown = [*page.at.markdown, *page.at.caption, *page.at.title, *page.at.header]
        assert not any("harmed" in str(element.value) for element in read_as_markdown)

    def test_every_kind_of_box_escapes_what_it_is_given(self) -> None:
        for made in (
            paragraph(HOSTILE),
            notice(HOSTILE, "bad", HOSTILE),
            table(HOSTILE, (HOSTILE,), ((HOSTILE,), (Mark("look", HOSTILE),))),
        ):
            assert "<script" not in made
            assert "<img" not in made
            assert made.count("</table>") <= 1
            assert "&lt;script&gt;" in made


class TestBlindedResults:
    def test_everybody_is_shown_together_and_no_arm_is_named(self, trial: Study, opens: Opens) -> None:

        page = opens("results", Role.STATISTICIAN)

        assert "Blinded." in page.text
        assert "change in valence" in page.text
        assert "6 sessions with sound; 6 with both reports." in page.text
        people = {r.participant_id for r in trial.record.events() if r.participant_id}
        shown = Shown("page", "results", (page.markup + page.text).encode())
        assert leaks_in([shown], what_tells_the_arm(trial), people) == []

    def test_single_people_are_not_pooled(self, busy: BusyStudy, opens: Opens) -> None:
        page = opens("results", Role.STATISTICIAN)

        assert "There is too little to pool yet" in page.text

    def test_results_by_arm_wait_for_the_freeze_and_for_unblinding(self, trial: Study, opens: Opens) -> None:
        freeze(trial, "admin:anna", "the last person has finished")
        assert "Blinded." in opens("results", Role.STATISTICIAN).text

        unblind(trial, "admin:anna", "the plan is signed")
        page = opens("results", Role.STATISTICIAN)

        assert "Blinded." not in page.text
        assert "The analysis has not been run on the frozen record yet." in page.text


class TestTheProtocolEditor:
    def test_all_problems_are_listed_with_place_and_remedy(self) -> None:
        content = json.loads(example_path("iso_vs_target_only").read_text())
        content["session"]["duration_s"] = -3
        content["arms"][0]["path"]["kind"] = "iso-path"

        checked = editor_page.check_text(json.dumps(content))

        assert checked.protocol is None
        assert {"$.session.duration_s", "$.arms[0].path.kind"} <= {p.json_path for p in checked.problems}
        assert all(problem.remedy for problem in checked.problems)

    def test_it_begins_with_the_studys_own_protocol_and_writes_nothing(
        self, busy: BusyStudy, opens: Opens
    ) -> None:
        frozen = busy.study.folder.protocol
        before, head = frozen.read_bytes(), busy.study.record.head()
        page = opens("editor", Role.COORDINATOR)
        assert "Choose above what to begin with" in page.text

        page.press("Put it into the editor; what is there now is replaced")
        assert "No problems." in page.text
        text = str(page.at.text_area[0].value)
        page.at.text_area[0].set_value(text.replace('"duration_s": 4', '"duration_s": -4')).run()

        assert "to mend, all listed here." in page.text
        assert "$.session.duration_s" in page.text
        assert frozen.read_bytes() == before
        assert busy.study.record.head() == head


class TestTheRecordAsPagesReadIt:
    def test_it_grows_with_the_record_and_is_what_reading_it_anew_would_give(self, busy: BusyStudy) -> None:
        study = busy.study
        now = study.record.clock()
        first = record_view(study)
        first.statuses(now), first.alerts(now), first.quality()

        who = enrol(study, "test", {"site": "south"})
        study.record.append("test", lambda _: [Draft(LinkIssued("0" * 64, None), busy.whole)])

        grown = record_view(study)
        events = study.record.events()
        assert grown.events == events
        assert list(grown.histories) == [*first.histories, who]
        assert grown.alerts(now) == alerts_of(study.protocol, events, now)
        assert grown.quality() == quality_rows(study.protocol, events)
        for participant_id, history in grown.histories.items():
            assert grown.status(participant_id, now) == status_of(study.protocol, history, now)

    def test_an_unchanged_record_is_not_read_again(
        self, busy: BusyStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = record_view(busy.study)
        monkeypatch.setattr(type(busy.study.record), "events", lambda *_, **__: pytest.fail("read again"))

        assert record_view(busy.study) is kept

    def test_what_was_erased_is_gone_from_the_pages_at_once(self, busy: BusyStudy) -> None:
        study = busy.study
        record_view(study)
        reported = study.record.events(kinds=[AdverseEventReported])[0]

        study.record.erase_payload("test", reported.sequence, "asked for it")

        assert record_view(study).events[reported.sequence - 1].event is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_no_page_shows_anything_to_somebody_who_is_not_logged_in(
    busy: BusyStudy, page: ResearcherPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "staff_of_cookies", lambda *_, **__: None)
    shown = Page(AppTest.from_string(page_script(page.url_path), default_timeout=60)).run()

    assert [header.value for header in shown.at.header] == ["Please log in"]
    assert not [*shown.at.selectbox, *shown.at.button, *shown.at.toggle]
    assert "sub-" not in shown.text
    assert busy.study.protocol.title not in shown.text
