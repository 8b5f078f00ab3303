"""The words of the participant's pages, by language.

One JSON file a language: key to words, with ``{placeholders}``. English and
German come with isopath; a study brings any other, whole, as
``STUDY/texts/<language>.json``. Such a file may also put a study's own words in
the place of ours, for instance licensed item texts. Words are never mixed from
two languages: a language is complete, or it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from study.errors import ConductError, IsopathError, UnknownName
from study.protocol import StudyProtocol

OURS = Path(__file__).parent
REFERENCE = "en"

# Unicode CLDR, characterOrder right-to-left, of languages in daily written use.
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def direction(language: str) -> str:
    """``rtl`` or ``ltr``, from a language code such as ``ar`` or ``de-AT``."""
    return "rtl" if language.split("-", maxsplit=1)[0].lower() in _RIGHT_TO_LEFT else "ltr"


def words(language: str, groups: Iterable[str], study_texts: Path | None = None) -> dict[str, str]:
    """The words of some pages.

    Args:
        language: a code; its catalogue must be complete.
        groups: first parts of keys: ``consent`` gives every ``consent.…``.
        study_texts: the study's own ``texts`` folder, if it has one.

    Raises:
        ConductError: the language has no whole catalogue.
    """
    wanted = frozenset(groups)
    return {
        key: text for key, text in catalogue(language, study_texts).items() if key.split(".")[0] in wanted
    }


def catalogue(language: str, study_texts: Path | None = None) -> Mapping[str, str]:
    """Every word of one language: ours, with the study's own in their place.

    Raises:
        ConductError: a key is missing, unknown, or has other placeholders than the English one.
    """
    own = None if study_texts is None else study_texts / f"{language}.json"
    ours = OURS / f"{language}.json"
    merged = {**_read(ours), **(_read(own) if own is not None else {})}
    problems = differences(merged, _read(OURS / f"{REFERENCE}.json"))
    if problems:
        where = str(own if own is not None and own.exists() else ours.name)
        raise ConductError(
            where,
            f"is no whole catalogue of {language!r}: {'; '.join(problems[:5])}"
            + (f" and {len(problems) - 5} more" if len(problems) > 5 else ""),
            f"give every key of {REFERENCE}.json in STUDY/texts/{language}.json, with the same placeholders",
        )
    return merged


def differences(found: Mapping[str, str], reference: Mapping[str, str]) -> list[str]:
    """What keeps `found` from being a whole translation of `reference`; empty where nothing does."""
    if not found:
        return ["there is none"]
    missing = [f"{key} is missing" for key in reference if key not in found]
    unknown = [f"{key} is not a key" for key in found if key not in reference]
    other = [
        f"{key} has other placeholders than {sorted(placeholders(reference[key]))}"
        for key in reference
        if key in found and placeholders(found[key]) != placeholders(reference[key])
    ]
    return [*missing, *unknown, *other]


def placeholders(text: str) -> frozenset[str]:
    """The names in braces of one text."""
    return frozenset(_PLACEHOLDER.findall(text))


def missing_catalogues(protocol: StudyProtocol, folder: Path) -> list[IsopathError]:
    """A refusal for each protocol language that has no whole catalogue.

    Args:
        folder: the study folder; its ``texts/`` may hold catalogues.
    """
    found: list[IsopathError] = []
    for language in protocol.languages:
        try:
            catalogue(language, folder / "texts")
        except (ConductError, UnknownName) as problem:
            found.append(problem)
    return found


def _read(path: Path) -> Mapping[str, str]:
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return {}
    return _parsed(path, changed)


@lru_cache(maxsize=64)
def _parsed(path: Path, _changed_ns: int) -> Mapping[str, str]:
    remedy = "write one JSON object of keys and words, in UTF-8"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConductError(str(path), f"cannot be read as JSON ({problem})", remedy) from problem
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise ConductError(str(path), "holds something other than words", remedy)
    return content
