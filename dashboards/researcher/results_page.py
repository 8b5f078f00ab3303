"""Results: everybody together while the study is blinded; by arm once it is frozen and unblinded."""

from __future__ import annotations

import streamlit as st

from analysis.figures.session import before_and_after
from analysis.wording import number
from dashboards.researcher import markup
from dashboards.researcher.frame import Looked, open_page
from dashboards.researcher.gate import require_staff, still_may
from dashboards.server.serving import current
from study.access.roles import Permission
from study.corrections import corrected
from study.freeze import is_frozen, is_unblinded
from study.oversight.pooled import LEAST, Pooled, pooled_of
from study.oversight.words import counted


def show() -> None:
    """The page."""
    staff = require_staff(Permission.SEE_RESULTS)
    looked = open_page(
        "Results", "Everybody together while the study is blinded; by arm once it is unblinded."
    )
    record = current().study.record
    if is_frozen(record) and is_unblinded(record) and still_may(staff, Permission.SEE_ARMS):
        # Statistics load for those who may see what they say.
        from dashboards.researcher.results_by_arm import show_by_arm

        show_by_arm()
        return
    _say_what_is_missing(is_frozen(record))
    protocol = looked.view.study.protocol
    histories = {who: corrected(protocol, history) for who, history in looked.view.histories.items()}
    _show_pooled(looked, pooled_of(protocol, histories))


def _say_what_is_missing(frozen: bool) -> None:
    text = (
        "The record is frozen. Results by arm are shown after the arms are unblinded (Freeze and unblind)."
        if frozen
        else "Results by arm are shown after the record is frozen and the arms are unblinded, in that order."
    )
    markup.show(markup.notice(text, "quiet", "Blinded."))


def _show_pooled(looked: Looked, pooled: Pooled) -> None:
    if not pooled.spreads:
        text = (
            f"There is too little to pool yet: results appear from {LEAST} sessions on with a felt report "
            "before and after. Fewer would be single people."
        )
        markup.show(markup.paragraph(text))
        return
    markup.show(markup.heading("Everybody together", level=2))
    is_rehearsal = looked.view.study.rehearsal() is not None
    image = before_and_after(pooled.pairs, is_rehearsal)
    rows = [
        (name, spread.n, number(spread.mean), number(spread.sd), number(spread.median))
        for name, spread in pooled.spreads.items()
    ]
    columns = ("What", "n", "Mean", "Standard deviation", "Median")
    harms = [(severity, n) for severity, n in pooled.adverse_events.items()]
    left = markup.picture(image.svg, image.alt, image.title)
    right = markup.table("Felt reports, all arms pooled", columns, rows, is_small=True)
    harm = markup.table(
        "Adverse events, all arms pooled", ("Severity", "Number"), harms, "None is recorded.", is_small=True
    )
    markup.show(f'<div class="ip-columns">{left}<div>{right}{harm}</div></div>')
    text = f"{counted(pooled.sessions, 'session')} with sound; {len(pooled.pairs)} with both reports."
    markup.show(markup.paragraph(text, is_quiet=True))
    with st.expander("Why not by arm?"):
        markup.show(
            markup.paragraph(
                "Whoever knows how the arms compare while people still take part may, without wishing to, "
                "treat them differently or end the study at a lucky moment. So nobody sees it before the end."
            )
        )
