"""The protocol: what was planned for everybody. Nobody's allocation is here."""

from __future__ import annotations

import streamlit as st

from analysis.arm_names import arm_name
from analysis.figures.planned import planned_images
from analysis.guidelines.schedule import make_schedule
from dashboards.cli.protocol_picture import example_start, planned_arms
from dashboards.researcher import markup
from dashboards.researcher.frame import open_page
from dashboards.researcher.gate import require_staff
from dashboards.researcher.times import moment
from dashboards.server.serving import current
from study.access.roles import Permission
from study.events import ProtocolAmended
from study.founding import Study
from study.oversight.words import counted
from study.protocol import StudyProtocol


def show() -> None:
    """The page."""
    require_staff(Permission.SEE_PROGRESS)
    open_page("Protocol", "The plan as it was frozen, in the version in force. Nobody's allocation is here.")
    protocol = current().study.protocol
    _show_amendments(current().study)
    show_plan(protocol)
    with st.expander("Safety"):
        _show_safety(protocol)
    with st.expander("Analysis"):
        _show_analysis(protocol)
    markup.show(markup.paragraph(f"SHA-256 of the protocol file: {protocol.sha256}", is_quiet=True))


def _show_amendments(study: Study) -> None:
    rows = [
        (
            recorded.event.version,
            moment(recorded.at),
            recorded.event.reason,
            "; ".join(recorded.event.changes),
        )
        for recorded in reversed(study.record.events(kinds=[ProtocolAmended]))
        if isinstance(recorded.event, ProtocolAmended)
    ]
    if rows:
        text = (
            "An amendment holds for whoever is enrolled after it; everybody else goes on under their version."
        )
        markup.show(markup.paragraph(text))
        columns = ("Version", "In force since", "Why", "What changed")
        markup.show(markup.table("Amendments", columns, rows))


def show_plan(protocol: StudyProtocol) -> None:
    """Title, figures, schedule and the arms' planned paths."""
    markup.show(markup.heading(protocol.title, protocol.description or "", level=2))
    sessions = counted(protocol.session_count, "session")
    facts = (
        ("Version", protocol.version),
        ("Design", str(protocol.design)),
        ("Planned", f"{protocol.sample_size} people"),
        ("Listening", f"{sessions} of {protocol.duration_s / 60:g} min"),
        ("Languages", ", ".join(protocol.languages)),
    )
    markup.show(markup.facts(facts))
    schedule = make_schedule(protocol)
    rows = [
        (section, name, *(mark.replace("\n", ", ") for mark in marks))
        for section, named in schedule.sections
        for name, marks in named
    ]
    markup.show(
        markup.table(
            "Schedule (SPIRIT 2025, item 18)", ("Part", "What", *schedule.columns), rows, is_small=True
        )
    )
    markup.show(markup.bullets(schedule.notes))
    markup.show(markup.heading("Planned paths", level=2))
    start = example_start(protocol)
    caption = (
        f"From an example start (valence {start.valence:.1f}, arousal {start.arousal:.1f}); each person's "
        "path starts from their own report unless the protocol fixes it."
    )
    planned = [(arm_name(arm.arm_id), arm.path) for arm in planned_arms(protocol, start)]
    images = planned_images(planned, start, protocol.target, protocol.probes_at_s)
    pictures = "".join(markup.picture(image.svg, image.alt, image.title) for image in images)
    markup.show(f'<div class="ip-columns">{pictures}</div>')
    markup.show(markup.paragraph(caption, is_quiet=True))
    arms = [(arm.label, arm.arm_id, str(arm.path.kind), arm.engine.name) for arm in protocol.arms]
    markup.show(markup.table("Arms", ("Arm", "Id", "Kind of path", "Engine"), arms))


def _show_safety(protocol: StudyProtocol) -> None:
    safety = protocol.safety
    rules = [
        f"{rule.rule_id}: {rule.counts.replace('_', ' ')}, at least {rule.at_least} of the people"
        + (f" and {rule.of_share:.0%} of those who began to listen" if rule.of_share else "")
        + ", in one arm"
        for rule in safety.stop_rules
    ]
    distress = (
        f"A felt valence at or below {safety.distress_valence:g} with an arousal at or above "
        f"{safety.distress_arousal:g} counts as distress: the music pauses, and staff are alerted."
    )
    markup.show(markup.bullets((distress, f"Loudness: {safety.loudness_lufs:g} LUFS.", *rules)))
    if not rules:
        markup.show(markup.paragraph("The protocol has no stop rules."))
    for language, text in safety.support_text.items():
        markup.show(markup.heading(f"Support text ({language})", level=3))
        markup.show(markup.paragraph(text))


def _show_analysis(protocol: StudyProtocol) -> None:
    analysis = protocol.analysis
    primary = next((c for c in analysis.contrasts if c.is_primary), None)
    markup.show(
        markup.facts(
            (
                ("Endpoint", analysis.endpoint.replace("_", " ")),
                ("Instrument", analysis.instrument_id),
                ("Primary contrast", " minus ".join(primary.arm_ids) if primary else None),
                ("Adjusted for", ", ".join(analysis.covariates)),
                ("Several tests", analysis.multiplicity),
                ("Alpha", analysis.alpha),
            )
        )
    )
    estimand = analysis.estimand
    markup.show(markup.bullets((estimand.population, estimand.variable, estimand.summary)))
