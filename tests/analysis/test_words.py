"""Words and numbers: two styles, two languages, nothing missing in either."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.ft2font import FT2Font

from analysis.words import ENGLISH, ENGLISH_BEGINS, ENGLISH_ENDS, LANGUAGES, PARTS, STYLES, Words

ROW = {"estimate": 0.31, "ci_low": -0.104, "ci_high": 0.52, "reason": None}


def catalogue(part: str, language: str) -> dict[str, str]:
    source = resources.files("analysis").joinpath(f"texts/{part}.{language}.json")
    found: dict[str, str] = json.loads(source.read_text("utf-8"))
    return found


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_have_the_same_texts_with_the_same_places(part: str) -> None:
    english, german = catalogue(part, "en"), catalogue(part, "de")

    assert list(english) == list(german)
    assert {key: places(text) for key, text in english.items()} == {
        key: places(text) for key, text in german.items()
    }
    assert all(text.strip() for text in (*english.values(), *german.values()))


def test_a_phrase_and_its_translation_have_the_same_places() -> None:
    wrong = [one for one, text in catalogue("phrases", "de").items() if places(one) != places(text)]

    assert wrong == []


def test_every_text_that_the_report_asks_for_by_name_is_there() -> None:
    folder = Path(str(resources.files("analysis"))) / "report"
    code = "\n".join(path.read_text() for path in folder.glob("*.py"))
    named = set(re.findall(r'words\.text\(\s*"([a-z_.]+)"', code))

    assert named - set(catalogue("report", "en")) - set(catalogue("figures", "en")) == set()


def test_every_letter_of_the_catalogues_is_in_the_font_that_comes_along() -> None:
    font = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")).get_charmap()
    texts = [text for part in (*PARTS, "phrases") for text in catalogue(part, "de").values()]
    texts += [text for part in PARTS for text in catalogue(part, "en").values()]
    texts += [Words(language, style).interval(ROW) for language in LANGUAGES for style in STYLES]

    assert {letter for letter in "".join(texts) if ord(letter) not in font} == set()


@pytest.mark.parametrize(
    ("language", "style", "expected"),
    [
        # APA Publication Manual, 7th ed., 6.36 and 6.44: brackets; no zero where 1 cannot be exceeded.
        ("en", "apa", ("0.31, 95% CI [−0.10, 0.52]", "p = .032", "p < .001", ".75", "12/40 (30%)")),
        # The Lancet, formatting guidelines for electronic submission: mid-line points, "to", p=0·032.
        ("en", "lancet", ("0·31, 95% CI −0·10 to 0·52", "p=0·032", "p<0·001", "0·75", "12/40 (30%)")),
        (
            "de",
            "apa",
            ("0,31, 95‑%‑KI [−0,10; 0,52]", "p = 0,032", "p < 0,001", "0,75", "12/40 (30\u00a0%)"),
        ),
        (
            "de",
            "lancet",
            ("0,31, 95‑%‑KI −0,10 bis 0,52", "p=0,032", "p<0,001", "0,75", "12/40 (30\u00a0%)"),
        ),
    ],
)
def test_numbers_are_printed_in_the_style_asked_for(
    language: str, style: str, expected: tuple[str, ...]
) -> None:
    words = Words(language, style)

    assert (
        words.interval(ROW),
        words.p_clause(0.0321),
        words.p_clause(0.00004),
        words.number(0.75, 2, bounded=True),
        words.share_text({"n": 12, "of": 40}),
    ) == expected


def test_a_correlation_of_one_keeps_its_one_and_a_difference_its_zero() -> None:
    assert [ENGLISH.number(value, 2, bounded=True) for value in (1.0, -0.5, 0.0)] == ["1.00", "−.50", ".00"]
    assert ENGLISH.number(-0.5) == "−0.50"
    assert ENGLISH.p_text(0.9996) == ">.999"


def test_a_percentage_never_stands_without_its_n() -> None:
    assert Words("en", "lancet").share_text({"n": 0, "of": 0}) == "0/0"


def test_a_row_without_a_number_is_told_by_its_reason_in_the_readers_language() -> None:
    row = {"estimate": None, "ci_low": None, "ci_high": None, "reason": "nobody has the outcome yet"}

    assert ENGLISH.interval(row) == "not estimable: nobody has the outcome yet"
    assert Words("de").interval(row) == "nicht schätzbar: noch niemand hat ein Ergebnis"
    assert ENGLISH.interval({**row, "estimate": 0.2}) == "0.20 (no interval: nobody has the outcome yet)"


def test_a_phrase_with_places_is_translated_with_what_stands_in_them() -> None:
    english = (
        "ANCOVA adjusted for pre valence, site; HC3 errors, t reference; complete cases, "
        "analysed as allocated"
    )

    assert Words("de").said(english) == (
        "ANCOVA, adjustiert für Valenz vorher, site; HC3-Fehler, t-Referenz; vollständige Fälle, "
        "ausgewertet wie zugeteilt"
    )
    assert Words("de").said("Share of clips within 0.25 of the plan").endswith("innerhalb von 0,25 des Plans")


def test_what_has_no_translation_stays_english_and_is_marked_so() -> None:
    assert Words("de").said("an odd reason") == "an odd reason"
    assert Words("de").marked("an odd reason") == f"{ENGLISH_BEGINS}an odd reason{ENGLISH_ENDS}"
    assert ENGLISH.marked("an odd reason") == "an odd reason"


def test_nobody_can_write_the_signs_of_an_english_piece_themselves() -> None:
    forged = f"a{ENGLISH_ENDS}b{ENGLISH_BEGINS}"

    assert Words("de").marked(forged) == f"{ENGLISH_BEGINS}ab{ENGLISH_ENDS}"
