"""What the results rest on: protocol, record, software, predictor, engines, licences."""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from importlib import metadata
from typing import Any

from analysis.mer.hearing import Predictions, SessionKey
from analysis.tables.build import StudyTables
from study.manifest import RenderManifest
from study.protocol import StudyProtocol

PACKAGES = ("isopath", "numpy", "scipy", "pandas", "statsmodels", "matplotlib", "typst", "python-docx")


def provenance_of(
    protocol: StudyProtocol,
    tables: StudyTables,
    manifests: Mapping[SessionKey, RenderManifest],
    predictions: Predictions,
    record_head_sha256: str | None,
) -> dict[str, Any]:
    """Names, versions, hashes and licences.

    Args:
        tables: that were analysed; each is hashed as `isopath analyse --tables` writes it.
        record_head_sha256: hash of the record's last row, or None.
    """
    models: dict[str, str] = {}
    licences: dict[str, str] = {}
    engines: Counter[str] = Counter()
    devices: Counter[str] = Counter()
    for manifest in manifests.values():
        models |= manifest.models
        licences |= manifest.licences
        engines[" ".join(manifest.engine[key] for key in ("name", "version") if key in manifest.engine)] += 1
        if manifest.rendering:
            devices[_device(manifest.rendering)] += 1
    takes = [take for manifest in manifests.values() for take in manifest.takes]
    cards = {
        (series.card.name, series.card.version): series.card
        for heard in predictions.values()
        for series in heard.values()
    }
    return {
        "protocol_sha256": protocol.sha256,
        "record_head_sha256": record_head_sha256,
        "tables_sha256": {
            field.name: hashlib.sha256(getattr(tables, field.name).to_csv(index=False).encode()).hexdigest()
            for field in fields(tables)
        },
        "software": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "engines": {name: engines[name] for name in sorted(engines)},
        "devices": {name: devices[name] for name in sorted(devices)},
        "takes": {
            "generated": len(takes),
            "heard": sum(take.is_heard for take in takes),
            "near_ties": sum(take.near_ties for take in takes),
        },
        "models": {name: models[name] for name in sorted(models)},
        "licences": {name: licences[name] for name in sorted(licences)},
        "predictors": [
            {
                "name": card.name,
                "version": card.version,
                "weights_sha256": dict(card.weights_sha256),
                "licences": dict(card.licences),
                "limits": list(card.limits),
            }
            for _, card in sorted(
                cards.items(), key=lambda one: (one[0][0] != protocol.analysis.agreement.predictor, one[0])
            )
        ],
        "render_notes": sorted({note for manifest in manifests.values() for note in manifest.notes}),
    }


def _device(rendering: Mapping[str, Any]) -> str:
    told = [str(rendering[key]) for key in ("device_name", "device", "dtype") if rendering.get(key)]
    return ", ".join(told) or "not told"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
