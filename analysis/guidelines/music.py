"""RG-MBI 2025: what protocol, renderings and the log of playback say of the music-based intervention."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.guidelines.checklist import Answer
from analysis.guidelines.delivery import delivery_sentences, stop_sentences
from analysis.guidelines.trial import HIDDEN, Trial, counted, listed, minutes
from study.path import PathKind
from study.protocol import SITE, Arm, StudyProtocol

_CHOSEN = {
    PathKind.SELF_SELECTED: "by each participant, who brings it",
    PathKind.FILES: "by the investigators, as sound files fixed in the protocol",
    PathKind.SPEECH: "no music: recorded speech chosen by the investigators",
    PathKind.NOISE: "no music: noise",
    PathKind.SILENCE: "no music: silence",
}
_THEORY = {
    PathKind.ISO: "iso principle: begins at the mood reported and leads to the target in small steps "
    "(Altshuler, 1948; Starcke, Mayr & von Georgi, 2021)",
    PathKind.TARGET_ONLY: "compensatory: expresses the target mood from the first second",
    PathKind.REVERSE: "comparator: the iso path backwards",
    PathKind.RANDOM_ORDER: "comparator: the steps of the iso path in random order, so that "
    "sequence alone differs",
    PathKind.CONSTANT: "comparator: holds one mood throughout",
}


def music_answers(trial: Trial) -> dict[str, Answer]:
    """Every item, by number."""
    protocol = trial.protocol
    hidden = "" if trial.may_tell_arms else HIDDEN
    sites = next((s.levels for s in protocol.allocation.strata if s.factor == SITE), ())
    rationale = (protocol.description,) if protocol.description else ()
    theories = tuple(
        f"{arm.arm_id}: {_THEORY[arm.path.kind]}." for arm in protocol.arms if arm.path.kind in _THEORY
    )
    return {
        "1": Answer(tuple(f"{arm.arm_id}: {arm.label}." for arm in protocol.arms)),
        "2": Answer((*rationale, *theories), missing="how the music is thought to bring about the outcome"),
        "3": Answer(tuple(f"{arm.arm_id}: {_chosen(arm)}." for arm in protocol.arms)),
        "4": Answer((*_music(trial),), ("provenance", "paths")),
        "5": Answer((*_playing(protocol),), missing="the devices people used; the sound level at the ear"),
        "6": Answer((*_materials(protocol),)),
        "7": Answer((_strategy(protocol),)),
        "8": Answer(
            ("The program plays the music; nobody leads the session.",),
            missing="who was present, with what training",
        ),
        "9": Answer(("Individual: each session is one person's, with its own link and its own sound.",)),
        "10": Answer(
            (f"Sites: {listed(sites)}.",) if sites else (),
            missing="the place, its privacy and its other sounds",
        ),
        "11": Answer((*_schedule(protocol),)),
        "12": Answer(
            (
                "Sessions are rendered, mastered and played by program, alike for everybody of an arm; the "
                "record holds every sound by its SHA-256 and every moment of playback as an entry.",
                *delivery_sentences(trial),
                *stop_sentences(trial),
            ),
            ("participants", "paths", "agreement"),
            hidden,
        ),
    }


def _chosen(arm: Arm) -> str:
    if arm.plays_preferred_palette:
        return "composed by program; each participant chooses its palette of sounds"
    return _CHOSEN.get(arm.path.kind, "made by program for each session, by the rule of the arm's path")


def _music(trial: Trial) -> Iterator[str]:
    protocol, provenance = trial.protocol, trial.results.provenance
    for arm in protocol.arms:
        if arm.path.kind.is_composed:
            yield (
                f"{arm.arm_id}: instrumental music by the engine {arm.engine.name}, "
                f"{counted(arm.path.steps, 'waypoint')} of {minutes(arm.path.step_s)} in the plane of "
                f"valence and arousal, target ({arm.target.valence:+.2f}, {arm.target.arousal:+.2f})."
            )
        elif arm.files:
            yield f"{arm.arm_id}: {counted(len(arm.files), 'sound file')}, frozen with the study."
    if provenance["engines"]:
        yield f"Rendered by: {listed(provenance['engines'])}."
    if provenance["models"]:
        yield f"Models: {listed(f'{name} {version}' for name, version in provenance['models'].items())}."
    if provenance["licences"]:
        licences = listed(f"{name} ({licence})" for name, licence in provenance["licences"].items())
        yield f"Licences: {licences}."


def _playing(protocol: StudyProtocol) -> Iterator[str]:
    yield (
        "Recorded sound, played by a browser page on the device at hand; mastered to "
        f"{protocol.safety.loudness_lufs:g} LUFS, and the participant sets the volume."
    )
    check = protocol.sound_check
    if check is None:
        yield "No sound check before listening."
    elif check.headphone_test is None:
        yield "Before listening, each person sets a comfortable level."
    else:
        yield (
            f"Before listening, each person sets a comfortable level and takes a headphone test "
            f"({check.headphone_test}, {check.pass_at} of {check.trials} to pass)."
        )


def _materials(protocol: StudyProtocol) -> Iterator[str]:
    yield f"Instruments: {listed(f'{one.instrument_id} ({one.kind})' for one in protocol.instruments)}."
    if protocol.questionnaires:
        yield f"Questionnaires: {listed(one.questionnaire_id for one in protocol.questionnaires)}."
    shown = "a slow picture that may be switched off" if protocol.listening.has_visual else "no picture"
    yield f"On the page while listening: {shown}, and a button to stop."


def _strategy(protocol: StudyProtocol) -> str:
    probes = len(protocol.probes_at_s)
    asked = f", with {counted(probes, 'short report')} in between" if probes else ""
    induction = "; a mood induction goes before" if protocol.induction_text is not None else ""
    return f"Receptive listening, alone{asked}{induction}."


def _schedule(protocol: StudyProtocol) -> Iterator[str]:
    yield f"{counted(protocol.session_count, 'session')} of {minutes(protocol.duration_s)} each."
    for window in protocol.visit_windows:
        yield (
            f"Session {window.session_number}: day {window.from_day:g} to {window.to_day:g} after the first."
        )
