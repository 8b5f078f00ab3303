"""Checks of what is asked, and of what of it the analysis reads."""

from __future__ import annotations

from collections.abc import Iterator

from study.instruments import KINDS
from study.plugins import PREDICTORS, installed_names
from study.protocol_file.draft import Part, run_checks, unknown
from study.protocol_file.shape import default_number
from study.protocol_file.text import Finding, did_you_mean, plain_number, shown


def check_outcomes(draft: Part) -> Iterator[Finding]:
    """What is wrong with assessments and analysis."""
    yield from run_checks(
        (
            _instruments_can_be_answered,
            _assessments_name_instruments,
            _phases_are_complete,
            _probes_lie_in_the_session,
            _endpoint_can_be_read,
            _windows_fit_the_session,
            _predictor_is_installed,
        ),
        draft,
    )


def _instruments_can_be_answered(top: Part) -> Iterator[Finding]:
    given = {part.text for a in top["assessments"].parts() for part in a["instruments"].parts()}
    listening = top.get("listening")
    rated = None if listening is None else listening.get("continuous_rating")
    given.update(() if rated is None else {rated.text})
    for instrument in top["instruments"].readable_parts():
        yield from run_checks((_instrument_is_used, _perspective_fits), instrument, given)


def _instrument_is_used(instrument: Part, given: set[str]) -> Iterator[Finding]:
    if instrument["id"].text not in given:
        yield instrument["id"].finding(
            f"{shown(instrument['id'].text)} is never given", "name it in an assessment, or delete it"
        )


def _perspective_fits(instrument: Part, _given: set[str]) -> Iterator[Finding]:
    kind, perspective = instrument["kind"].text, instrument["perspective"]
    if KINDS[kind].affect_items is None and perspective.text == "perceived":
        yield perspective.finding(f"{kind} asks what a person feels, not what music expresses", "write felt")


def _kinds_by_id(top: Part) -> dict[str, tuple[str, str]]:
    return {i["id"].text: (i["kind"].text, i["perspective"].text) for i in top["instruments"].parts()}


def _assessments_name_instruments(top: Part) -> Iterator[Finding]:
    for assessment in top["assessments"].readable_parts():
        yield from run_checks((_names_are_known,), assessment, top)
        yield from run_checks((_fields_fit_the_phase,), assessment)
        yield from run_checks((_music_was_heard,), assessment, top)


def _names_are_known(assessment: Part, top: Part) -> Iterator[Finding]:
    questionnaires = _questionnaire_ids(top)
    known = [*_kinds_by_id(top), *questionnaires]
    what = "instrument or questionnaire" if questionnaires else "instrument"
    for name in assessment["instruments"].readable_parts():
        yield from unknown(name, known, what)


def _questionnaire_ids(top: Part) -> list[str]:
    questionnaires = top.get("questionnaires")
    return [] if questionnaires is None else [part["id"].text for part in questionnaires.parts()]


def _fields_fit_the_phase(assessment: Part) -> Iterator[Finding]:
    phase = assessment["phase"].text
    for field, owner, write in (
        ("at_s", "probe", "write a list of seconds into the session, such as [300, 600]"),
        ("after_days", "follow_up", "write days after the last session, such as 7"),
    ):
        found = field in assessment.json
        if found and phase != owner:
            yield Finding(
                (*assessment.path, field), f"belongs to a {owner}, and this is {phase}", "delete it"
            )
        if not found and phase == owner:
            yield Finding((*assessment.path, field), f"is missing, and this is a {owner}", write)


def _music_was_heard(assessment: Part, top: Part) -> Iterator[Finding]:
    phase, kinds = assessment["phase"].text, _kinds_by_id(top)
    for name in assessment["instruments"].readable_parts():
        if phase in ("baseline", "pre") and kinds.get(name.text, ("", ""))[1] == "perceived":
            yield name.finding(
                f"{shown(name.text)} asks what the music expresses, and none is heard before {phase}",
                "give it at probe or post",
            )


def _phases_are_complete(top: Part) -> Iterator[Finding]:
    assessments = top["assessments"]
    seen: set[tuple[str, float | None]] = set()
    for assessment in assessments.parts():
        phase, after_days = assessment["phase"], assessment.get("after_days")
        key = (phase.text, after_days.number if after_days is not None else None)
        if key in seen and phase.text != "probe":
            yield phase.finding(
                f"there is a {phase.text} assessment for this moment already",
                "name all its instruments in one assessment",
            )
        seen.add(key)
    for phase_name, why in (("pre", "starts the path"), ("post", "gives the endpoint")):
        if not any(name == phase_name for name, _ in seen):
            yield assessments.finding(
                f"has no {phase_name} assessment, which {why}",
                f'add {{"phase": "{phase_name}", "instruments": […]}}',
            )


def _probes_lie_in_the_session(top: Part) -> Iterator[Finding]:
    duration_s = top.at("session", "duration_s").number
    window_s = _window_s(top, "probe_window_s")
    seen: set[tuple[str, float]] = set()
    for assessment in top["assessments"].readable_parts():
        yield from run_checks((_probe_times_fit,), assessment, duration_s, window_s, seen)


def _probe_times_fit(
    assessment: Part, duration_s: float, window_s: float, seen: set[tuple[str, float]]
) -> Iterator[Finding]:
    if assessment["phase"].text != "probe":
        return
    names = assessment["instruments"].texts
    for at in assessment["at_s"].readable_parts():
        at_s = plain_number(at.number)
        if at.number >= duration_s:
            yield at.finding(
                f"a probe at {at_s} s comes when the session of {plain_number(duration_s)} s is over",
                f"write seconds before {plain_number(duration_s)} (what follows is the post assessment)",
            )
        elif at.number < window_s:
            yield at.finding(
                f"a probe at {at_s} s leaves no {plain_number(window_s)} s of sound before it"
                " (analysis.agreement.probe_window_s)",
                f"write {plain_number(window_s)} or later, or a shorter probe_window_s",
            )
        if any((name, at.number) in seen for name in names):
            yield at.finding(f"there is a probe at {at_s} s already", "keep one")
        seen.update((name, at.number) for name in names)


def _endpoint_can_be_read(top: Part) -> Iterator[Finding]:
    instrument, kinds = top.at("analysis", "instrument"), _kinds_by_id(top)
    affective = [
        name for name, (kind, whose) in kinds.items() if KINDS[kind].affect_items and whose == "felt"
    ]
    remedy = "write the id of a felt instrument with valence and arousal" + (
        ": " + ", ".join(affective) if affective else " (affective_slider, affect_grid, vas or sam)"
    )
    if instrument.text not in kinds and instrument.text in _questionnaire_ids(top):
        yield instrument.finding(
            f"{shown(instrument.text)} is a questionnaire, which gives no valence and arousal",
            remedy,
        )
        return
    if instrument.text not in kinds:
        yield from unknown(instrument, kinds, "instrument")
        return
    kind, perspective = kinds[instrument.text]
    if KINDS[kind].affect_items is None:
        yield instrument.finding(
            f"{shown(instrument.text)} ({kind}) has no valence and arousal to read the endpoint from", remedy
        )
    elif perspective != "felt":
        yield instrument.finding(
            f"{shown(instrument.text)} asks what the music expresses, and the endpoint is what people feel",
            remedy,
        )
    given: dict[str, set[str]] = {"pre": set(), "post": set()}
    for assessment in top["assessments"].parts():
        given.setdefault(assessment["phase"].text, set()).update(assessment["instruments"].texts)
    missing = [phase for phase in ("pre", "post") if given[phase] and instrument.text not in given[phase]]
    if missing:
        yield instrument.finding(
            f"{shown(instrument.text)} is not given at {' and '.join(missing)}",
            "name it in the instruments of the pre and the post assessment",
        )


def _window_s(top: Part, name: str) -> float:
    window = top.at("analysis", "agreement").get(name)
    return window.number if window is not None else default_number("analysis", "agreement", name)


def _windows_fit_the_session(top: Part) -> Iterator[Finding]:
    duration_s = top.at("session", "duration_s").number
    for name in ("probe_window_s", "post_window_s"):
        if _window_s(top, name) > duration_s:
            yield Finding(
                ("analysis", "agreement", name),
                f"{plain_number(_window_s(top, name))} s is longer than the session of"
                f" {plain_number(duration_s)} s",
                f"write {plain_number(duration_s)} or less",
            )


def _predictor_is_installed(top: Part) -> Iterator[Finding]:
    predictor = top.at("analysis", "agreement", "predictor")
    names = installed_names(PREDICTORS)
    if predictor.text not in names:
        yield predictor.finding(
            f"{shown(predictor.text)} is not a predictor that is installed here",
            did_you_mean(predictor.text, names) + "write one of " + ", ".join(names),
        )
