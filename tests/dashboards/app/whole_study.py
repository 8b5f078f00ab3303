"""A study with every step there is, and sessions of a few seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.founding import Study, initialise_study

SMALLEST = Path(__file__).parents[2] / "protocols" / "valid" / "smallest.json"


def both(words: str) -> dict[str, str]:
    return {"en": words, "de": f"{words} (auf Deutsch)"}


def whole_protocol(
    duration_s: int = 4, kinds: tuple[str, str] = ("noise", "silence"), **changes: Any
) -> dict[str, Any]:
    """Consent, eligibility, sound check, baseline, induction, pre, session with a probe, post, debrief."""
    protocol: dict[str, Any] = json.loads(SMALLEST.read_text())
    protocol["languages"] = ["en", "de"]
    protocol["session"] |= {"duration_s": duration_s, "clip_s": 2}
    steps = duration_s // 2
    protocol["path"] |= {"steps": steps, "step_s": 2, "dwell_start_steps": 0, "dwell_end_steps": 0}
    for arm, kind in zip(protocol["arms"], kinds, strict=True):
        arm["path"]["kind"] = kind
    protocol["allocation"]["block_sizes"] = [2]
    protocol["eligibility"][0]["text"] = both("Are you 18 or older?")
    protocol["consent"]["text"] = both("# About this study\n\nI take part of my own free will.")
    protocol["induction"] = {"text": both("Please think of the last week for a minute.")}
    protocol["safety"]["support_text"] = both("**You did well to stop.** Call 112 if you are in danger.")
    protocol["sound_check"] = {
        "headphone_test": "huggins",
        "trials": 3,
        "pass_at": 3,
        "attempts": 2,
        "on_failure": "continue",
    }
    protocol["instruments"] = [
        {"id": "feeling", "kind": "affective_slider", "perspective": "felt"},
        {"id": "expressed", "kind": "affect_grid", "perspective": "perceived"},
        {"id": "tension", "kind": "vas", "perspective": "felt"},
        {"id": "mood", "kind": "sam", "perspective": "felt"},
    ]
    protocol["questionnaires"] = [
        {
            "id": "afterwards",
            "items": [
                {
                    "id": "preference",
                    "kind": "scale",
                    "text": both("Did you like the music?"),
                    "points": 7,
                    "low": both("not at all"),
                    "high": both("very much"),
                    "measures": "preference",
                },
                {
                    "id": "guess",
                    "kind": "choice",
                    "text": both("Which kind did you hear?"),
                    "options": [
                        {"id": "iso", "text": both("one that moved")},
                        {"id": "silence", "text": both("one that stayed")},
                        {"id": "do_not_know", "text": both("I do not know")},
                    ],
                    "measures": "arm_guess",
                },
                {"id": "remarks", "kind": "text", "text": both("What else?"), "required": False},
            ],
        }
    ]
    protocol["assessments"] = [
        {"phase": "baseline", "instruments": ["tension"]},
        {"phase": "pre", "instruments": ["feeling"]},
        {"phase": "probe", "instruments": ["feeling"], "at_s": [duration_s / 2]},
        {"phase": "post", "instruments": ["feeling", "expressed", "mood", "afterwards"]},
    ]
    protocol["debrief"] = {
        "text": both("Thank you. The music was made by a computer."),
        "when": "after_last_session",
        "tells_arm": False,
    }
    protocol["analysis"]["agreement"] |= {"probe_window_s": duration_s / 2, "post_window_s": duration_s / 2}
    return protocol | changes


def whole_study(root: Path, protocol: dict[str, Any] | None = None) -> Study:
    path = root.parent / f"{root.name}-protocol.json"
    path.write_text(json.dumps(whole_protocol() if protocol is None else protocol))
    return initialise_study(root, path, "test", "isopath test")
