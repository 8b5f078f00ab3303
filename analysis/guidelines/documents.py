"""The guidelines' documents as data: a schedule, a flow diagram and two checklists, ready for any format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analysis.figures.drawing import FigureImage
from analysis.figures.flow import flow_image
from analysis.guidelines.checklist import Answer, Checklist, Item, guideline
from analysis.guidelines.consort_methods import methods_answers
from analysis.guidelines.consort_results import results_answers
from analysis.guidelines.music import music_answers
from analysis.guidelines.participant_flow import Box, without_arms
from analysis.guidelines.schedule import make_schedule
from analysis.guidelines.trial import Trial
from analysis.report.blocks import Block, Bullets, Pictures, Section, Table, Text
from analysis.report.build import Report
from analysis.words import ENGLISH
from study.protocol import StudyProtocol

SPIRIT = (
    "SPIRIT 2025, item 18 (participant timeline). Chan A-W, Boutron I, Hopewell S, et al. SPIRIT 2025 "
    "statement: updated guideline for protocols of randomised trials. PLoS Medicine 2025;22:e1004589."
)
HIDDEN_ARMS = "Arms are hidden: the record is not frozen and unblinded yet, so all arms stand in one column."
_FROM_PROTOCOL = "Made by isopath from the protocol alone. The same protocol gives the same document."
_FOOTER = (
    "Filled by isopath from the protocol, the record and the results; what it cannot know is left to the "
    "authors. The same record gives the same document."
)


def consort(trial: Trial) -> Checklist:
    """The CONSORT 2025 checklist of a trial."""
    return Checklist(guideline("consort_2025"), {**methods_answers(trial), **results_answers(trial)})


def rg_mbi(trial: Trial) -> Checklist:
    """The RG-MBI 2025 checklist of a trial."""
    return Checklist(guideline("rg_mbi_2025"), music_answers(trial))


def flow_picture(trial: Trial) -> FigureImage:
    """The flow diagram; one column while arms are hidden."""
    if trial.may_tell_arms:
        return flow_image(trial.results)
    # Added up, nothing in it comes of arms dealt anew.
    hidden = replace(trial.results, flow=without_arms(trial.results.flow), shuffled=None)
    return flow_image(hidden)


def schedule_document(protocol: StudyProtocol) -> Report:
    """The schedule of enrolment, interventions and assessments, from the protocol alone."""
    schedule = make_schedule(protocol)
    rows: list[tuple[str, ...]] = []
    for heading, lines in schedule.sections:
        rows.append((heading.upper(), *("" for _ in schedule.columns)))
        rows += [(name, *(" ".join(mark.split()) for mark in marks)) for name, marks in lines]
    arms = tuple(f"{arm.arm_id}: {arm.label}." for arm in protocol.arms)
    table = Table(
        "Schedule of enrolment, interventions and assessments", ("", *schedule.columns), tuple(rows)
    )
    section = Section("schedule", "Schedule", (table, Bullets((*arms, *schedule.notes)), Text(SPIRIT)))
    report = _document(protocol, "Schedule of enrolment, interventions and assessments", (section,), ())
    return replace(report, footer=_FROM_PROTOCOL)


def consort_document(trial: Trial) -> Report:
    """The flow diagram with its numbers, and the checklist of 30 items."""
    boxes = Table(
        "Every box of the diagram",
        ("Box", "People", "Of whom"),
        tuple((box.said, str(box.n), _of_whom(box)) for box in trial.flow.boxes),
    )
    flow: list[Block] = [Pictures((flow_picture(trial),), wide=True), boxes]
    if not trial.may_tell_arms:
        flow.insert(0, Text(HIDDEN_ARMS, lead=True))
    section = Section("flow", "Participant flow", tuple(flow))
    return _checklist_document(trial, consort(trial), (section,))


def rg_mbi_document(trial: Trial) -> Report:
    """The checklist of 12 items for music-based interventions."""
    return _checklist_document(trial, rg_mbi(trial), ())


def _checklist_document(trial: Trial, checklist: Checklist, before: tuple[Section, ...]) -> Report:
    counts = ", ".join(f"{n} {standing}" for standing, n in checklist.counts().items())
    about = checklist.guideline
    first = Section(
        "about", "About", (Text(f"Items: {counts}.", lead=True), Text(about.source), Text(about.wording))
    )
    banners = (ENGLISH.text("figure.band.simulated"),) if trial.results.simulated else ()
    sections = (first, *before, *_item_sections(checklist))
    return _document(trial.protocol, about.name, sections, banners)


def _item_sections(checklist: Checklist) -> Iterator[Section]:
    items = checklist.guideline.items
    for name in dict.fromkeys(item.section for item in items):
        rows = tuple(_row(item, checklist.answers[item.number]) for item in items if item.section == name)
        columns = ("Item", "Asked for", "From this study", "Standing")
        yield Section(name.lower().replace(" ", "-"), name, (Table(name, columns, rows, numeric=False),))


def _row(item: Item, answer: Answer) -> tuple[str, ...]:
    said = list(answer.said)
    if answer.where:
        said.append(
            "More in the report: " + ", ".join(f"report.html#{place}" for place in answer.where) + "."
        )
    if answer.missing:
        said.append(f"To be added: {answer.missing}.".replace("..", "."))
    return (item.number, f"{item.topic}: {item.asks}.", " ".join(said) or "—", str(answer.standing))


def _of_whom(box: Box) -> str:
    parts = []
    for branch in box.branches:
        reasons = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in branch.reasons)
        parts.append(f"{branch.said} {branch.n}" + (f" ({reasons})" if reasons else ""))
    return "; ".join(parts)


def _document(
    protocol: StudyProtocol, name: str, sections: tuple[Section, ...], banners: tuple[str, ...]
) -> Report:
    return Report(
        title=name,
        subtitle=f"{protocol.title} ({protocol.study_id}, version {protocol.version})",
        language=ENGLISH.language,
        banners=banners,
        sections=sections,
        contents=ENGLISH.text("report.contents"),
        nothing=ENGLISH.text("report.nothing"),
        footer=_FOOTER,
    )
