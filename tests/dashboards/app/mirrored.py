"""A right-to-left catalogue for tests: the English one, written in Hebrew letters."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dashboards.texts.catalogue import OURS

LANGUAGE = "he"
_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד", strict=True))


def mirrored_words(text: str) -> str:
    """Letter for letter, with its placeholders as they were."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(part if part.startswith("{") else _in_hebrew(part) for part in parts)


def bring_mirrored_catalogue(study_folder: Path) -> None:
    """Put the catalogue where a study brings its own."""
    english = json.loads((OURS / "en.json").read_text())
    texts = study_folder / "texts"
    texts.mkdir(exist_ok=True)
    mirrored = {key: mirrored_words(text) for key, text in english.items()}
    (texts / f"{LANGUAGE}.json").write_text(json.dumps(mirrored, ensure_ascii=False), encoding="utf-8")


def _in_hebrew(text: str) -> str:
    return "".join(_LETTERS.get(letter.lower(), letter) for letter in text)
