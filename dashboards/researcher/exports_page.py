"""Exports: what leaves the study for other programs."""

from __future__ import annotations

from dashboards.export_kinds import KINDS
from dashboards.researcher import markup
from dashboards.researcher.frame import open_page
from dashboards.researcher.gate import require_staff, still_may
from study.access.roles import Permission


def show() -> None:
    """The page."""
    staff = require_staff(Permission.EXPORT)
    looked = open_page("Exports", "Each file is made from the record at the moment you ask for it.")
    sees_arms = still_may(staff, Permission.SEE_ARMS)
    if sees_arms:
        text = "These files tell arms. Keep them from whoever may not know them."
        markup.show(markup.notice(text, "look", "Not blinded."))
    else:
        text = (
            "Nothing in these files tells who is in which arm: arms, planned paths, hashes and lengths of "
            "sounds, perceived ratings and guesses of the arm are left out, and times are cut to the day."
        )
        markup.show(markup.notice(text, "quiet", "Blinded."))
    rows = [
        (
            markup.Link(f"/api/staff/export/{kind.name}", kind.name, is_download=kind.name != "report.html"),
            kind.what,
        )
        for kind in KINDS
        if sees_arms or not kind.needs_arms
    ]
    markup.show(markup.table("Files", ("File", "What it holds"), rows))
    head = looked.view.head
    markup.show(markup.facts((("Rows in the record", head.sequence),)))
    markup.show(markup.paragraph(f"Head of the record: {head.sha256}"))
    text = (
        "Note this line outside the study folder. With it, isopath verify --head later finds a record that "
        "was cut short or written anew."
    )
    markup.show(markup.paragraph(text, is_quiet=True))
