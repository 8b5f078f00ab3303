"""People whose session is rendered and who are due to listen, in a study of a few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.registry import load_engine
from generation.render import render_sessions
from study.access.links import issue_link
from study.delivery import plan_session, record_render
from study.events import PlaybackLogged, PlayerEntry
from study.founding import Study
from study.listening import Listening, listening_of
from study.protocol import EngineSpec
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.dashboards.short_study import ACTOR, waiting

SESSION = "ses-01"


@dataclass(frozen=True)
class Listener:
    """Somebody with a link, whose sound is there.

    Args:
        sound: the file.
    """

    study: Study
    participant_id: str
    token: str
    sound: Path

    def listening(self) -> Listening:
        return listening_of(self.study.record.participant(self.participant_id), SESSION)

    def lines(self) -> list[PlayerEntry]:
        """What players wrote, in the order of the record."""
        return [line for lines in self.logs().values() for line in lines]

    def logs(self) -> dict[str, list[PlayerEntry]]:
        """The same, by player."""
        found: dict[str, list[PlayerEntry]] = {}
        for recorded in self.study.record.participant(self.participant_id):
            if isinstance(recorded.event, PlaybackLogged):
                found.setdefault(recorded.event.player_id, []).extend(recorded.event.entries)
        return found

    def kinds(self) -> list[str]:
        return [str(line.kind) for line in self.lines()]


def listening_protocol(
    duration_s: int = 6, probe_at_s: float | None = 3, rating: str | None = None
) -> dict[str, Any]:
    """Little before the player and little after: consent, one question, pre, the session, post."""
    protocol = whole_protocol(duration_s, kinds=("noise", "silence"))
    for part in ("sound_check", "induction", "questionnaires", "debrief"):
        protocol.pop(part)
    protocol["instruments"] = protocol["instruments"][:1]
    if rating is not None:
        protocol["instruments"].append({"id": "meanwhile", "kind": rating, "perspective": "felt"})
        protocol["listening"] = {"continuous_rating": "meanwhile"}
    probes = (
        [] if probe_at_s is None else [{"phase": "probe", "instruments": ["feeling"], "at_s": [probe_at_s]}]
    )
    protocol["assessments"] = [
        {"phase": "pre", "instruments": ["feeling"]},
        *probes,
        {"phase": "post", "instruments": ["feeling"]},
    ]
    return protocol


def listeners(root: Path, protocol: dict[str, Any], people: int) -> list[Listener]:
    """A new study with so many people who are due to listen."""
    study = whole_study(root, protocol)
    ids = [waiting(study) for _ in range(people)]
    plans = [plan_session(study, participant_id) for participant_id in ids]
    manifests = render_sessions(plans, load_engine(EngineSpec()), study.folder.sessions, lambda *_: None)
    for plan, manifest in zip(plans, manifests, strict=True):
        record_render(study, ACTOR, plan, manifest)
    return [
        Listener(
            study,
            participant_id,
            issue_link(study, ACTOR, participant_id),
            study.folder.sessions / participant_id / SESSION / manifest.stim_file,
        )
        for participant_id, manifest in zip(ids, manifests, strict=True)
    ]
