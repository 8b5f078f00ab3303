"""Write docs/api.md: every public name of the analysis, with its signature and what it says of itself.

    .venv/bin/python scripts/api_reference.py

A test holds the committed page to what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import analysis

PAGE = Path(__file__).parents[1] / "docs" / "api.md"

HEAD = """# Reference of the analysis

Written from the docstrings by `scripts/api_reference.py`; a test keeps it so. Shapes, units, ranges, errors
raised and sources of formulas stand in full in each docstring (`help(name)`); here is the first sentence.

How the parts are used together, with examples that run in the tests: [python.md](python.md). What each method
means: [analysis.md](analysis.md).
"""


def reference() -> str:
    """The whole page."""
    rooms: dict[str, list[str]] = {}
    for module in _modules(analysis):
        entries = [_entry(name, thing) for name, thing in _public(module)]
        if entries:
            room = module.__name__.rsplit(".", 1)[0] if module.__name__.count(".") > 1 else "analysis"
            lines = [f"### `{module.__name__}`", "", _first(module), "", *entries, ""]
            rooms.setdefault(room, []).extend(lines)
    parts = [HEAD]
    for room, lines in sorted(rooms.items()):
        parts.append("\n".join([f"## `{room}`", "", _first(importlib.import_module(room)), "", *lines]))
    return "\n".join(parts).rstrip() + "\n"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(
        pkgutil.walk_packages(package.__path__, f"{package.__name__}."), key=lambda m: m.name
    ):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == module.__name__
        if own and not name.startswith("_") and (inspect.isfunction(thing) or inspect.isclass(thing)):
            yield name, thing


def _entry(name: str, thing: Any) -> str:
    if inspect.isclass(thing):
        return f"- **`{name}`** — {_first(thing)}"
    return f"- **`{name}`**`{_signature(thing)}` — {_first(thing)}"


def _signature(thing: Any) -> str:
    signature = inspect.signature(thing)
    names = [
        f"{parameter.name}={parameter.default!r}"
        if parameter.default is not parameter.empty and not callable(parameter.default)
        else parameter.name
        for parameter in signature.parameters.values()
    ]
    return f"({', '.join(names)}) → {signature.return_annotation}"


def _first(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n", 1)[0].split())


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
