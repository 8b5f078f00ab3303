"""The page of requirements is what the marks on the tests say, and nothing is claimed that no test shows."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]

MODULE = """
import pytest

@pytest.mark.requirement("A 1", "B 2")
@pytest.mark.parametrize("x", [1])
def test_one(x): ...

class TestMany:
    @pytest.mark.requirement("A 1")
    def test_two(self): ...

def test_three(): ...
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("requirements_page", ROOT / "scripts" / "requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_of_the_marks_as_they_are(script: ModuleType) -> None:
    asked, shown = script.requirements(script.DATA.read_text("utf-8")), script.shown_by(script.TESTS)

    assert script.problems(asked, shown, ROOT) == []
    assert script.PAGE.read_text("utf-8") == script.page(asked, shown), (
        "docs/record/requirements.md is old: run scripts/requirements.py"
    )


def test_marks_are_found_on_functions_and_in_classes(script: ModuleType) -> None:
    assert sorted(script.marked(MODULE)) == [("test_one", ("A 1", "B 2")), ("test_two", ("A 1",))]


def test_a_claim_without_a_test_and_a_mark_without_a_requirement_are_told(script: ModuleType) -> None:
    known = script.Requirement("A 1", "A", "to be so", ("study/record.py",), "by the product", "")
    gone = replace(known, id="C 3", mechanism=("study/nowhere.py",))
    site = replace(known, id="D 4", met="by the site")
    test = script.Shown("tests/test_x.py", "test_x")

    told = script.problems((known, gone, site), {"A 1": [test], "B 2": [test], "D 4": [test]}, ROOT)

    assert told == [
        "B 2: marked in tests/test_x.py, and no requirement of that name",
        "C 3: said to be met, and no test shows it",
        "C 3: study/nowhere.py is not there",
        "D 4: said to be by the site, and test_x shows it",
    ]


def test_the_page_says_what_is_the_sites_and_what_is_not_met(script: ModuleType) -> None:
    product = script.Requirement("A 1", "A, 1", "to be so", (), "by the product", "")
    unmet = replace(product, id="B 2", met="not met", note="There is none.")

    page = script.page((product, unmet), {"A 1": [script.Shown("tests/test_x.py", "test_it_is_so")]})

    assert "- it is so (`tests/test_x.py`)" in page
    assert page.index("### A 1") < page.index("## Not met") < page.index("### B 2")
    assert "There is none." in page
