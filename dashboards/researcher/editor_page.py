"""The protocol editor: a file is read, edited as JSON, checked as it changes, and downloaded.

It writes nothing: the protocol of a running study is frozen, and a new one
begins a new study with `isopath init`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboards.checked_protocol import check_engines
from dashboards.researcher import markup
from dashboards.researcher.frame import open_page
from dashboards.researcher.gate import require_staff
from dashboards.researcher.protocol_page import show_plan
from dashboards.server.serving import current
from protocols import example_names, example_path
from study.access.roles import Permission
from study.errors import ProtocolErrors, ProtocolProblem
from study.protocol import StudyProtocol
from study.protocol_file import parse_protocol
from study.protocol_file.text import MAX_BYTES

_NAME = "protocol.json"
_TEXT = "editor-text"
_OWN = "this study's protocol"
_UPLOAD = "a file of yours"


@dataclass(frozen=True)
class Checked:
    """What the checks say: a protocol, or everything that is wrong."""

    protocol: StudyProtocol | None
    problems: tuple[ProtocolProblem, ...]


def show() -> None:
    """The page."""
    require_staff(Permission.EDIT_PROTOCOL)
    open_page(
        "Protocol editor",
        "Write a protocol for a new study. The protocol of this study is frozen and is not changed here.",
    )
    _begin()
    text = st.text_area(
        "Protocol as JSON: checked whenever you leave the field or press Ctrl+Enter",
        key=_TEXT,
        height=460,
        max_chars=MAX_BYTES,
    )
    if not text.strip():
        markup.show(
            markup.paragraph("Choose above what to begin with: this study's protocol, an example, or a file.")
        )
        return
    checked = check_text(text)
    if checked.protocol is None:
        _show_problems(checked.problems)
        return
    markup.show(markup.notice("No problems. Download it, and begin the study with isopath init.", "good"))
    st.download_button(
        "Download the protocol", text.encode(), f"{checked.protocol.study_id}.json", "application/json"
    )
    if any(arm.files for arm in checked.protocol.arms):
        text = "Sound files that the arms name are looked for by isopath check, where the files are."
        markup.show(markup.paragraph(text, is_quiet=True))
    show_plan(checked.protocol)


def check_text(text: str) -> Checked:
    """Check a protocol's text as `isopath check` does, but for the sound files it names."""
    try:
        protocol = parse_protocol(text.encode(), _NAME)
        check_engines(protocol, _NAME)
    except ProtocolErrors as wrong:
        return Checked(None, wrong.problems)
    return Checked(protocol, ())


def _begin() -> None:
    with st.form("editor-begin", border=True):
        source = st.selectbox("Begin with", (_OWN, *example_names(), _UPLOAD), key="editor-source")
        uploaded = st.file_uploader("A file of yours", type=["json"], key="editor-file", max_upload_size=1)
        if not st.form_submit_button("Put it into the editor; what is there now is replaced"):
            return
    if source == _UPLOAD and uploaded is None:
        markup.show(markup.notice("Choose a file first.", "bad", "Nothing was read:"))
        return
    data = (
        uploaded.getvalue()
        if source == _UPLOAD and uploaded is not None
        else current().study.folder.protocol.read_bytes()
        if source == _OWN
        else example_path(source).read_bytes()
    )
    try:
        if len(data) > MAX_BYTES:
            raise ValueError
        st.session_state[_TEXT] = data.decode("utf-8")
    except ValueError:
        markup.show(
            markup.notice("This is no protocol: it is too large, or not text.", "bad", "Nothing was read:")
        )


def _show_problems(problems: tuple[ProtocolProblem, ...]) -> None:
    n = len(problems)
    markup.show(markup.notice(f"{n} {'problem' if n == 1 else 'problems'} to mend, all listed here.", "bad"))
    rows = [(problem.json_path, problem.problem, problem.remedy) for problem in problems]
    markup.show(
        markup.table("Problems, in the order of the file", ("Where", "What is wrong", "What to write"), rows)
    )
