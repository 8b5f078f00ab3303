"""What a participant's page is given to show, at every step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.participant.answers import due_key, take_answer
from dashboards.participant.step_view import closed_view, language_of, step_view, trouble_view
from generation.session_folder import SOUND
from study.conduct import discontinue, enrol
from study.delivery import plan_session, record_playback, record_render
from study.events import (
    EndReason,
    PlaybackEnded,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
)
from study.founding import Study
from study.sound_check import trial_answers
from study.support import call_staff
from tests.dashboards.app.mirrored import bring_mirrored_catalogue, mirrored_words
from tests.dashboards.app.person import usual_answer
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.study.walking import manifest_of

TOP = {
    "kind",
    "key",
    "language",
    "direction",
    "languages",
    "study_title",
    "words",
    "session_id",
    "progress",
    "can_withdraw",
    "simulated",
    "data",
}
#: What would tell somebody where the music leads or how it is made.
TELLING = {"arm", "arm_id", "engine", "target", "path", "plan", "manifest", "stim_file", "start", "seed"}


class Someone:
    """A participant whose views are looked at one after the other."""

    def __init__(self, study: Study, language: str = "en") -> None:
        self.study, self.language = study, language
        self.participant_id = enrol(study, "test", {})

    def view(self, now: datetime | None = None) -> dict[str, Any]:
        return step_view(self.study, self.participant_id, self.language, now or self.study.record.clock())

    def answer(self, said: object = None) -> None:
        view = self.view()
        given = usual_answer(view, (0.25, 0.75)) if said is None else said
        now = self.study.record.clock()
        take_answer(self.study, self.participant_id, view["key"], given, self.language, 1.0, now)

    def render(self) -> None:
        plan = plan_session(self.study, self.participant_id)
        folder = self.study.folder.sessions / plan.participant_id / plan.session_id
        folder.mkdir(parents=True)
        (folder / SOUND).write_bytes(b"x" * 1234)
        record_render(self.study, "server", plan, manifest_of(plan))

    def play(self, *events: Any) -> None:
        for event in events:
            record_playback(self.study, "participant", self.participant_id, "ses-01", event)

    def go_to(self, kind: str) -> dict[str, Any]:
        for view in self.walk():
            if view["kind"] == kind:
                return view
        raise AssertionError(f"never came to {kind}")

    def walk(self) -> Iterator[dict[str, Any]]:
        """Every view on the way, each before it is answered."""
        while True:
            view = self.view()
            yield view
            match view["kind"]:
                case "finished":
                    return
                case "waiting":
                    self.render()
                case "player" if view["data"]["until"] == "probe":
                    self.play(PlaybackStarted(0.0), PlaybackPaused(view["data"]["until_s"]))
                case "player":
                    at_s = view["data"]["position_s"]
                    self.play(PlaybackResumed(at_s), PlaybackEnded(view["data"]["until_s"]))
                case _:
                    self.answer()


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return list(Someone(whole_study(tmp_path_factory.mktemp("walked") / "study")).walk())


@pytest.fixture
def someone(tmp_path: Path) -> Someone:
    return Someone(whole_study(tmp_path / "study"))


def named(part: object) -> Iterator[str]:
    """Every key anywhere in a view."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from named(value)
    elif isinstance(part, list):
        for value in part:
            yield from named(value)


def test_the_whole_way_is_shown_step_by_step(walked: list[dict[str, Any]]) -> None:
    kinds = [view["kind"] for view in walked]

    assert kinds == [
        "consent",
        "eligibility",
        *["sound_check"] * kinds.count("sound_check"),
        "instrument",
        "induction",
        "instrument",
        "waiting",
        "player",
        "instrument",
        "player",
        "instrument",
        "instrument",
        "instrument",
        "questionnaire",
        "debrief",
        "finished",
    ]


def test_every_view_is_json_with_the_same_frame(walked: list[dict[str, Any]]) -> None:
    for view in walked:
        assert set(view) == TOP
        assert json.loads(json.dumps(view)) == view


def test_no_view_tells_an_arm_an_engine_or_where_the_music_leads(walked: list[dict[str, Any]]) -> None:
    for view in walked:
        assert not TELLING & set(named(view)), view["kind"]
        # An arm guess offers every arm, by the study's own words; nothing else names one.
        if view["kind"] != "questionnaire":
            shown = json.dumps({**view, "words": {}})
            assert "silence" not in shown
            assert "noise" not in shown
            assert '"iso"' not in shown


def test_progress_grows_from_the_first_step_to_the_last(walked: list[dict[str, Any]]) -> None:
    done = [view["progress"]["done"] for view in walked if view["kind"] not in ("finished", "sound_check")]

    assert {view["progress"]["of"] for view in walked[:-1]} == {15}
    assert done == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]


def test_the_words_are_those_that_the_page_needs_and_no_others(walked: list[dict[str, Any]]) -> None:
    groups = {view["kind"]: {key.split(".")[0] for key in view["words"]} for view in walked}

    assert groups["consent"] == {"page", "elsewhere", "consent"}
    assert groups["instrument"] == {"page", "elsewhere", "instrument", "item"}
    assert groups["finished"] == {"page", "elsewhere", "finished"}


def test_consent_shows_the_very_text_whose_hash_it_sends_back(someone: Someone) -> None:
    someone.language = "de"

    data = someone.view()["data"]

    text = someone.study.protocol.consent_text["de"]
    assert data["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert (
        data["html"] == "<h1>About this study</h1>\n<p>I take part of my own free will. (auf Deutsch)</p>\n"
    )
    assert (data["version"], data["languages"]) == ("1.0", ["en", "de"])


def test_markdown_of_a_protocol_brings_no_script_no_frame_and_no_picture_from_elsewhere(
    tmp_path: Path,
) -> None:
    text = (
        "<script>alert(1)</script>\n\n[go](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n"
        "![a lake](https://elsewhere.example/lake.png) [ours](https://study.example)"
    )
    protocol = whole_protocol()
    protocol["consent"]["text"] = {"en": text, "de": text}

    html = Someone(whole_study(tmp_path / "study", protocol)).view()["data"]["html"]

    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "a lake" in html
    assert '<a href="https://study.example" target="_blank" rel="noopener noreferrer">ours</a>' in html


def test_felt_and_perceived_are_asked_in_other_words(walked: list[dict[str, Any]]) -> None:
    asked = {
        view["data"]["perspective"]: view["data"]["question"]
        for view in walked
        if view["kind"] == "instrument"
    }

    assert asked == {"felt": "How do YOU feel right now?", "perceived": "What does the MUSIC express?"}


def test_the_report_that_begins_the_path_cannot_be_left_out_and_the_others_can(
    walked: list[dict[str, Any]],
) -> None:
    may_skip = {view["key"]: view["data"]["may_skip"] for view in walked if view["kind"] == "instrument"}

    assert may_skip == {
        "report/study/baseline/tension/1": True,
        "report/ses-01/pre/feeling/1": False,
        "report/ses-01/probe@2/feeling/1": True,
        "report/ses-01/post/feeling/1": True,
        "report/ses-01/post/expressed/2": True,
        "report/ses-01/post/mood/3": True,
    }


def test_the_two_sliders_stand_in_an_order_that_chance_chose_and_a_reload_keeps(tmp_path: Path) -> None:
    protocol = whole_protocol()
    del protocol["sound_check"], protocol["induction"]
    study = whole_study(tmp_path / "study", protocol)
    firsts = []
    for _ in range(16):
        someone = Someone(study)
        view = someone.go_to("instrument")
        while view["data"]["instrument_kind"] != "affective_slider":
            someone.answer()
            view = someone.view()
        assert someone.view() == view
        firsts.append(view["data"]["items"][0]["id"])

    # Sixteen fair draws are all alike once in 32,768 times.
    assert set(firsts) == {"valence", "arousal"}


def test_items_carry_their_scale_and_the_words_at_its_ends(walked: list[dict[str, Any]]) -> None:
    items = {
        view["data"]["instrument_kind"]: {item["id"]: item for item in view["data"]["items"]}
        for view in walked
        if view["kind"] == "instrument"
    }

    ends = {
        kind: (i["valence"]["low"], i["valence"]["high"], i["valence"]["points"]) for kind, i in items.items()
    }
    assert ends == {
        "vas": (0.0, 100.0, None),
        "affective_slider": (0.0, 1.0, None),
        "affect_grid": (1.0, 9.0, 9),
        "sam": (1.0, 9.0, 9),
    }
    assert items["sam"]["valence"]["low_words"] == "unpleasant"
    assert items["sam"]["arousal"]["high_words"] == "excited, wide awake"


def test_the_sound_check_counts_attempts_and_its_addresses_say_nothing_of_the_answers(
    someone: Someone,
) -> None:
    first = someone.go_to("sound_check")["data"]
    right = trial_answers(someone.study.protocol, someone.participant_id, someone.view()["key"])
    someone.answer({"volume": 0.4, "responses": [answer % 3 + 1 for answer in right]})
    after = someone.view()

    trials = len(right)
    assert first["sounds"] == [f"/api/me/sound-check/{n}.wav?attempt=1" for n in range(1, trials + 1)]
    assert (first["test"], first["trials"], first["attempt"], first["attempts"]) == ("huggins", trials, 1, 2)
    assert (after["kind"], after["data"]["attempt"], after["data"]["volume"]) == ("sound_check", 2, 0.4)
    assert after["data"]["sounds"][0].endswith("?attempt=2")


def test_the_player_is_told_the_file_the_place_and_the_next_stop(walked: list[dict[str, Any]]) -> None:
    first, second = (view["data"] for view in walked if view["kind"] == "player")

    assert first["sound_url"] == "/api/me/sound/ses-01"
    assert (first["sha256"], first["bytes"], first["duration_s"]) == ("0" * 64, 1234, 4.0)
    assert (first["position_s"], first["until_s"], first["until"]) == (0.0, 2.0, "probe")
    assert (second["position_s"], second["until_s"], second["until"]) == (2.0, 4.0, "end")
    assert first["volume"] == 0.6
    assert "You did well to stop" in first["support_html"]


def test_somebody_who_stopped_the_music_may_go_on_with_it_or_end_it(someone: Someone) -> None:
    someone.go_to("player")
    someone.play(PlaybackStarted(0.0), PlaybackStopped(1.0, StopReason.CHOSE_TO_STOP))
    call_staff(someone.study, "participant", someone.participant_id, "ses-01")

    view = someone.view()

    assert (view["kind"], view["data"]["cause"], view["data"]["ends"]) == ("support", "called", "music")
    assert "<strong>You did well to stop.</strong>" in view["data"]["html"]


def test_before_there_is_music_not_going_on_ends_the_person_s_part(someone: Someone) -> None:
    someone.go_to("sound_check")
    call_staff(someone.study, "participant", someone.participant_id, "ses-01")

    assert someone.view()["data"]["ends"] == "study"


def test_help_can_be_called_from_consent_to_the_end_and_withdrawal_too(walked: list[dict[str, Any]]) -> None:
    for view in walked:
        is_between = view["kind"] not in ("consent", "finished")
        assert (view["session_id"] is not None) is is_between, view["kind"]
        assert view["can_withdraw"] is is_between, view["kind"]


def test_the_debriefing_names_the_arm_only_where_the_protocol_says_so(tmp_path: Path) -> None:
    silent = Someone(whole_study(tmp_path / "silent")).go_to("debrief")
    protocol = whole_protocol()
    protocol["debrief"]["tells_arm"] = True
    for arm in protocol["arms"]:
        arm["label"] = f"the {arm['id']} arm"
        arm["told"] = {"en": f"The {arm['id']} way.", "de": f"Die {arm['id']}-Art."}
    telling = Someone(whole_study(tmp_path / "telling", protocol), "de").go_to("debrief")

    assert silent["data"]["arm_label"] is None
    assert telling["data"]["arm_label"] in ("Die iso-Art.", "Die silence-Art.")


def test_who_left_is_thanked_and_asked_nothing_more(someone: Someone) -> None:
    someone.go_to("induction")
    discontinue(someone.study, "participant", someone.participant_id, EndReason.WITHDREW)

    view = someone.view()

    assert (view["kind"], view["data"]["outcome"], view["data"]["said_as"]) == (
        "finished",
        "withdrew",
        "withdrew",
    )
    assert view["can_withdraw"] is False


def test_an_end_without_words_of_its_own_is_said_plainly(someone: Someone) -> None:
    discontinue(someone.study, "staff", someone.participant_id, EndReason.LOST_TO_FOLLOW_UP)

    assert someone.view()["data"]["said_as"] == "ended"


def test_who_is_not_eligible_is_told_kindly_and_whom_to_ask(tmp_path: Path) -> None:
    protocol = whole_protocol()
    protocol["study"]["contacts"] = [
        {"role": "study nurse", "name": "Ada Bell", "email": "ada@study.example"}
    ]
    someone = Someone(whole_study(tmp_path / "study", protocol))
    view = someone.go_to("eligibility")
    someone.answer({"answers": {question["id"]: False for question in view["data"]["questions"]}})

    data = someone.view()["data"]

    assert data["said_as"] == "not_eligible"
    assert "Ada Bell" in data["contacts_html"]
    assert 'href="mailto:ada@study.example"' in data["contacts_html"]


def test_a_visit_that_is_not_open_yet_says_when_it_opens(tmp_path: Path) -> None:
    protocol = whole_protocol()
    protocol["assessments"].append({"phase": "follow_up", "instruments": ["feeling"], "after_days": 7})
    someone = Someone(whole_study(tmp_path / "study", protocol))
    someone.go_to("debrief")
    someone.answer()

    view = someone.view()
    later = someone.view(someone.study.record.clock() + timedelta(days=8))

    assert view["kind"] == "early"
    waited = datetime.fromisoformat(view["data"]["opens_at"]) - someone.study.record.clock()
    assert timedelta(days=6, hours=23) < waited <= timedelta(days=7)
    assert (later["kind"], later["progress"]) == ("instrument", {"done": 0, "of": 1})


def test_a_browser_without_a_link_is_told_so_in_its_language(someone: Someone) -> None:
    view = closed_view(someone.study, "de")

    assert (view["kind"], view["language"]) == ("closed", "de")
    assert view["words"]["closed.title"] == "Dieser Link ist nicht offen"


def test_the_language_is_the_one_chosen_else_that_of_the_consent_else_the_browser_s_else_the_first(
    someone: Someone,
) -> None:
    protocol = someone.study.protocol
    someone.language = "de"
    before = someone.study.record.participant(someone.participant_id)
    someone.answer()
    after = someone.study.record.participant(someone.participant_id)

    assert language_of(protocol, before, [None, "de-AT"]) == "de"
    assert language_of(protocol, before, [None, "fr"]) == "en"
    assert language_of(protocol, before, ["en", "de"]) == "en"
    assert language_of(protocol, after, [None, "en-GB"]) == "de"
    assert language_of(protocol, after, ["en", "de"]) == "en"


def test_a_study_in_a_language_of_its_own_reads_from_the_right(tmp_path: Path) -> None:
    protocol = json.loads(json.dumps(whole_protocol()).replace('"de":', '"he":'))
    protocol["languages"] = ["en", "he"]
    study = whole_study(tmp_path / "study", protocol)
    bring_mirrored_catalogue(study.folder.root)

    view = Someone(study, "he").view()

    assert view["direction"] == "rtl"
    assert view["words"]["consent.agree"] == mirrored_words("Yes, I take part")
    assert [(one["code"], one["direction"]) for one in view["languages"]] == [("en", "ltr"), ("he", "rtl")]


def test_the_page_for_trouble_needs_no_catalogue_of_the_study_s_language(tmp_path: Path) -> None:
    protocol = json.loads(json.dumps(whole_protocol()).replace('"de":', '"he":'))
    protocol["languages"] = ["en", "he"]
    study = whole_study(tmp_path / "study", protocol)

    view = trouble_view(study, "he")

    assert (view["language"], view["words"]["page.trouble.title"]) == ("en", "One moment, please")
    assert set(view) == TOP


def test_the_key_is_that_of_the_due_step(someone: Someone) -> None:
    assert someone.view()["key"] == due_key(someone.study, someone.participant_id)
