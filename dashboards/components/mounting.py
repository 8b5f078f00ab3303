"""One component a kind of step: its own HTML, CSS and script behind what all share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from study.errors import UnknownName

FOLDER = Path(__file__).parent


def kinds() -> tuple[str, ...]:
    """Every kind of view that has a component, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/*.js") if path.stem == path.parent.name))


def mount_step(view: Mapping[str, Any]) -> None:
    """Put the component of a view's kind on the page.

    When it says that the step was answered, Streamlit runs the page again, and
    the page looks at the record again.

    Args:
        view: from `dashboards.participant.step_view`.

    Raises:
        UnknownName: the kind has no component.
    """
    kind = str(view["kind"])
    _renderer(kind)(
        key=f"isopath-{kind}-{view['key']}-{view['language']}".replace("__", "--"),
        data=dict(view),
        on_advanced_change=_look_again,
    )


def assets(kind: str) -> tuple[str, str, str]:
    """HTML, CSS and script of one kind, with what all kinds share.

    Raises:
        UnknownName: the kind has no component.
    """
    if kind not in kinds():
        raise UnknownName("kind", f"{kind!r} has no component", "write one of " + ", ".join(kinds()))

    def read(path: Path) -> str:
        return path.read_text(encoding="utf-8") if path.exists() else ""

    own = FOLDER / kind / kind
    html = read(FOLDER / "frame.html").replace("<!-- step -->", read(own.with_suffix(".html")))
    css = read(FOLDER / "shared.css") + read(own.with_suffix(".css"))
    # The one that exports comes last; what stands beside it are its parts.
    parts = sorted(path for path in own.parent.glob("*.js") if path.stem != kind)
    script = "\n".join(read(path) for path in (FOLDER / "shared.js", *parts, own.with_suffix(".js")))
    return html, css, script


# Registered once for the process: Streamlit warns where a name is registered again.
@cache
def _renderer(kind: str) -> ComponentRenderer:
    html, css, script = assets(kind)
    return st.components.v2.component(f"isopath.{kind}", html=html, css=css, js=script)


def _look_again() -> None:
    """The run that follows is what is wanted."""
