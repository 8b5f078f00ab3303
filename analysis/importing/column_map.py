"""The column map: what the columns of another system's table mean, as values.

`protocols/import_map.schema.json` says which fields there are; `load_map` holds
a map to it and to the protocol, and names every problem of the file at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Code = str | float | None

BLANK = "left blank in the imported file"
"""Why an answer is missing where the cell is blank and the map says nothing of it."""

REDCAP_OWN = (
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "redcap_data_access_group",
    "redcap_survey_identifier",
)
"""Columns that REDCap adds to an export; no map need name them."""


@dataclass(frozen=True)
class Source:
    """Where a value comes from: a column, or the same for every row.

    Args:
        column: None where `constant` stands for every row.
        codes: cell to meaning; None where a cell means itself.
    """

    column: str | None = None
    codes: Mapping[str, Code] | None = None
    constant: str | float | None = None


@dataclass(frozen=True)
class Selector:
    """Which rows of a REDCap export are meant; None where any will do."""

    event: str | None = None
    repeat_instrument: str | None = None
    repeat_instance: int | None = None

    def takes(self, cells: Mapping[str, str]) -> bool:
        """Whether a row is one of them."""
        if self.event is not None and cells.get("redcap_event_name") != self.event:
            return False
        # A row of a repeating instrument is never one of the event's plain row.
        if cells.get("redcap_repeat_instrument", "") != (self.repeat_instrument or ""):
            return False
        if self.repeat_instance is None:
            return True
        return cells.get("redcap_repeat_instance") == str(self.repeat_instance)


@dataclass(frozen=True)
class ReportColumns:
    """Where one instrument's answers stand.

    Args:
        number: place in the map, from 0, for messages.
        phase, session_id, probe_at_s: None where the row says so.
        items: item to column.
        occasion: which of several equal entries, from 0.
    """

    number: int
    instrument_id: str
    items: Mapping[str, str]
    phase: str | None = None
    session_id: str | None = None
    probe_at_s: float | None = None
    selector: Selector = Selector()
    occasion: int = 0


@dataclass(frozen=True)
class SoundColumns:
    """Where it stands what was heard.

    Args:
        session_id: None where the row says so.
        file, onset_s, duration_s, target_valence, target_arousal, listened_s: columns.
        target_scale: low and high of the two targets.
    """

    number: int
    session_id: str | None = None
    file: str | None = None
    onset_s: str | None = None
    duration_s: str | None = None
    target_valence: str | None = None
    target_arousal: str | None = None
    target_scale: tuple[float, float] = (-1.0, 1.0)
    listened_s: str | None = None
    stopped: Source | None = None
    selector: Selector = Selector()


@dataclass(frozen=True)
class Ended:
    """Where it stands whose part ended early."""

    column: str
    codes: Mapping[str, str | None]
    note: str | None = None


@dataclass(frozen=True)
class ColumnMap:
    """A map as it was read.

    Args:
        layout: ``long``, ``wide`` or ``redcap``.
        missing: cell to why there is no answer; None where it may still come.
        same: code to the code of the same person that is kept.
        scales: instrument to low and high of the file's values.
        assumes_whole: whoever answered during or after a session heard all of it.
    """

    layout: str
    person: str
    arm: Source
    reports: tuple[ReportColumns, ...]
    scales: Mapping[str, tuple[float, float]]
    encoding: str = "utf-8"
    delimiter: str | None = None
    decimal: str = "point"
    missing: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({"": BLANK}))
    ignores_others: bool = False
    ignored: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    strata: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    session: Source | None = None
    phase: Source | None = None
    probe_at_s: Source | None = None
    instrument: Source | None = None
    missed_reason: str | None = None
    sounds: tuple[SoundColumns, ...] = ()
    assumes_whole: bool = False
    ended: Ended | None = None

    def entries(self) -> tuple[ReportColumns | SoundColumns, ...]:
        """Every entry of the map that reads some rows and not others."""
        return (*self.reports, *self.sounds)

    def sources(self) -> Iterator[tuple[str, Source]]:
        """Every source of the map, by what it gives."""
        named = {
            "arm": self.arm,
            **{f"strata.{factor}": source for factor, source in self.strata.items()},
            "session": self.session,
            "phase": self.phase,
            "probe_at_s": self.probe_at_s,
            "instrument": self.instrument,
            **{f"sounds[{sound.number}].stopped": sound.stopped for sound in self.sounds},
        }
        for name, source in named.items():
            if source is not None:
                yield name, source

    def columns(self) -> dict[str, str]:
        """Column to what it is taken for, in words; one that is taken for several things names all."""
        uses: dict[str, list[str]] = {}

        def use(column: str | None, what: str) -> None:
            if column is not None:
                uses.setdefault(column, []).append(what)

        use(self.person, "the person's code")
        for name, source in self.sources():
            use(source.column, name.removeprefix("strata."))
        for report in self.reports:
            when = [report.phase, report.session_id]
            if report.probe_at_s is not None:
                when.append(f"{report.probe_at_s:g} s")
            place = " ".join(part for part in when if part is not None)
            for item, column in report.items.items():
                use(column, f"{report.instrument_id}.{item}" + (f" at {place}" if place else ""))
        for sound in self.sounds:
            names = ("file", "onset_s", "duration_s", "target_valence", "target_arousal", "listened_s")
            for name in names:
                use(getattr(sound, name), f"sound: {name}")
        use(self.missed_reason, "why a report was missed")
        if self.ended is not None:
            use(self.ended.column, "how the part ended")
            use(self.ended.note, "note on how the part ended")
        return {column: "; ".join(dict.fromkeys(what)) for column, what in uses.items()}


def column_map_of(fields: Mapping[str, Any]) -> ColumnMap:
    """A map from JSON that holds to the schema."""

    def source(name: str) -> Source | None:
        return _source(fields[name]) if name in fields else None

    ended = fields.get("ended")
    return ColumnMap(
        layout=fields["layout"],
        person=fields["person"]["column"].strip(),
        arm=_source(fields["arm"]),
        reports=tuple(_reports(fields["reports"])),
        scales={name: (scale["low"], scale["high"]) for name, scale in fields["scales"].items()},
        encoding=fields.get("encoding", "utf-8"),
        delimiter=fields.get("delimiter"),
        decimal=fields.get("decimal", "point"),
        missing={"": BLANK} | fields.get("missing", {}),
        ignores_others=fields.get("other_columns") == "ignore",
        ignored=tuple(fields.get("ignored", ())),
        same=fields["person"].get("same", {}),
        strata={factor: _source(given) for factor, given in fields.get("strata", {}).items()},
        session=source("session"),
        phase=source("phase"),
        probe_at_s=source("probe_at_s"),
        instrument=source("instrument"),
        missed_reason=fields.get("missed_reason"),
        sounds=tuple(_sound(number, sound) for number, sound in enumerate(fields.get("sounds", ()))),
        assumes_whole="listening" in fields,
        ended=None if ended is None else Ended(ended["column"], ended["codes"], ended.get("note")),
    )


def _source(fields: Mapping[str, Any]) -> Source:
    return Source(fields.get("column"), fields.get("codes"), fields.get("is"))


def _selector(fields: Mapping[str, Any]) -> Selector:
    names = ("event", "repeat_instrument", "repeat_instance")
    return Selector(**{name: fields.get(name) for name in names})


def _reports(entries: list[Mapping[str, Any]]) -> Iterator[ReportColumns]:
    seen: list[tuple[Any, ...]] = []
    for number, fields in enumerate(entries):
        phase, session_id, at_s = (fields.get(name) for name in ("phase", "session", "probe_at_s"))
        moment = (fields["instrument"], phase, session_id, at_s)
        yield ReportColumns(
            number,
            fields["instrument"],
            fields["items"],
            phase,
            session_id,
            None if at_s is None else float(at_s),
            _selector(fields),
            seen.count(moment),
        )
        seen.append(moment)


def _sound(number: int, fields: Mapping[str, Any]) -> SoundColumns:
    names = ("file", "onset_s", "duration_s", "target_valence", "target_arousal", "listened_s")
    scale = fields.get("target_scale", {"low": -1.0, "high": 1.0})
    return SoundColumns(
        number,
        fields.get("session"),
        **{name: fields.get(name) for name in names},
        target_scale=(scale["low"], scale["high"]),
        stopped=_source(fields["stopped"]) if "stopped" in fields else None,
        selector=_selector(fields),
    )
