"""A column map held to the protocol: names, codes, scales, moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.importing.column_map import Code, ColumnMap, ReportColumns, SoundColumns, Source
from study.events import StopReason
from study.instruments import instrument_kind
from study.protocol import Design, Phase, StudyProtocol
from study.protocol_file.text import Finding, JsonPath, did_you_mean, plain_number, shown
from study.session import session_id_of

_IN_SESSIONS = (Phase.PRE, Phase.PROBE, Phase.POST)


def check_map(found: ColumnMap, protocol: StudyProtocol) -> Iterator[Finding]:
    """What a map says that the protocol, or the map itself, contradicts."""
    levels = {factor.factor: factor.levels for factor in protocol.allocation.strata}
    for factor in found.strata:
        if factor not in levels:
            known = ", ".join(levels) or "none"
            yield Finding(
                ("strata", factor), "is no stratification factor of the protocol", f"it has {known}"
            )
    for factor in levels:
        if factor not in found.strata:
            yield Finding(("strata", factor), "is missing", "say where the protocol's factor stands")
    for name, source in found.sources():
        yield from _source_findings(_path_of(name), source, _allowed(name, protocol))
    for code, kept in found.same.items():
        if kept in found.same or not code.strip():
            problem = f"{shown(kept)} is itself mapped to another code"
            yield Finding(("person", "same", code), problem, "map each code to the one that is kept")
    for instrument_id, scale in found.scales.items():
        yield from _scale_findings(instrument_id, scale, protocol)
    for report in found.reports:
        yield from _report_findings(report, found, protocol)
    for sound in found.sounds:
        yield from _sound_findings(sound, found, protocol)
    if found.layout == "long" and len(found.sounds) > 1:
        yield Finding(("sounds",), "has several entries, and a long table needs one", "keep one")
    if found.assumes_whole and any(sound.listened_s for sound in found.sounds):
        remedy = "delete it: the column listened_s says how long"
        yield Finding(("listening",), "is assumed, although the file tells it", remedy)


def _path_of(name: str) -> JsonPath:
    if name.startswith("sounds["):
        return ("sounds", int(name[len("sounds[") : name.index("]")]), "stopped")
    return tuple(name.split(".", 1))


def _allowed(name: str, protocol: StudyProtocol) -> tuple[Code, ...]:
    """What a source may mean; null is among them where a row may say nothing."""
    groups = [group.group_id for group in protocol.allocation.groups]
    arms = [arm.arm_id for arm in protocol.arms] if protocol.design is Design.CROSSOVER else []
    kinds: Mapping[str, tuple[Code, ...]] = {
        "arm": (*dict.fromkeys([*groups, *arms]), None),
        "session": tuple(session_id_of(n) for n in range(1, protocol.session_count + 1)),
        "phase": (*map(str, Phase), None),
        "probe_at_s": (*protocol.probes_at_s, None),
        "instrument": (*(i.instrument_id for i in protocol.instruments), None),
    }
    if name.startswith("strata."):
        factor = name.removeprefix("strata.")
        return next((s.levels for s in protocol.allocation.strata if s.factor == factor), ())
    return kinds.get(name, (*map(str, StopReason), None))


def _source_findings(path: JsonPath, source: Source, allowed: tuple[Code, ...]) -> Iterator[Finding]:
    if (source.column is None) == (source.constant is None):
        yield Finding(path, "names both a column and a constant, or neither", 'write "column" or "is"')
        return
    if source.codes is not None and source.column is None:
        yield Finding((*path, "codes"), "stands beside a constant", "delete it, or name a column")
    meanings = source.codes or {}
    given: dict[JsonPath, Code] = {(*path, "codes", code): meaning for code, meaning in meanings.items()}
    if source.constant is not None:
        given = {(*path, "is"): source.constant}
    known = ", ".join("null" if one is None else _code_text(one) for one in allowed) or "nothing"
    for place, meaning in given.items():
        if meaning not in allowed:
            near = did_you_mean(str(meaning), [str(one) for one in allowed])
            yield Finding(
                place, f"{shown(meaning)} is not one of the protocol's", f"{near}write one of {known}"
            )


def _code_text(code: str | float) -> str:
    return code if isinstance(code, str) else plain_number(code)


def _scale_findings(
    instrument_id: str, scale: tuple[float, float], protocol: StudyProtocol
) -> Iterator[Finding]:
    path: JsonPath = ("scales", instrument_id)
    instruments = {instrument.instrument_id: instrument for instrument in protocol.instruments}
    if instrument_id not in instruments:
        yield _unknown_instrument(path, instrument_id, protocol)
        return
    kind = instrument_kind(instruments[instrument_id].kind)
    own = {(item.low, item.high) for item in kind.items.values()}
    if scale not in own:
        (low, high) = min(own)
        yield Finding(
            path,
            f"is {scale[0]:g} to {scale[1]:g}, and {kind.kind} is answered from {low:g} to {high:g}",
            "name an instrument of this scale in the protocol, or write into the file what people "
            "answered on the instrument's own scale: nothing is rescaled here",
        )


def _unknown_instrument(path: JsonPath, name: str, protocol: StudyProtocol) -> Finding:
    known = [instrument.instrument_id for instrument in protocol.instruments]
    remedy = did_you_mean(name, known) + "write one of " + ", ".join(known)
    return Finding(path, f"{shown(name)} is not an instrument of the protocol", remedy)


def _report_findings(report: ReportColumns, found: ColumnMap, protocol: StudyProtocol) -> Iterator[Finding]:
    path: JsonPath = ("reports", report.number)
    instruments = {instrument.instrument_id: instrument for instrument in protocol.instruments}
    if report.instrument_id not in instruments:
        yield _unknown_instrument((*path, "instrument"), report.instrument_id, protocol)
        return
    if report.instrument_id not in found.scales:
        remedy = "write the scale that the file's values are on"
        yield Finding(("scales", report.instrument_id), "is missing", remedy)
    items = instrument_kind(instruments[report.instrument_id].kind).items
    for item in report.items:
        if item not in items:
            remedy = did_you_mean(item, items) + "write one of " + ", ".join(items)
            yield Finding((*path, "items", item), f"is no item of {report.instrument_id}", remedy)
    yield from _row_findings(path, report.session_id, report, found, protocol)
    if report.phase is None and found.phase is None:
        yield Finding((*path, "phase"), "is missing", "write the phase, or `phase` for the whole table")
    if report.phase is None:
        if report.occasion:
            problem = f"{report.instrument_id} stands here a second time"
            yield Finding((*path, "instrument"), problem, "keep one, or write the phase of each")
        return
    yield from _moment_findings(path, report, Phase(report.phase), found, protocol)


def _moment_findings(
    path: JsonPath, report: ReportColumns, phase: Phase, found: ColumnMap, protocol: StudyProtocol
) -> Iterator[Finding]:
    asked = times_asked(protocol, report.instrument_id, phase, report.probe_at_s)
    is_probe = phase is Phase.PROBE
    if is_probe and report.probe_at_s is None and found.probe_at_s is None:
        yield Finding((*path, "probe_at_s"), "is missing", "write the probe's onset in session time")
    elif not is_probe and report.probe_at_s is not None:
        yield Finding((*path, "probe_at_s"), f"stands at the phase {phase}", "delete it")
    elif is_probe and report.probe_at_s is None:
        return
    elif not asked:
        when = "" if report.probe_at_s is None else f" at {plain_number(report.probe_at_s)} s"
        yield Finding(
            path,
            f"the protocol does not ask {report.instrument_id} at {phase}{when}",
            "write it into the protocol's assessments, or leave it out here",
        )
    elif report.occasion >= asked:
        problem = f"{report.instrument_id} at {phase} stands here more often than the protocol asks it"
        yield Finding(path, problem, "keep one, or name the session of each")


def times_asked(protocol: StudyProtocol, instrument_id: str, phase: Phase, probe_at_s: float | None) -> int:
    """How often the protocol asks an instrument at one moment (of a session, where it belongs to one)."""
    return sum(
        instrument_id in assessment.instrument_ids
        and (phase is not Phase.PROBE or probe_at_s in assessment.at_s)
        for assessment in protocol.assessments_at(phase)
    )


def _row_findings(
    path: JsonPath,
    session_id: str | None,
    entry: ReportColumns | SoundColumns,
    found: ColumnMap,
    protocol: StudyProtocol,
) -> Iterator[Finding]:
    """Of an entry's session and of the rows it takes."""
    known = [session_id_of(n) for n in range(1, protocol.session_count + 1)]
    phase = entry.phase if isinstance(entry, ReportColumns) else None
    if session_id is not None and session_id not in known:
        problem = f"{shown(session_id)} is not a session of the protocol"
        yield Finding((*path, "session"), problem, "write one of " + ", ".join(known))
    elif session_id is not None and phase is not None and phase not in _IN_SESSIONS:
        yield Finding((*path, "session"), f"stands at {phase}, which belongs to no session", "delete it")
    belongs = phase is None or phase in _IN_SESSIONS
    if session_id is None and belongs and found.session is None and len(known) > 1:
        remedy = "write it, or `session` for the whole table"
        yield Finding((*path, "session"), f"is missing, and the protocol has {len(known)}", remedy)
    for name in ("event", "repeat_instrument", "repeat_instance"):
        if getattr(entry.selector, name) is not None and found.layout != "redcap":
            remedy = 'delete it, or write "layout": "redcap"'
            yield Finding((*path, name), f"belongs to a REDCap export, not to {found.layout}", remedy)
    if entry.selector.repeat_instance is not None and entry.selector.repeat_instrument is None:
        remedy = "name the repeating instrument"
        yield Finding((*path, "repeat_instrument"), "is missing beside repeat_instance", remedy)


def _sound_findings(sound: SoundColumns, found: ColumnMap, protocol: StudyProtocol) -> Iterator[Finding]:
    path: JsonPath = ("sounds", sound.number)
    yield from _row_findings(path, sound.session_id, sound, found, protocol)
    for one, other in (("onset_s", "duration_s"), ("target_valence", "target_arousal")):
        for given, missing in ((one, other), (other, one)):
            if getattr(sound, given) is not None and getattr(sound, missing) is None:
                yield Finding((*path, missing), f"is missing beside {given}", "name its column")
    if sound.target_scale[0] >= sound.target_scale[1]:
        yield Finding((*path, "target_scale"), "ends before it begins", "write the lower value as low")
    if sound.file is None and (sound.onset_s is not None or sound.target_valence is not None):
        yield Finding((*path, "file"), "is missing", "name the column of the sound files")
    if sound.file is None and sound.listened_s is None:
        yield Finding(path, "names neither a file nor how long was listened", "name one of them")
    if sound.stopped is not None and sound.listened_s is None:
        remedy = "name the column listened_s, or delete it"
        yield Finding((*path, "stopped"), "stands here without listened_s", remedy)
    if sound.file is not None and sound.listened_s is None and not found.assumes_whole:
        yield Finding(
            (*path, "listened_s"),
            "is missing: nothing says how much of the sound was heard",
            'name the column of seconds listened, or write "listening": "assumed_whole" in the map, '
            "which the report will say",
        )
