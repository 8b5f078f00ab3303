"""The words of the pages: whole in every language, and nowhere but in the catalogues."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboards.components.mounting import FOLDER, assets, kinds
from dashboards.texts.catalogue import (
    OURS,
    catalogue,
    differences,
    direction,
    missing_catalogues,
    placeholders,
    words,
)
from study.errors import ConductError
from study.protocol import StudyProtocol
from tests.dashboards.app.mirrored import LANGUAGE, bring_mirrored_catalogue
from tests.dashboards.app.whole_study import whole_protocol, whole_study

ENGLISH = json.loads((OURS / "en.json").read_text())
SCRIPTS = sorted([FOLDER / "shared.js", *FOLDER.glob("*/*.js")])
PAGES = sorted([FOLDER / "frame.html", *FOLDER.glob("*/*.html")])
SPOKEN_ATTRIBUTES = {"aria-label", "title", "placeholder", "alt", "aria-description", "value"}


@pytest.fixture
def protocol(tmp_path: Path) -> StudyProtocol:
    in_hebrew = json.loads(json.dumps(whole_protocol()).replace('"de":', '"he":'))
    in_hebrew["languages"] = ["en", "he"]
    return whole_study(tmp_path / "study", in_hebrew).protocol


@pytest.mark.parametrize("path", sorted(OURS.glob("*.json")), ids=lambda path: path.stem)
def test_every_language_has_every_key_with_the_same_placeholders(path: Path) -> None:
    found = json.loads(path.read_text())

    assert differences(found, ENGLISH) == []
    assert list(found) == list(ENGLISH), "in the same order, so that two languages can be read side by side"
    assert all(text.strip() == text and text for text in found.values())


def test_german_is_not_english() -> None:
    german = json.loads((OURS / "de.json").read_text())

    assert {key for key in ENGLISH if german[key] == ENGLISH[key]} == {"player.start", "player.pause"}


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "ltr"), ("de-AT", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("ur", "rtl")],
)
def test_the_direction_follows_from_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_words_are_given_by_group() -> None:
    assert words("en", ["early"]) == {key: text for key, text in ENGLISH.items() if key.startswith("early.")}


def test_a_language_without_a_catalogue_is_refused_and_never_shown_in_english() -> None:
    with pytest.raises(ConductError, match=r"is no whole catalogue of 'fr': there is none"):
        words("fr", ["page"])


def test_a_study_may_bring_a_whole_language(tmp_path: Path) -> None:
    bring_mirrored_catalogue(tmp_path)

    assert placeholders(catalogue(LANGUAGE, tmp_path / "texts")["page.progress"]) == {"done", "of"}


def test_a_study_may_put_its_own_words_in_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text('{"item.stai6.calm": "I feel calm"}')

    assert words("en", ["item"], tmp_path)["item.stai6.calm"] == "I feel calm"
    assert words("en", ["item"])["item.stai6.calm"] == "calm"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"page.saved": "נשמר"}, "page.continue is missing"),
        ({"page.progress": "{done}"}, r"page.progress has other placeholders than \['done', 'of'\]"),
        ({"page.prorgess": "x"}, "page.prorgess is not a key"),
    ],
)
def test_a_broken_catalogue_is_refused_with_what_is_wrong(
    tmp_path: Path, broken: dict[str, str], said: str
) -> None:
    language = "he" if said.endswith("missing") else "en"
    # page.back is missing too, and comes after it.
    content = {"language.name": "עברית"} | broken if language == "he" else broken
    (tmp_path / f"{language}.json").write_text(json.dumps(content))

    with pytest.raises(ConductError, match=said):
        catalogue(language, tmp_path)


def test_a_catalogue_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "he.json").write_text("{")

    with pytest.raises(ConductError, match=r"he\.json: cannot be read as JSON"):
        catalogue("he", tmp_path)


def test_a_corrected_catalogue_is_read_again(tmp_path: Path) -> None:
    own = tmp_path / "en.json"
    own.write_text('{"page.saved": "Kept."}')
    before = catalogue("en", tmp_path)["page.saved"]
    own.write_text('{"page.saved": "Noted."}')

    assert (before, catalogue("en", tmp_path)["page.saved"]) == ("Kept.", "Noted.")


def test_serving_is_told_of_every_language_without_a_catalogue(
    protocol: StudyProtocol, tmp_path: Path
) -> None:
    (missing,) = missing_catalogues(protocol, tmp_path / "study")
    bring_mirrored_catalogue(tmp_path / "study")

    assert "no whole catalogue of 'he'" in str(missing)
    assert "STUDY/texts/he.json" in str(missing)
    assert missing_catalogues(protocol, tmp_path / "study") == []


class _Spoken(HTMLParser):
    """Whatever a page says or reads out by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found += [data.strip()] if data.strip() else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value
            for name, value in attrs
            if name in SPOKEN_ATTRIBUTES and value and re.search(r"[A-Za-z]{2}", value)
            if (tag, name) not in {("button", "value"), ("input", "value")}
        ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_word_is_written_in_a_component_s_html(path: Path) -> None:
    spoken = _Spoken()
    spoken.feed(path.read_text())

    assert spoken.found == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_word_is_written_in_a_component_s_script(path: Path) -> None:
    code = re.sub(r"(?m)^\s*//.*$|/\*.*?\*/", "", path.read_text())
    literals = [a or b for a, b in re.findall(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`', code)]

    # A sentence has two words side by side; the first of them has letters alone.
    sentences = [text for text in literals if re.search(r"\b[A-Z][a-z]+ [a-z]+\b|[a-z]{2,}[.!?…]( |$)", text)]
    assert [text for text in sentences if not text.startswith((".", "M"))] == []


def _asked_for(text: str) -> set[str]:
    return set(re.findall(r'data-(?:words|label)="([^"]+)"', text)) | set(
        re.findall(r'(?:word|say)\("([a-z_.0-9]+)"', text)
    )


@pytest.mark.parametrize("kind", kinds())
def test_every_word_a_component_asks_for_is_one_it_is_given(kind: str) -> None:
    html, _, script = assets(kind)
    given = {"page", "elsewhere", kind}
    given |= {"instrument": {"item"}, "player": {"item", "instrument"}}.get(kind, set())

    own = _asked_for(html) | _asked_for(script)

    unknown = {key for key in own if key not in ENGLISH or key.split(".")[0] not in given}
    assert unknown == set()


def test_every_kind_of_view_has_a_component() -> None:
    shown = {
        "closed",
        "consent",
        "debrief",
        "early",
        "eligibility",
        "finished",
        "induction",
        "instrument",
        "questionnaire",
        "sound_check",
        "support",
        "trouble",
        "waiting",
    }

    assert shown <= set(kinds())


def test_styles_have_no_left_and_no_right() -> None:
    physical = re.compile(
        r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right|top|bottom)|(?:left|right)\s*:"
        r"|text-align:\s*(?:left|right)|float:\s*(?:left|right))"
    )

    found = {
        path.name: physical.findall(path.read_text())
        for path in [FOLDER / "shared.css", *FOLDER.glob("*/*.css")]
        if path.parent.name != "player"
    }

    assert not any(found.values()), found
