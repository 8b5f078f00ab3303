"""Exports: what leaves the study for other programs."""

from __future__ import annotations

from dashboards.export_kinds import KINDS
from dashboards.researcher import markup
from dashboards.researcher.frame import open_page
from dashboards.researcher.gate import require_staff, still_may
from dashboards.server.serving import current
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
            "sounds, perceived ratings and guesses of the arm are left out, and times are cut to the day. "
            "It stays so for everybody until the record is frozen and unblinded."
        )
        markup.show(markup.notice(text, "quiet", "Blinded."))
    wanted = [kind for kind in KINDS if sees_arms or not kind.needs_arms]
    for title, whole in (("The study as a dataset", True), ("Single files", False)):
        rows = [(_link(kind.name), kind.what) for kind in wanted if (kind.form is not None) is whole]
        markup.show(markup.table(title, ("File", "What it holds"), rows))
    study_name = current().study.folder.root.name
    text = (
        "Each dataset comes with its data dictionary. With the sounds, from the command line: "
        f"isopath export {study_name} --format bids --out DIR"
    )
    markup.show(markup.paragraph(text, is_quiet=True))
    head = looked.view.head
    markup.show(markup.facts((("Rows in the record", head.sequence),)))
    markup.show(markup.paragraph(f"Head of the record: {head.sha256}"))
    text = (
        "Note this line outside the study folder. With it, isopath verify --head later finds a record that "
        "was cut short or written anew."
    )
    markup.show(markup.paragraph(text, is_quiet=True))


def _link(name: str) -> markup.Link:
    return markup.Link(f"/api/staff/export/{name}", name, is_download=name != "report.html")
