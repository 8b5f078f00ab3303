"""What one person felt in one session, as pictures."""

from __future__ import annotations

from functools import lru_cache

from analysis.figures.session import PathPoint, SessionPaths, session_circumplex, session_course
from dashboards.researcher import markup
from study.events import History
from study.listening import listening_of
from study.oversight.felt import FeltReport, felt_moments, felt_reports
from study.protocol import Phase, StudyProtocol
from study.versions import pinned

_PHASES = {Phase.PRE: "before", Phase.POST: "after"}


def felt_paths(protocol: StudyProtocol, history: History, session_id: str) -> SessionPaths:
    """The picture of what was felt, and of nothing else."""
    protocol = pinned(protocol, history)
    felt = tuple(
        PathPoint(report.time_s, report.affect.valence, report.affect.arousal, when_words(report))
        for report in felt_reports(history, session_id)
        if report.affect is not None and report.instrument_id == protocol.analysis.instrument_id
    )
    rated = tuple(
        PathPoint(one.time_s, one.affect.valence, one.affect.arousal)
        for one in felt_moments(protocol, history, session_id)
    )
    return SessionPaths(
        protocol.duration_s, felt, heard_s=listening_of(history, session_id).intervals_s, rated=rated
    )


def when_words(report: FeltReport) -> str:
    """``before``, ``at 5:00``, ``after``."""
    if report.phase in _PHASES:
        return _PHASES[report.phase]
    minutes, seconds = divmod(round(report.time_s), 60)
    return f"at {minutes}:{seconds:02d}"


@lru_cache(maxsize=16)
def session_pictures(paths: SessionPaths, is_rehearsal: bool) -> str:
    """The circumplex and the time axis, side by side where there is room; the same paths are drawn once."""
    images = (
        session_circumplex(paths, "session-plane", is_rehearsal),
        session_course(paths, "session-course", is_rehearsal),
    )
    pictures = "".join(markup.picture(image.svg, image.alt, image.title) for image in images)
    return f'<div class="ip-columns">{pictures}</div>'
