"""Prompt tables as files: reading one, and everything wrong with it at once.

A table is a JSON object:

- ``version``: 1.
- ``name``: as manifests name it.
- ``about`` and ``sources``: a text and a list of texts for readers; not used.
- ``sentence``: the prompt, with ``{moods}`` and, where wanted, ``{genre}``,
  ``{instruments}``, ``{bpm}`` and the names of ``bands`` in braces; or with ``{valence}`` and
  ``{arousal}``, the two numbers themselves.
- ``tempo``: ``neutral_bpm`` (20 to 300) and ``octaves`` (0 to 2); needed for ``{bpm}``.
- ``alone_within``: 0 to 1, see `generation.prompts.table.PromptTable`; needed with ``anchors``.
- ``bands``: name to ``axis``, rising ``edges`` inside (-1, 1), and one more of ``words``.
- ``anchors``: two or more of ``valence``, ``arousal``, ``moods`` (two or more), and, where
  the sentence names them, ``genre`` and ``instruments`` (two or more). A sentence that
  names none of these has no anchors.
"""

from __future__ import annotations

import hashlib
import itertools
import string
from collections.abc import Iterator, Mapping
from typing import Any

from generation.prompts.table import Anchor, Band, PromptTable, Tempo
from study.affect import Affect
from study.errors import ProtocolErrors, ProtocolProblem
from study.protocol_file.text import Finding, JsonPath, did_you_mean, parse_text, shown, written

VERSION = 1
LONGEST_PROMPT = 400
"""Characters. A text encoder reads at most one token a character, and T5 was trained on 512."""

_FIELDS = ("version", "name", "about", "sources", "sentence", "tempo", "alone_within", "bands", "anchors")
_ANCHOR_FIELDS = ("valence", "arousal", "moods", "genre", "instruments")
_BAND_FIELDS = ("axis", "edges", "words")
_OWN_NAMES = ("moods", "genre", "instruments", "bpm", "valence", "arousal")
_FROM_ANCHORS = frozenset({"moods", "genre", "instruments"})
_NUMBERS = frozenset({"valence", "arousal"})


def parse_prompts(data: bytes, file_name: str) -> PromptTable:
    """Read and check a table's bytes.

    Raises:
        ProtocolErrors: all problems.
    """
    text = parse_text(data, file_name)
    findings = [*text.findings]
    if not findings:
        findings = list(_problems(text.value))
    if not findings:
        table = _built(text.value, data)
        findings = list(_too_long(table))
    if findings:
        findings.sort(key=lambda finding: text.order.get(finding.path, len(text.order)))
        raise ProtocolErrors(
            [ProtocolProblem(file_name, written(f.path), f.problem, f.remedy) for f in findings]
        )
    return table


def _problems(value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield Finding((), "is not an object { … }", "write a table as generation/prompts shows it")
        return
    yield from _unknown_fields(value, (), _FIELDS)
    if value.get("version") != VERSION:
        yield Finding(("version",), f"is {shown(value.get('version'))}", f"write {VERSION}")
    if not _is_text(value.get("name")):
        yield Finding(("name",), "is not a name", "write a short text")
    bands = value.get("bands", {})
    if not isinstance(bands, dict):
        yield Finding(("bands",), "is not an object { … }", "write names and their bands, or leave it out")
        bands = {}
    for name, band in bands.items():
        yield from _band_problems(band, ("bands", name))
    named, problems = _placeholders(value.get("sentence"), bands)
    yield from problems
    for name in bands:
        if named and name not in named:
            yield Finding(
                ("bands", name), "is not in the sentence", f"write {{{name}}} in it, or delete the band"
            )
    yield from _tempo_problems(value.get("tempo"), "bpm" in named)
    if named and not named & _FROM_ANCHORS:
        yield from _idle_anchors(value)
        return
    yield from _number(value, "alone_within", (), 0.0, 1.0)
    anchors = value.get("anchors")
    if not isinstance(anchors, list) or len(anchors) < 2:
        yield Finding(("anchors",), "is not a list of two anchors or more", "write a list [ … ]")
        return
    for index, anchor in enumerate(anchors):
        yield from _anchor_problems(anchor, ("anchors", index), named)
    yield from _same_places(anchors)


def _placeholders(sentence: Any, bands: Mapping[str, Any]) -> tuple[frozenset[str], list[Finding]]:
    path: JsonPath = ("sentence",)
    known = (*_OWN_NAMES, *bands)
    remedy = "write {moods} and any of " + ", ".join(f"{{{name}}}" for name in known if name != "moods")
    if not _is_text(sentence):
        return frozenset(), [Finding(path, "is not a text", remedy)]
    try:
        parts = [part[1:] for part in string.Formatter().parse(sentence) if part[1] is not None]
    except ValueError:
        return frozenset(), [Finding(path, "has a brace without its partner", remedy)]
    findings = [
        Finding(path, f"has {{{name}}}, which stands for nothing", did_you_mean(str(name), known) + remedy)
        for name, *_ in parts
        if name not in known
    ]
    findings += [
        Finding(path, f"has more than the name in {{{name}}}", f"write {{{name}}}")
        for name, form, conversion in parts
        if name in known and (form or conversion)
    ]
    names = {name for name, *_ in parts}
    if "moods" not in names and not names >= _NUMBERS:
        findings.append(Finding(path, "has no {moods}", f"{remedy}; or write {{valence}} and {{arousal}}"))
    return frozenset(str(name) for name, *_ in parts), findings


def _idle_anchors(value: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("alone_within", "anchors"):
        if name in value:
            yield Finding(
                (name,),
                "does nothing: the sentence names nothing of the anchors",
                "delete it, or write {moods} in the sentence",
            )


def _band_problems(band: Any, path: JsonPath) -> Iterator[Finding]:
    if not isinstance(band, dict):
        yield Finding(path, "is not an object { … }", f"write {', '.join(_BAND_FIELDS)}")
        return
    if not str(path[-1]).isidentifier() or path[-1] in _OWN_NAMES:
        yield Finding(
            path, "is not a name for a band", "write one word that is not a name of the sentence's own"
        )
    yield from _unknown_fields(band, path, _BAND_FIELDS)
    if band.get("axis") not in ("valence", "arousal"):
        yield Finding((*path, "axis"), f"is {shown(band.get('axis'))}", "write valence or arousal")
    edges = band.get("edges")
    rising = isinstance(edges, list) and all(map(_is_number, edges)) and [-1.0, *edges, 1.0]
    if not rising or any(low >= high for low, high in itertools.pairwise(rising)):
        yield Finding(
            (*path, "edges"), "is not a rising list of numbers inside (-1, 1)", "write one, e.g. [-0.3, 0.3]"
        )
    elif not _are_texts(band.get("words"), len(rising) - 1) or len(band["words"]) != len(rising) - 1:
        yield Finding(
            (*path, "words"), f"is not a list of {len(rising) - 1} texts", "write one more than edges"
        )


def _tempo_problems(tempo: Any, is_needed: bool) -> Iterator[Finding]:
    path: JsonPath = ("tempo",)
    if tempo is None:
        if is_needed:
            yield Finding(path, "is missing, and the sentence has {bpm}", "write neutral_bpm and octaves")
        return
    if not isinstance(tempo, dict):
        yield Finding(path, "is not an object { … }", "write neutral_bpm and octaves")
        return
    if not is_needed:
        yield Finding(
            path, "does nothing: the sentence has no {bpm}", "write {bpm} in it, or delete the tempo"
        )
    yield from _unknown_fields(tempo, path, ("neutral_bpm", "octaves"))
    yield from _number(tempo, "neutral_bpm", path, 20.0, 300.0)
    yield from _number(tempo, "octaves", path, 0.0, 2.0)


def _anchor_problems(anchor: Any, path: JsonPath, named: frozenset[str]) -> Iterator[Finding]:
    if not isinstance(anchor, dict):
        yield Finding(path, "is not an object { … }", f"write {', '.join(_ANCHOR_FIELDS)}")
        return
    yield from _unknown_fields(anchor, path, _ANCHOR_FIELDS)
    yield from _number(anchor, "valence", path, -1.0, 1.0)
    yield from _number(anchor, "arousal", path, -1.0, 1.0)
    if not _are_texts(anchor.get("moods"), 2):
        yield Finding((*path, "moods"), "is not a list of two different texts or more", "write mood words")
    if "genre" in named and not _is_text(anchor.get("genre")):
        yield Finding((*path, "genre"), "is not a text, and the sentence has {genre}", "write a genre")
    if "instruments" in named and not _are_texts(anchor.get("instruments"), 2):
        yield Finding(
            (*path, "instruments"),
            "is not a list of two different texts or more, and the sentence has {instruments}",
            "write instruments, the leading one first",
        )


def _same_places(anchors: list[Any]) -> Iterator[Finding]:
    seen: set[tuple[Any, Any]] = set()
    for index, anchor in enumerate(anchors):
        place = (anchor.get("valence"), anchor.get("arousal")) if isinstance(anchor, dict) else (None, None)
        if all(map(_is_number, place)) and place in seen:
            yield Finding(("anchors", index), "stands where another anchor stands", "move or delete one")
        elif all(map(_is_number, place)):
            seen.add(place)


def _unknown_fields(value: Mapping[str, Any], path: JsonPath, known: tuple[str, ...]) -> Iterator[Finding]:
    for name in value:
        if name not in known:
            remedy = did_you_mean(name, known) + f"delete it; the fields are {', '.join(known)}"
            yield Finding((*path, name), "is not a field here", remedy)


def _number(
    value: Mapping[str, Any], name: str, path: JsonPath, low: float, high: float
) -> Iterator[Finding]:
    number = value.get(name)
    if number is None or not _is_number(number) or not low <= number <= high:
        told = "is missing" if number is None else f"is {shown(number)}"
        yield Finding((*path, name), told, f"write a number from {low:g} to {high:g}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: Any, at_least: int) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and len(set(value)) == len(value) >= at_least


def _too_long(table: PromptTable) -> Iterator[Finding]:
    for v, a in itertools.product(range(-20, 21), repeat=2):
        prompt = table.prompt(Affect(v / 20, a / 20))
        if len(prompt) > LONGEST_PROMPT:
            problem = f"makes a prompt of {len(prompt)} characters at ({v / 20:g}, {a / 20:g})"
            yield Finding(("sentence",), problem, f"keep every prompt within {LONGEST_PROMPT} characters")
            return


def _built(value: Mapping[str, Any], data: bytes) -> PromptTable:
    tempo = value.get("tempo")
    return PromptTable(
        name=value["name"],
        sha256=hashlib.sha256(data).hexdigest(),
        sentence=value["sentence"],
        tempo=tempo and Tempo(float(tempo["neutral_bpm"]), float(tempo["octaves"])),
        alone_within=float(value.get("alone_within", 0.0)),
        bands={
            name: Band(band["axis"], tuple(band["edges"]), tuple(band["words"]))
            for name, band in value.get("bands", {}).items()
        },
        anchors=tuple(
            Anchor(
                Affect(float(anchor["valence"]), float(anchor["arousal"])),
                tuple(anchor["moods"]),
                anchor.get("genre", ""),
                tuple(anchor.get("instruments", ())),
            )
            for anchor in value.get("anchors", ())
        ),
    )
