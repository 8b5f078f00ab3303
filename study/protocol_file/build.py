"""From a checked protocol file's JSON to the frozen `StudyProtocol`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from study.instruments import Instrument, Perspective
from study.protocol import (
    SITE,
    AllocationGroup,
    AllocationMethod,
    AllocationSpec,
    Arm,
    Assessment,
    Contact,
    Debrief,
    Design,
    EligibilityQuestion,
    EngineSpec,
    ImbalanceMeasure,
    ListeningSpec,
    Phase,
    PrivacySpec,
    Safety,
    SoundCheck,
    StopRule,
    Stratum,
    StudyProtocol,
    VisitWindow,
)
from study.protocol_file.analysis import analysis_of
from study.protocol_file.arms import fixed_start, path_spec, target_of
from study.protocol_file.draft import Part
from study.protocol_file.shape import default_number
from study.questionnaire import Item, ItemKind, Questionnaire, Text
from study.williams import williams_sequences


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
        public_title=_text(study["public_title"]) if study.get("public_title") else None,
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
            Instrument(i["id"].text, i["kind"].text, Perspective(i["perspective"].text), _pictures(i))
            for i in top["instruments"].parts()
        ),
        assessments=tuple(_assessment(a) for a in top["assessments"].parts()),
        safety=_safety(top["safety"]),
        delivery=top["delivery"].text,
        analysis=analysis_of(top["analysis"], Design(top["design"].text), session["count"].whole),
        population=top["population"]["description"].text,
        description=_optional_text(study, "description"),
        registration=_optional_text(study, "registration"),
        ethics=_optional_text(study, "ethics"),
        contacts=tuple(
            Contact(c["role"].text, c["name"].text, _optional_text(c, "email"), _optional_text(c, "phone"))
            for c in _items(study.get("contacts"))
        ),
        sound_check=_sound_check(top.get("sound_check")),
        questionnaires=tuple(
            Questionnaire(q["id"].text, tuple(_item(item) for item in q["items"].parts()))
            for q in _items(top.get("questionnaires"))
        ),
        debrief=_debrief(top.get("debrief")),
        listening=_listening(top.get("listening")),
        bank_points=_whole(top.get("bank"), "points") or None,
        privacy=_privacy(top.get("privacy")),
    )


def _items(part: Part | None) -> list[Part]:
    return part.parts() if part is not None else []


def _optional_text(part: Part, name: str) -> str | None:
    found = part.get(name)
    return found.text if found is not None else None


def _whole(part: Part | None, name: str) -> int:
    """A whole number, or 0 where it was left out."""
    found = part.get(name) if part is not None else None
    return found.whole if found is not None else 0


def _is_true(part: Part, name: str, otherwise: bool) -> bool:
    found = part.get(name)
    return found.is_true if found is not None else otherwise


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
        told=_text(told) if (told := arm.get("told")) else None,
    )


def _allocation(top: Part) -> AllocationSpec:
    allocation = top["allocation"]
    arms_of = _arms_of_groups(top)
    ratio = allocation.get("ratio")
    weight = {name: weight.whole for name, weight in ratio.fields()} if ratio is not None else {}
    strata = [Stratum(s["factor"].text, tuple(s["levels"].texts)) for s in allocation["strata"].parts()]
    sites = allocation.get("sites")
    if sites is not None:
        strata.insert(0, Stratum(SITE, tuple(sites.texts)))
    probability, weights = allocation.get("probability"), allocation.get("factor_weights")
    has_list_of_its_own = sites is not None and _is_true(allocation, "per_site", True)
    measure = _optional_text(allocation, "imbalance")
    return AllocationSpec(
        groups=tuple(AllocationGroup(name, arms, weight.get(name, 1)) for name, arms in arms_of.items()),
        strata=tuple(strata),
        block_sizes=tuple(size.whole for size in _items(allocation.get("block_sizes"))),
        method=AllocationMethod(allocation["method"].text),
        probability=probability.number if probability is not None else None,
        imbalance=ImbalanceMeasure(measure) if measure is not None else ImbalanceMeasure.RANGE,
        factor_weights=MappingProxyType(
            {name: part.number for name, part in weights.fields()} if weights is not None else {}
        ),
        list_factors=(SITE,) if has_list_of_its_own else (),
    )


def _arms_of_groups(top: Part) -> dict[str, tuple[str, ...]]:
    """Group id to the arm of each session."""
    sequences = top["allocation"].get("sequences")
    arm_ids = [arm["id"].text for arm in top["arms"].parts()]
    if sequences is None:
        return {arm_id: (arm_id,) * top["session"]["count"].whole for arm_id in arm_ids}
    if sequences.is_text:
        return williams_sequences(arm_ids)
    return {name: tuple(arms.texts) for name, arms in sequences.fields()}


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
        tuple(
            StopRule(
                rule["id"].text,
                rule["counts"].text,
                rule["at_least"].whole,
                share.number if (share := rule.get("of_share")) is not None else 0.0,
            )
            for rule in _items(part.get("stop_rules"))
        ),
    )


def _pictures(instrument: Part) -> Mapping[str, tuple[str, ...]]:
    pictures = instrument.get("pictures")
    return MappingProxyType({} if pictures is None else {i: tuple(p.texts) for i, p in pictures.fields()})


def _sound_check(part: Part | None) -> SoundCheck | None:
    if part is None:
        return None
    test, failure = part["headphone_test"].text, part.get("on_failure")
    return SoundCheck(
        headphone_test=None if test == "none" else test,
        trials=_whole(part, "trials"),
        pass_at=_whole(part, "pass_at"),
        # Without a test every attempt passes, and there is one.
        attempts=_whole(part, "attempts") or 1,
        ends_on_failure=failure is not None and failure.text == "end",
    )


def _item(part: Part) -> Item:
    low, high, measures = part.get("low"), part.get("high"), part.get("measures")
    return Item(
        item_id=part["id"].text,
        kind=ItemKind(part["kind"].text),
        text=_text(part["text"]),
        points=_whole(part, "points"),
        low=_text(low) if low else None,
        high=_text(high) if high else None,
        options=tuple((o["id"].text, _text(o["text"])) for o in _items(part.get("options"))),
        measures=measures.text if measures else None,
        is_required=_is_true(part, "required", False),
    )


def _debrief(part: Part | None) -> Debrief | None:
    if part is None:
        return None
    return Debrief(_text(part["text"]), part["when"].text == "after_follow_up", part["tells_arm"].is_true)


def _privacy(part: Part | None) -> PrivacySpec | None:
    if part is None:
        return None
    months = part.get("identities_months")
    return PrivacySpec(
        part["retention_years"].whole,
        None if months is None else months.whole,
        _optional_text(part, "contact"),
    )


def _listening(part: Part | None) -> ListeningSpec:
    if part is None:
        return ListeningSpec()
    return ListeningSpec(_is_true(part, "visual", True), _optional_text(part, "continuous_rating"))
