"""The researchers' pages, in the order of their menu; each is loaded when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from study.access.roles import Permission


@dataclass(frozen=True)
class ResearcherPage:
    """One page.

    Args:
        url_path: under the server's root.
        title: in the menu.
        permission: without it the page is neither listed nor shown.
        module: in this package; its `show()` draws the page, and asks for the permission itself.
    """

    url_path: str
    title: str
    permission: Permission
    module: str

    @property
    def show(self) -> Callable[[], None]:
        """What draws the page; loading it loads what it draws with."""

        def show_page() -> None:
            import_module(f"dashboards.researcher.{self.module}").show()

        return show_page


PAGES: tuple[ResearcherPage, ...] = (
    ResearcherPage("overview", "Overview", Permission.SEE_PROGRESS, "overview_page"),
    ResearcherPage("participants", "Participants", Permission.SEE_PROGRESS, "participants_page"),
    ResearcherPage("sessions", "Sessions", Permission.SEE_FELT, "session_page"),
    ResearcherPage("quality", "Data quality", Permission.SEE_PROGRESS, "quality_page"),
    ResearcherPage("protocol", "Protocol", Permission.SEE_PROGRESS, "protocol_page"),
    ResearcherPage("results", "Results", Permission.SEE_RESULTS, "results_page"),
    ResearcherPage("exports", "Exports", Permission.EXPORT, "exports_page"),
    ResearcherPage("editor", "Protocol editor", Permission.EDIT_PROTOCOL, "editor_page"),
    ResearcherPage("unblinding", "Unblinding", Permission.SEE_UNBLINDINGS, "unblinding_page"),
    ResearcherPage("accounts", "Accounts", Permission.MANAGE_STAFF, "accounts_page"),
    ResearcherPage("freeze", "Freeze and unblind", Permission.FREEZE, "freeze_page"),
)
