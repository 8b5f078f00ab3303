"""The planned paths of a protocol's arms as SVG, and in words."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from dashboards.cli.protocol_picture import example_start, planned_arms, write_picture
from study.protocol import StudyProtocol


def paths_picture(protocol: StudyProtocol) -> str:
    """An ``<svg>`` element: every arm's path on the circumplex and over time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paths.svg"
        write_picture(protocol, example_start(protocol), path)
        text = path.read_text("utf-8")
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def paths_words(protocol: StudyProtocol) -> str:
    """The same for who cannot see it."""
    said = []
    for arm in planned_arms(protocol, example_start(protocol)):
        first, last = arm.path.waypoints[0].affect, arm.path.waypoints[-1].affect
        if first is None or last is None:
            said.append(f"{arm.arm_id}: no planned mood.")
        else:
            said.append(
                f"{arm.arm_id}: from valence {first.valence:.2f}, arousal {first.arousal:.2f} to valence "
                f"{last.valence:.2f}, arousal {last.arousal:.2f}."
            )
    return "Planned paths. " + " ".join(said)
