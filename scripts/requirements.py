"""Write docs/record/requirements.md: each requirement, what meets it, and the tests that show it.

    .venv/bin/python scripts/requirements.py

Requirements are data (analysis/guidelines/requirements.json); the tests are those marked
`@pytest.mark.requirement("…")`. A test holds the committed page to what this writes.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "record" / "requirements.md"
DATA = ROOT / "analysis" / "guidelines" / "requirements.json"
TESTS = ROOT / "tests"
MARK = "pytest.mark.requirement"

MET = {
    "by the product": "Met by the product, as the tests show",
    "by the site": "Procedures of the site",
    "not met": "Not met",
}

HEAD = """# What a regulator asks for, what meets it, and the test that shows it

Written by `scripts/requirements.py` from `analysis/guidelines/requirements.json` and from the marks on the
tests (`@pytest.mark.requirement`); a test keeps it so. What each requirement asks for is said in our own
words. A program alone makes no study compliant: what is the site's is listed as the site's, and what is
not met is listed as not met.
"""


@dataclass(frozen=True)
class Requirement:
    """One requirement, see the data file.

    Args:
        met: a key of `MET`.
    """

    id: str
    source: str
    asks: str
    mechanism: tuple[str, ...]
    met: str
    note: str


@dataclass(frozen=True)
class Shown:
    """A test that shows a requirement."""

    path: str
    name: str


def requirements(text: str) -> tuple[Requirement, ...]:
    """The data file's content.

    Raises:
        ValueError: an id is there twice, or `met` is no word of `MET`.
    """
    found = tuple(Requirement(**{**row, "mechanism": tuple(row["mechanism"])}) for row in json.loads(text))
    ids = [one.id for one in found]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    odd = sorted({one.met for one in found} - set(MET))
    if twice or odd:
        raise ValueError(f"requirements: twice {twice}, unknown words {odd}")
    return found


def shown_by(tests: Path) -> dict[str, list[Shown]]:
    """Requirement to the tests that are marked with it, in the order of files and lines."""
    found: dict[str, list[Shown]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if MARK not in text:
            continue
        name = str(path.relative_to(tests.parent))
        for test, ids in marked(text):
            for one in ids:
                found.setdefault(one, []).append(Shown(name, test))
    return found


def marked(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each marked test or class of tests in a module, with the requirements its marks name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARK:
                yield node.name, tuple(str(ast.literal_eval(argument)) for argument in decorator.args)


def problems(asked: Sequence[Requirement], shown: Mapping[str, Sequence[Shown]], root: Path) -> list[str]:
    """What does not fit, one sentence each; none where the page can be written."""
    known = {one.id: one for one in asked}
    found = [
        f"{one}: marked in {shown[one][0].path}, and no requirement of that name"
        for one in shown
        if one not in known
    ]
    for one in asked:
        is_shown = bool(shown.get(one.id))
        if one.met == "by the product" and not is_shown:
            found.append(f"{one.id}: said to be met, and no test shows it")
        if one.met != "by the product" and is_shown:
            found.append(f"{one.id}: said to be {one.met}, and {shown[one.id][0].name} shows it")
        found += [
            f"{one.id}: {module} is not there" for module in one.mechanism if not (root / module).is_file()
        ]
    return found


def page(asked: Sequence[Requirement], shown: Mapping[str, Sequence[Shown]]) -> str:
    """The whole page."""
    lines = [HEAD]
    for met, heading in MET.items():
        lines += [f"## {heading}", ""]
        for one in (one for one in asked if one.met == met):
            lines += [f"### {one.id}", "", f"*{one.source}:* {one.asks}.", ""]
            if one.note:
                lines += [one.note, ""]
            if one.mechanism:
                lines += ["By " + ", ".join(f"`{module}`" for module in one.mechanism) + ".", ""]
            lines += [_line(test) for test in shown.get(one.id, ())]
            lines += [""] * bool(shown.get(one.id))
    return "\n".join(lines).rstrip() + "\n"


def _line(test: Shown) -> str:
    words = test.name.removeprefix("test_").removeprefix("Test").replace("_", " ")
    return f"- {words} (`{test.path}`)"


def main() -> None:
    """Write the page, or say what does not fit."""
    asked, shown = requirements(DATA.read_text("utf-8")), shown_by(TESTS)
    wrong = problems(asked, shown, ROOT)
    if wrong:
        raise SystemExit("\n".join(wrong))
    PAGE.write_text(page(asked, shown), "utf-8")


if __name__ == "__main__":
    main()
