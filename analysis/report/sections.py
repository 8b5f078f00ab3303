"""The report's sections, in the order of CONSORT 2025: methods, flow, delivery, outcomes, harms, the rest."""

from __future__ import annotations

from analysis.report.agreement import agreement_section
from analysis.report.blinding import blinding_section
from analysis.report.blocks import Section
from analysis.report.conduct import conduct_section
from analysis.report.design import design_section
from analysis.report.missing import missing_section
from analysis.report.outcome import diagnostics_section, outcome_section, secondary_section
from analysis.report.participants import Images, listening_section, participants_section
from analysis.report.paths import paths_section
from analysis.report.provenance import limits_section, provenance_section
from analysis.report.safety import deviations_section, safety_section
from analysis.report.summary import summary_section
from analysis.report.testing import testing_section
from analysis.results import Results
from analysis.words import Words


def subtitle_of(results: Results, words: Words) -> str:
    """Study, version and design in one line."""
    study = results.study
    return words.text(
        "report.subtitle",
        study=study["study_id"],
        version=study["version"],
        design=words.name("design_name", study["design"]),
        sessions=words.counted(study["session_count"], "session"),
        minutes=words.number(study["duration_s"] / 60, 0 if study["duration_s"] % 60 == 0 else 1),
    )


def all_sections(results: Results, words: Words, images: Images) -> tuple[Section, ...]:
    """Every section of the report."""
    return (
        summary_section(results, words),
        design_section(results, words),
        participants_section(results, words, images),
        listening_section(results, words, images),
        outcome_section(results, words, images),
        testing_section(results, words, images),
        missing_section(results, words, images),
        secondary_section(results, words),
        diagnostics_section(results, words, images),
        safety_section(results, words),
        blinding_section(results, words, images),
        paths_section(results, words, images),
        agreement_section(results, words, images),
        deviations_section(results, words),
        conduct_section(results, words),
        limits_section(results, words),
        provenance_section(results, words),
    )
