"""The sound of `isopath compose`, and everything that is written with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboards.cli.compose_files import Outputs, staged
from generation.audio import SAMPLE_RATE_HZ, master, write_audio
from generation.composer.engine import ComposerEngine
from generation.engine import Placement
from generation.registry import load_engine
from study.folder import file_sha256
from study.session import SessionPlan


def make_files(
    plan: SessionPlan, placement: Placement, outputs: Outputs, progress: Callable[[float], None]
) -> dict[str, Any]:
    """Make a session and write its files: all of them, or none.

    Returns:
        The result as `--json` prints it.

    Raises:
        IsopathError: the engine cannot make it, or the disk takes no more.
    """
    engine = load_engine(plan.engine, placement)
    audio = next(iter(engine.generate([plan], progress)))
    mastered = master(audio.samples, SAMPLE_RATE_HZ, plan.loudness_lufs)
    out = outputs.sound
    beside: dict[str, str] = {}
    with staged(out.parent, out.name) as folder:
        if isinstance(engine, ComposerEngine):
            from dashboards.cli.compose_audit import write_audit

            beside |= write_audit(folder, outputs, plan, engine.compose(plan), engine.curves(plan))
        write_audio(folder / out.name, mastered.samples, SAMPLE_RATE_HZ)
        sha256 = file_sha256(folder / out.name)
    return {
        "file": str(out),
        "sha256": sha256,
        "duration_s": len(mastered.samples) / SAMPLE_RATE_HZ,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "loudness_lufs": mastered.loudness_lufs,
        "true_peak_dbtp": mastered.true_peak_dbtp,
        "limited_db": mastered.limited_db,
        "engine": {"name": engine.name, "version": engine.version, **plan.engine.options},
        "seed": plan.seed,
        "start": [plan.start.valence, plan.start.arousal],
        "target": [plan.target.valence, plan.target.arousal],
        "largest_step": plan.path.largest_step,
        "models": dict(audio.models),
        "licences": dict(audio.licences),
        "takes": len(audio.takes),
        "beside": beside,
    }
