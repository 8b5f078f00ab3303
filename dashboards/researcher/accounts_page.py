"""Accounts: who may log in, and as what. Every change is an event of the record, with who made it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.gate import require_staff
from dashboards.server.serving import current
from dashboards.server.single_sign_on import is_offered
from study.access import staffing
from study.access.accounts import Accounts, Staff
from study.access.passwords import LEAST_CHARACTERS
from study.access.roles import Permission
from study.errors import IsopathError, OutOfRange
from study.events import Role

_ROLES = {
    Role.COORDINATOR: "Coordinator: enrols, links, harm, felt reports; never an arm",
    Role.STATISTICIAN: "Statistician: pooled results and exports; arms after unblinding",
    Role.ADMIN: "Admin: accounts, freezing, unblinding; arms after unblinding",
    Role.UNBLINDED: "Unblinded: arms and sound from the first day; every viewing is recorded",
}
_SHOWN_ATTEMPTS = 30


def show() -> None:
    """Draw the page."""
    staff = require_staff(Permission.MANAGE_STAFF)
    accounts = current().accounts
    markup.show_style()
    markup.show(
        markup.heading("Accounts", "Each person has an account of their own. Nobody shares a password.")
    )
    if accounts is None:
        markup.show(markup.notice("Nobody can log in to this server.", "bad"))
        return
    said = st.session_state.pop("accounts_said", None)
    if said is not None:
        markup.show(markup.notice(said[1], said[0]))
    _table(accounts)
    _add(staff, accounts)
    _change(staff, accounts)
    _attempts(accounts)


def _table(accounts: Accounts) -> None:
    rows = [
        (who, str(now.role), "institution" if accounts.is_vouched_for(who) else "password")
        for who, now in accounts.staff().items()
    ]
    markup.show(markup.table("Who may log in", ("Name", "Role", "Logs in with"), rows))


def _add(staff: Staff, accounts: Accounts) -> None:
    offers_institution = is_offered(current().study)
    with st.form("add_account", clear_on_submit=True):
        st.subheader("Add an account")
        who = st.text_input("Name", max_chars=64, help="Small letters, digits and . _ + @ -")
        role = st.selectbox("Role", list(_ROLES), format_func=_ROLES.__getitem__)
        is_vouched = offers_institution and st.checkbox("Logs in with their institution (name is the e-mail)")
        password = _two_fields("add")
        if st.form_submit_button("Add account"):
            _do(
                lambda: staffing.add_staff(
                    current().study,
                    accounts,
                    staff.actor,
                    who,
                    role,
                    None if is_vouched else _same(password),
                ),
                f"{who.strip().lower()} may log in as {role}.",
            )


def _change(staff: Staff, accounts: Accounts) -> None:
    study = current().study
    everybody = list(accounts.staff())
    with st.form("change_role"):
        st.subheader("Change a role")
        who = st.selectbox("Whose role", everybody)
        role = st.selectbox("New role", list(_ROLES), format_func=_ROLES.__getitem__)
        if st.form_submit_button("Change role"):
            _do(lambda: staffing.change_role(study, staff.actor, who, role), f"{who} is {role} now.")
    with st.form("reset_password", clear_on_submit=True):
        st.subheader("Set a new password")
        with_password = [name for name in everybody if not accounts.is_vouched_for(name)]
        who = st.selectbox("Whose password", with_password)
        password = _two_fields("reset")
        if st.form_submit_button("Set password") and who is not None:
            _do(
                lambda: staffing.set_password(study, accounts, staff.actor, who, _same(password)),
                f"{who} has a new password, and is logged out everywhere.",
            )
    with st.form("remove_account", clear_on_submit=True):
        st.subheader("Remove an account")
        who = st.selectbox("Whose account", everybody)
        is_sure = st.checkbox("What they did stays in the record; they cannot log in any more")
        if st.form_submit_button("Remove account"):
            if is_sure:
                _do(
                    lambda: staffing.remove_staff(study, accounts, staff.actor, who),
                    f"{who} may not log in any more.",
                )
            else:
                markup.show(markup.notice("Tick the box to say that you mean it.", "look"))


def _attempts(accounts: Accounts) -> None:
    rows = [
        (
            f"{datetime.fromtimestamp(tried.at, UTC):%Y-%m-%d %H:%M:%S} UTC",
            tried.staff_id,
            tried.address,
            _OUTCOMES[tried.outcome],
        )
        for tried in reversed(accounts.attempts.made()[-_SHOWN_ATTEMPTS:])
    ]
    markup.show(
        markup.table(
            "Latest attempts to log in", ("When", "Name", "From", "What came of it"), rows, "None yet."
        )
    )


_OUTCOMES = {"accepted": "logged in", "refused": "refused", "too_soon": "refused: too many attempts"}


def _two_fields(of: str) -> tuple[str, str]:
    first = st.text_input(
        f"Password, at least {LEAST_CHARACTERS} characters",
        type="password",
        key=f"{of}_password",
        autocomplete="new-password",
    )
    again = st.text_input(
        "The password once more", type="password", key=f"{of}_again", autocomplete="new-password"
    )
    return first, again


def _same(typed: tuple[str, str]) -> str:
    first, again = typed
    if first != again:
        raise OutOfRange("password", "was not typed twice the same", "type it again")
    return first


def _do(change: Callable[[], object], said: str) -> None:
    try:
        change()
    except IsopathError as refusal:
        markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}", "bad", f"{refusal.where}:"))
        return
    st.session_state["accounts_said"] = ("good", said)
    st.rerun()
