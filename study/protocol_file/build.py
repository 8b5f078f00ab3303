"""From a checked protocol file's JSON to the frozen `StudyProtocol`."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Any

from study.instruments import Instrument, Perspective
from study.protocol import (
    AgreementSpec,
    AllocationGroup,
    AllocationSpec,
    AnalysisSpec,
    Arm,
    Assessment,
    Contact,
    Contrast,
    Design,
    EligibilityQuestion,
    EngineSpec,
    Estimand,
    Phase,
    Safety,
    Stratum,
    StudyProtocol,
    VisitWindow,
)
from study.protocol_file.arms import fixed_start, path_spec, target_of
from study.protocol_file.draft import Part
from study.protocol_file.shape import default_number
from study.questionnaire import Text


def build_protocol(value: Any, data: bytes) -> StudyProtocol:
    """The protocol of a file without problems.

    Args:
        value: the file's JSON, checked.
        data: its bytes, to be hashed.
    """
    top = Part(value, (), frozenset())
    study, session, path = top["study"], top["session"], top["path"]
    max_step = path.get("max_step")
    induction = top.get("induction")
    return StudyProtocol(
        sha256=hashlib.sha256(data).hexdigest(),
        study_id=study["id"].text,
        title=study["title"].text,
        version=study["version"].text,
        languages=tuple(top["languages"].texts),
        design=Design(top["design"].text),
        sample_size=top["population"]["sample_size"].whole,
        session_count=session["count"].whole,
        visit_windows=tuple(
            VisitWindow(w["session"].whole, w["from_day"].number, w["to_day"].number)
            for w in _items(session.get("windows"))
        ),
        duration_s=session["duration_s"].number,
        clip_s=session["clip_s"].number,
        start=fixed_start(path),
        target=path["target"].affect,
        max_step=max_step.number if max_step else None,
        arms=tuple(_arm(arm, path) for arm in top["arms"].parts()),
        allocation=_allocation(top),
        eligibility=tuple(
            EligibilityQuestion(q["id"].text, _text(q["text"]), q["eligible_if"].is_true)
            for q in top["eligibility"].parts()
        ),
        consent_version=top["consent"]["version"].text,
        consent_text=_text(top["consent"]["text"]),
        induction_text=_text(induction["text"]) if induction else None,
        instruments=tuple(
            Instrument(i["id"].text, i["kind"].text, Perspective(i["perspective"].text))
            for i in top["instruments"].parts()
        ),
        assessments=tuple(_assessment(a) for a in top["assessments"].parts()),
        safety=_safety(top["safety"]),
        delivery=top["delivery"].text,
        analysis=_analysis(top["analysis"]),
        population=top["population"]["description"].text,
        description=_optional_text(study, "description"),
        registration=_optional_text(study, "registration"),
        ethics=_optional_text(study, "ethics"),
        contacts=tuple(
            Contact(c["role"].text, c["name"].text, _optional_text(c, "email"), _optional_text(c, "phone"))
            for c in _items(study.get("contacts"))
        ),
    )


def _items(part: Part | None) -> list[Part]:
    return part.parts() if part is not None else []


def _optional_text(part: Part, name: str) -> str | None:
    found = part.get(name)
    return found.text if found is not None else None


def _text(part: Part) -> Text:
    return MappingProxyType({language: text.text for language, text in part.fields()})


def _arm(arm: Part, study_path: Part) -> Arm:
    engine = arm.get("engine")
    options = engine.get("options") if engine else None
    return Arm(
        arm_id=arm["id"].text,
        label=arm["label"].text,
        path=path_spec(arm["path"], study_path),
        start=fixed_start(study_path, arm["path"]),
        target=target_of(study_path, arm["path"]),
        engine=EngineSpec(engine["name"].text, MappingProxyType(dict(options.json) if options else {}))
        if engine
        else EngineSpec(),
        files=tuple(part.text for part in _items(arm["path"].get("files"))),
    )


def _allocation(top: Part) -> AllocationSpec:
    allocation = top["allocation"]
    ratio = {name: weight.whole for name, weight in allocation["ratio"].fields()}
    sequences = allocation.get("sequences")
    if sequences is not None:
        arms_of = {name: tuple(arms.texts) for name, arms in sequences.fields()}
    else:
        arms_of = {
            arm["id"].text: (arm["id"].text,) * top["session"]["count"].whole for arm in top["arms"].parts()
        }
    return AllocationSpec(
        tuple(AllocationGroup(name, arms, ratio[name]) for name, arms in arms_of.items()),
        tuple(Stratum(s["factor"].text, tuple(s["levels"].texts)) for s in allocation["strata"].parts()),
        tuple(size.whole for size in allocation["block_sizes"].parts()),
    )


def _assessment(part: Part) -> Assessment:
    after_days = part.get("after_days")
    return Assessment(
        Phase(part["phase"].text),
        tuple(part["instruments"].texts),
        tuple(at.number for at in _items(part.get("at_s"))),
        after_days.number if after_days else None,
    )


def _safety(part: Part) -> Safety:
    loudness = part.get("loudness_lufs")
    return Safety(
        loudness.number if loudness else default_number("safety", "loudness_lufs"),
        part["distress"]["valence_at_or_below"].number,
        part["distress"]["arousal_at_or_above"].number,
        _text(part["support_text"]),
    )


def _analysis(part: Part) -> AnalysisSpec:
    estimand, agreement = part["estimand"], part["agreement"]
    probe_window, post_window = agreement.get("probe_window_s"), agreement.get("post_window_s")
    return AnalysisSpec(
        endpoint=part["endpoint"].text,
        instrument_id=part["instrument"].text,
        estimand=Estimand(
            estimand["population"].text,
            estimand["variable"].text,
            estimand["summary"].text,
            MappingProxyType({name: s.text for name, s in estimand["intercurrent_events"].fields()}),
        ),
        covariates=tuple(part["covariates"].texts),
        contrasts=tuple(
            Contrast(c["id"].text, (c["arms"].texts[0], c["arms"].texts[1]), c["primary"].is_true)
            for c in part["contrasts"].parts()
        ),
        multiplicity=part["multiplicity"].text,
        alpha=part["alpha"].number,
        agreement=AgreementSpec(
            agreement["predictor"].text,
            probe_window.number
            if probe_window
            else default_number("analysis", "agreement", "probe_window_s"),
            post_window.number if post_window else default_number("analysis", "agreement", "post_window_s"),
        ),
    )
