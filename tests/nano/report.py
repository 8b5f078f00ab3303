"""Everything docs/generator.md is made of, as plain JSON: docs/generator.json and the figures beside it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from analysis.generator.evaluation import Evaluation
from analysis.generator.pictures import evaluation_images
from analysis.generator.sentences import (
    asked_words,
    ceiling_words,
    claim_sentences,
    counted_words,
    mark_words,
)
from analysis.generator.tabulated import ceiling_table, difference_table, quality_table, score_tables
from study.canonical import plain
from study.folder import write_whole
from tests.nano.corpora import Corpora
from tests.nano.scale import Scale

DATA = "generator.json"
FIGURE = "generator-"
SOFTWARE = ("isopath", "torch", "transformers", "peft", "accelerate", "numpy", "scipy", "onnxruntime")


def report_of(
    scale: Scale,
    corpora: Corpora,
    codec: Mapping[str, Any],
    trainings: Mapping[str, Mapping[str, Any]],
    evaluation: Evaluation,
    seconds: Mapping[str, float],
    folder: Path,
) -> dict[str, Any]:
    """The report.

    Args:
        codec: of `tests.nano.models.make_untrained`.
        trainings: name to ``training.json``.
        seconds: stage to how long it took.
        folder: of the run; no path of it is told.
    """
    found = {
        "scale": asdict(scale),
        "machine": _machine(scale),
        "made_with": {"python": platform.python_version(), **{name: version(name) for name in SOFTWARE}},
        "seconds": dict(seconds),
        "corpora": corpora.facts(scale),
        "codec": dict(codec),
        "trainings": [_training(one) for one in trainings.values()],
        "told": _told(evaluation),
        "evaluation": evaluation.to_json(),
    }
    text = json.dumps(plain(found), allow_nan=False, ensure_ascii=False)
    told: dict[str, Any] = json.loads(text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", ""))
    return told


def write_report(report: Mapping[str, Any], evaluation: Evaluation, docs: Path) -> None:
    """Write the report and the evaluation's figures."""
    figures = docs / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for image in evaluation_images(evaluation):
        write_whole(figures / f"{FIGURE}{image.figure_id}.svg", image.svg.encode())
    write_whole(docs / DATA, (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode())


def _machine(scale: Scale) -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "device": "CPU" if scale.device == "cpu" else torch.cuda.get_device_name(scale.device),
    }


def _processor() -> str:
    """As Linux names it; elsewhere the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _training(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the page tells of one training."""
    summary = plain(summary)
    kept = ("name", "recipe", "labels", "predictors", "learned", "faults", "seconds", "licence")
    data = summary["data"]
    return {**{name: summary[name] for name in kept}, "data": data}


def _told(evaluation: Evaluation) -> dict[str, Any]:
    """Sentences and tables of the evaluation, as its own page has them."""
    figures = [
        {"figure_id": image.figure_id, "title": image.title, "alt": image.alt}
        for image in evaluation_images(evaluation)
    ]
    return {
        "asked": asked_words(evaluation),
        "ceilings": [ceiling_words(evaluation, one) for one in evaluation.ceilings],
        "claims": [plain(one) for one in claim_sentences(evaluation)],
        "counted": counted_words(evaluation),
        "marks": mark_words(evaluation),
        "tables": {
            table.table_id: plain(table)
            for table in (
                ceiling_table(evaluation),
                *score_tables(evaluation),
                difference_table(evaluation),
                quality_table(evaluation),
            )
            if table is not None
        },
        "figures": figures,
    }
