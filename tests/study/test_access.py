"""Who may come in: accounts, sessions, roles, links, and a record that is frozen."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError

from study.access.accounts import Accounts, LogIn
from study.access.arms_seen import note_arms_seen
from study.access.attempts import NOBODY, account_wait_s
from study.access.links import issue_link, participant_of, revoke_links, token_sha256
from study.access.passwords import check_password_strength
from study.access.roles import Permission, may
from study.access.staffing import add_staff, change_role, remove_staff, set_password
from study.canonical import canonical_sha256
from study.cohort import SimulatedClock
from study.conduct import enrol, give_consent, report_adverse_event
from study.errors import ConductError, OutOfRange, UnknownName
from study.events import (
    AdverseEventReported,
    ArmsSeen,
    ArmsUnblinded,
    RecordedEvent,
    Role,
    StaffAdded,
    StaffPasswordReset,
    StaffRemoved,
    StaffRoleChanged,
)
from study.founding import Study, open_study
from study.freeze import freeze, is_frozen, is_unblinded, unblind
from study.record import Record

PASSWORD = "four unrelated words here"
STRATUM = {"site": "north", "baseline_arousal": "high"}
HOME = "192.0.2.1"


class CountingHasher:
    """Argon2id, quick; counts how often it is computed: what is no hash costs it nothing."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.computed = 0

    def hash(self, password: str, /) -> str:
        self.computed += 1
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str, /) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except InvalidHashError:
            self.computed -= 1
            raise
        finally:
            self.computed += 1


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def accounts(study: Study, hasher: CountingHasher) -> Accounts:
    made = Accounts(study.folder.root / "access.sqlite", study.record, hasher)
    add_staff(study, made, "test", "anna", Role.ADMIN, PASSWORD)
    add_staff(study, made, "test", "cora", Role.COORDINATOR, PASSWORD)
    return made


def try_in(study: Study, accounts: Accounts, who: str, password: str, address: str = HOME) -> LogIn:
    return accounts.log_in(who, password, address, study.record.clock())


def session_of(study: Study, accounts: Accounts, who: str) -> str:
    token = try_in(study, accounts, who, PASSWORD).token
    assert token is not None
    return token


def is_open(study: Study, accounts: Accounts, token: str) -> bool:
    return accounts.staff_of_session(token, study.record.clock()) is not None


@pytest.mark.requirement("21 CFR 11.10(d)")
def test_the_right_password_opens_a_session_that_knows_the_role(study: Study, accounts: Accounts) -> None:
    token = session_of(study, accounts, " Cora ")

    staff = accounts.staff_of_session(token, study.record.clock())

    assert staff is not None
    assert (staff.staff_id, staff.role, staff.actor) == ("cora", Role.COORDINATOR, "coordinator:cora")


def test_neither_passwords_nor_tokens_are_in_any_file(study: Study, accounts: Accounts) -> None:
    token = session_of(study, accounts, "anna")

    for path in study.folder.root.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert PASSWORD.encode() not in held, path
            assert token.encode() not in held, path
    assert len(token) >= 43, "256 bits"
    assert stat.S_IMODE((study.folder.root / "access.sqlite").stat().st_mode) == 0o600


def test_hashes_are_argon2id_with_the_librarys_defaults(study: Study) -> None:
    accounts = Accounts(study.folder.root / "access.sqlite", study.record)

    add_staff(study, accounts, "test", "anna", Role.ADMIN, PASSWORD)

    with sqlite3.connect(study.folder.root / "access.sqlite") as connection:
        (kept,) = connection.execute("SELECT password_hash FROM credential").fetchone()
    connection.close()
    defaults = PasswordHasher()
    assert kept.startswith(
        f"$argon2id$v=19$m={defaults.memory_cost},t={defaults.time_cost},p={defaults.parallelism}$"
    )


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short word", "fewer than 12"),
        ("x" * 257, "more than 256"),
        ("password2026", "tried first"),
        ("PasswordPassword", "tried first"),
        ("!!qwertyuiop!!", "tried first"),
        ("123456789012", "only digits and signs, a row or a repetition"),
        ("abcdefghijklm", "a row"),
        ("aaaaaaaaaaaaab", "a row or a repetition"),
        ("cora likes tea", "own name"),
        ("the CORA house", "own name"),
    ],
)
def test_a_password_that_would_be_tried_first_is_refused(password: str, problem: str) -> None:
    with pytest.raises(OutOfRange, match=problem):
        check_password_strength(password, "cora")


def test_four_plain_words_are_a_good_password() -> None:
    check_password_strength("tables quietly borrow rain", "cora")


@pytest.mark.requirement("21 CFR 11.300(d)")
def test_five_wrong_passwords_make_an_account_wait_and_each_further_one_twice_as_long(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    waits = []
    for _ in range(12):
        for address in range(3):
            refused = try_in(study, accounts, "anna", "wrong", f"192.0.2.{address}")
            assert refused.token is None
            if refused.wait_s > 0:
                waits.append(round(refused.wait_s))
                assert try_in(study, accounts, "anna", PASSWORD).token is None, "not even the right one"
                clock.advance(refused.wait_s + 1)
                break

    assert waits[:6] == [30, 60, 120, 240, 480, 900]
    assert try_in(study, accounts, "cora", PASSWORD).token is not None, "others do not wait"


def test_whoever_waited_and_knows_the_password_is_let_in_and_counted_anew(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    for _ in range(6):
        last = try_in(study, accounts, "anna", "wrong")
    clock.advance(last.wait_s + 1)

    assert try_in(study, accounts, "anna", PASSWORD).token is not None
    assert [try_in(study, accounts, "anna", "wrong").wait_s for _ in range(5)] == [0.0] * 5


@pytest.mark.parametrize(
    ("failures", "since_s", "wait_s"),
    [(4, 0, 0), (5, 0, 30), (5, 31, 0), (9, 0, 480), (10, 0, 900), (99, 10, 890)],
)
def test_the_wait_follows_from_how_often_and_when(failures: int, since_s: float, wait_s: float) -> None:
    assert account_wait_s(failures, since_s) == wait_s


def test_an_unknown_name_costs_the_same_work_waits_the_same_and_hears_the_same(
    study: Study, accounts: Accounts, hasher: CountingHasher
) -> None:
    def story(who: str, address: str) -> list[tuple[str | None, int, int]]:
        told = []
        for _ in range(8):
            before = hasher.computed
            came = try_in(study, accounts, who, "wrong", address)
            told.append((came.token, round(came.wait_s), hasher.computed - before))
        return told

    known, unknown = story("anna", "192.0.2.7"), story("nobody", "192.0.2.8")

    assert known == unknown
    assert [work for _, _, work in known] == [1, 1, 1, 1, 1, 0, 0, 0]


def test_the_first_stranger_ever_costs_no_more_than_the_second(study: Study) -> None:
    hasher = CountingHasher()
    accounts = Accounts(study.folder.root / "access.sqlite", study.record, hasher)
    before = hasher.computed

    try_in(study, accounts, "nobody", "wrong")

    assert hasher.computed - before == 1


def test_one_address_has_twenty_attempts_a_minute_whatever_the_accounts(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    came = [try_in(study, accounts, f"guess-{i}", "wrong") for i in range(25)]

    assert [one.wait_s > 0 for one in came] == [False] * 20 + [True] * 5
    assert try_in(study, accounts, "anna", PASSWORD).token is None
    assert try_in(study, accounts, "anna", PASSWORD, "198.51.100.9").token is not None
    clock.advance(61)
    assert try_in(study, accounts, "cora", PASSWORD).token is not None


def test_thirty_attempts_at_once_get_no_further_than_five(
    study: Study, accounts: Accounts, hasher: CountingHasher
) -> None:
    before = hasher.computed
    now = study.record.clock()
    threads = [
        threading.Thread(target=accounts.log_in, args=("anna", f"guess {i}", f"192.0.2.{i}", now))
        for i in range(30)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert hasher.computed - before == 5


def test_attempts_are_kept_and_what_was_typed_as_an_unknown_name_is_not(
    study: Study, accounts: Accounts
) -> None:
    try_in(study, accounts, "my secret password", "anna")
    try_in(study, accounts, "anna", "wrong")
    try_in(study, accounts, "anna", PASSWORD)

    made = [(tried.staff_id, tried.address, tried.outcome) for tried in accounts.attempts.made()]

    assert made == [(NOBODY, HOME, "refused"), ("anna", HOME, "refused"), ("anna", HOME, "accepted")]
    assert b"my secret password" not in (study.folder.root / "access.sqlite").read_bytes()


def test_a_session_ends_after_half_an_hour_unused_and_twelve_hours_in_all(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    idle, used, watched = (session_of(study, accounts, "anna") for _ in range(3))

    clock.advance(29 * 60)
    assert is_open(study, accounts, used)
    assert accounts.staff_of_session(watched, study.record.clock(), is_use=False) is not None
    clock.advance(2 * 60)
    assert not is_open(study, accounts, idle)
    assert not is_open(study, accounts, watched), "a page left open does not keep it alive"
    assert is_open(study, accounts, used)
    for _ in range(11 * 60 + 28):
        clock.advance(60)
        assert is_open(study, accounts, used)
    clock.advance(60)
    assert not is_open(study, accounts, used), "after twelve hours, however it was used"


@pytest.mark.parametrize(
    "ending",
    [
        lambda _, accounts, token: accounts.end_session(token),
        lambda study, *_: change_role(study, "test", "cora", Role.STATISTICIAN),
        lambda study, accounts, _: remove_staff(study, accounts, "test", "cora"),
        lambda study, accounts, _: set_password(study, accounts, "test", "cora", "other words go here"),
    ],
    ids=["log-out", "role", "removal", "password"],
)
@pytest.mark.requirement("21 CFR 11.300(c)")
def test_a_session_ends_at_once_with(
    ending: Callable[[Study, Accounts, str], object], study: Study, accounts: Accounts
) -> None:
    token, other = session_of(study, accounts, "cora"), session_of(study, accounts, "anna")

    ending(study, accounts, token)

    assert not is_open(study, accounts, token)
    assert is_open(study, accounts, other)


def test_a_session_does_not_come_back_when_the_role_does(study: Study, accounts: Accounts) -> None:
    token = session_of(study, accounts, "cora")

    change_role(study, "test", "cora", Role.STATISTICIAN)
    change_role(study, "test", "cora", Role.COORDINATOR)

    assert not is_open(study, accounts, token)


def test_a_removed_account_cannot_log_in_and_may_be_made_again(study: Study, accounts: Accounts) -> None:
    remove_staff(study, accounts, "test", "cora")

    assert try_in(study, accounts, "cora", PASSWORD).token is None
    add_staff(study, accounts, "test", "cora", Role.STATISTICIAN, "other words go here")
    assert try_in(study, accounts, "cora", PASSWORD).token is None
    assert try_in(study, accounts, "cora", "other words go here").token is not None


def test_a_hash_without_a_row_of_the_record_opens_nothing(study: Study, accounts: Accounts) -> None:
    accounts.keep("mallory", accounts.hashed("mallory", PASSWORD), study.record.clock())

    assert try_in(study, accounts, "mallory", PASSWORD).token is None


@pytest.mark.requirement("ALCOA+ attributable", "21 CFR 11.10(e)", "ICH E6(R3) 4.2.2(a)")
def test_everything_about_accounts_is_an_event_with_who_did_it(study: Study, accounts: Accounts) -> None:
    change_role(study, "admin:anna", "cora", Role.STATISTICIAN)
    set_password(study, accounts, "admin:anna", "cora", "other words go here")
    remove_staff(study, accounts, "admin:anna", "cora")

    told = [(r.actor, r.event) for r in study.record.events()[1:]]

    assert told == [
        ("test", StaffAdded("anna", Role.ADMIN)),
        ("test", StaffAdded("cora", Role.COORDINATOR)),
        ("admin:anna", StaffRoleChanged("cora", Role.STATISTICIAN)),
        ("admin:anna", StaffPasswordReset("cora")),
        ("admin:anna", StaffRemoved("cora")),
    ]
    assert study.record.verify()


def test_the_last_admin_stays(study: Study, accounts: Accounts) -> None:
    with pytest.raises(ConductError, match="last admin"):
        change_role(study, "test", "anna", Role.COORDINATOR)
    with pytest.raises(ConductError, match="last admin"):
        remove_staff(study, accounts, "test", "anna")

    add_staff(study, accounts, "test", "ben", Role.ADMIN, PASSWORD)
    remove_staff(study, accounts, "test", "anna")

    assert list(accounts.staff()) == ["cora", "ben"]


@pytest.mark.requirement("21 CFR 11.300(a)")
def test_an_account_that_is_there_is_not_made_again_nor_its_password_changed(
    study: Study, accounts: Accounts
) -> None:
    with pytest.raises(ConductError, match="has an account"):
        add_staff(study, accounts, "test", "ANNA", Role.COORDINATOR, "other words go here")

    assert session_of(study, accounts, "anna")


def test_whom_a_provider_vouches_for_has_no_password_and_comes_in_by_a_code_that_is_good_once(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    add_staff(study, accounts, "test", "Ben@Clinic.example", Role.STATISTICIAN, None)
    who = "ben@clinic.example"

    code, late = (accounts.issue_code(who, study.record.clock()) for _ in range(2))
    token = accounts.redeem_code(code, HOME, study.record.clock())

    assert token is not None
    assert is_open(study, accounts, token)
    assert accounts.redeem_code(code, HOME, study.record.clock()) is None
    clock.advance(61)
    assert accounts.redeem_code(late, HOME, study.record.clock()) is None
    assert try_in(study, accounts, who, "").token is None
    with pytest.raises(ConductError, match="logs in with a password"):
        accounts.issue_code("anna", study.record.clock())
    with pytest.raises(UnknownName):
        accounts.issue_code("mallory@clinic.example", study.record.clock())


@pytest.mark.requirement("21 CFR 11.10(g)", "ICH E6(R3) 4.1")
def test_a_coordinator_never_sees_arms_and_nobody_sees_results_by_arm_before_unblinding() -> None:
    for role, is_unblinded_now in product(Role, (False, True)):
        sees = {p for p in Permission if may(role, p, is_unblinded_now)}
        if role is Role.COORDINATOR:
            assert not sees & {Permission.SEE_ARMS, Permission.HEAR_SESSIONS, Permission.SEE_RESULTS}
        if not is_unblinded_now:
            assert not {Permission.SEE_ARMS, Permission.SEE_RESULTS} <= sees
            assert not {Permission.SEE_ARMS, Permission.EXPORT} <= sees
        assert (Permission.SEE_ARMS in sees) is (Permission.HEAR_SESSIONS in sees)
        if role is not Role.ADMIN:
            assert not sees & {Permission.MANAGE_STAFF, Permission.FREEZE, Permission.UNBLIND}


@pytest.mark.parametrize("role", [Role.STATISTICIAN, Role.ADMIN])
def test_statistician_and_admin_see_arms_only_once_unblinded(role: Role) -> None:
    assert not may(role, Permission.SEE_ARMS, is_unblinded=False)
    assert may(role, Permission.SEE_ARMS, is_unblinded=True)


@pytest.mark.requirement("ICH E6(R3) 4.1.4")
def test_looking_at_an_arm_is_recorded_once_an_hour(
    study: Study, accounts: Accounts, clock: SimulatedClock
) -> None:
    add_staff(study, accounts, "test", "una", Role.UNBLINDED, PASSWORD)
    una = accounts.staff_of_session(session_of(study, accounts, "una"), study.record.clock())
    assert una is not None
    person = enrol(study, "test", STRATUM)

    for _ in range(3):
        note_arms_seen(study, una, person, "ses-01", "sound")
    note_arms_seen(study, una, person, "ses-02", "sound")
    clock.advance(3601)
    note_arms_seen(study, una, person, "ses-01", "sound")

    seen = [
        (r.actor, r.session_id) for r in study.record.participant(person) if isinstance(r.event, ArmsSeen)
    ]
    assert seen == [("unblinded:una", "ses-01"), ("unblinded:una", "ses-02"), ("unblinded:una", "ses-01")]


@pytest.mark.requirement("21 CFR 11.300(c)")
def test_a_link_opens_for_its_person_until_it_expires_or_is_revoked(
    study: Study, clock: SimulatedClock
) -> None:
    one, other = enrol(study, "test", STRATUM), enrol(study, "test", STRATUM)
    lasting, short = issue_link(study, "test", one), issue_link(study, "test", one, timedelta(days=1))
    others = issue_link(study, "test", other)

    assert [participant_of(study, token) for token in (lasting, short, others)] == [one, one, other]
    assert participant_of(study, token_sha256(lasting)) is None
    clock.advance(25 * 3600)
    assert [participant_of(study, token) for token in (lasting, short)] == [one, None]
    assert revoke_links(study, "test", one, "lost phone") == 1
    assert [participant_of(study, token) for token in (lasting, others)] == [None, other]


def test_a_link_made_or_revoked_by_another_process_is_known_at_once(study: Study) -> None:
    elsewhere = open_study(study.folder.root, study.record.clock)
    person = enrol(study, "test", STRATUM)
    assert participant_of(study, "0" * 32) is None

    token = issue_link(elsewhere, "test", person)
    assert participant_of(study, token) == person
    revoke_links(elsewhere, "test", person, "a test")

    assert participant_of(study, token) is None


def test_looking_a_link_up_does_not_read_everybodys(study: Study) -> None:
    people = [enrol(study, "test", STRATUM) for _ in range(30)]
    tokens = [issue_link(study, "test", person) for person in people]
    participant_of(study, tokens[0])

    with rows_read(study) as read:
        assert participant_of(study, tokens[17]) == people[17]
        assert participant_of(study, "f" * 32) is None

    assert sum(read) == 0


@contextmanager
def rows_read(study: Study) -> Iterator[list[int]]:
    """How many rows each query gave, as the record itself is asked."""
    read: list[int] = []
    events = Record.events

    def counted(record: Record, *arguments: Any, **named: Any) -> list[RecordedEvent]:
        found = events(record, *arguments, **named)
        read.append(len(found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Record, "events", counted)
        yield read


@pytest.mark.requirement("21 CFR 11.10(f)", "ICH E6(R3) 4.2.6")
def test_a_frozen_record_takes_no_participants_data_and_says_what_to_do(study: Study) -> None:
    person = enrol(study, "test", STRATUM)
    issue_link(study, "test", person)
    head = study.record.head()

    frozen = freeze(study, "admin:anna", " last visit done ")

    assert (frozen.head_sha256, frozen.reason) == (head.sha256, "last visit done")
    harm = AdverseEventReported("emotional", "mild", "possible", "tears")
    refused: list[Callable[[], object]] = [
        lambda: give_consent(study, "test", person, "en"),
        lambda: report_adverse_event(study, "test", person, harm),
        lambda: enrol(study, "test", STRATUM),
        lambda: issue_link(study, "test", person),
    ]
    for act in refused:
        with pytest.raises(ConductError, match="frozen: no participant's data are taken any more; write"):
            act()
    assert study.record.head().sequence == head.sequence + 1
    assert study.record.verify()


def test_a_frozen_record_still_takes_who_came_and_went_and_who_looked(
    study: Study, accounts: Accounts
) -> None:
    person = enrol(study, "test", STRATUM)
    token = issue_link(study, "test", person)
    add_staff(study, accounts, "test", "una", Role.UNBLINDED, PASSWORD)
    una = accounts.staff_of_session(session_of(study, accounts, "una"), study.record.clock())
    assert una is not None
    freeze(study, "admin:anna", "last visit done")

    revoke_links(study, "test", person, "the study is over")
    note_arms_seen(study, una, person, None, "planned path")
    change_role(study, "test", "cora", Role.STATISTICIAN)

    assert participant_of(study, token) is None
    assert study.record.verify()


def test_the_freeze_holds_the_hash_of_the_analysis_block_of_the_protocol_file(study: Study) -> None:
    block = json.loads(study.folder.protocol.read_text())["analysis"]

    assert freeze(study, "admin:anna", "done").analysis_sha256 == canonical_sha256(block)


@pytest.mark.requirement("ICH E9 5.8")
def test_unblinding_comes_after_freezing_once_and_with_a_reason(study: Study) -> None:
    with pytest.raises(ConductError, match="not frozen"):
        unblind(study, "admin:anna", "too early")
    with pytest.raises(OutOfRange, match="reason"):
        freeze(study, "admin:anna", "  ")
    assert not is_frozen(study.record)

    freeze(study, "admin:anna", "done")
    assert not is_unblinded(study.record)
    unblind(study, "admin:anna", "plan signed")

    assert is_unblinded(study.record)
    with pytest.raises(ConductError, match="unblinded already"):
        unblind(study, "admin:anna", "again")
    with pytest.raises(ConductError, match="frozen already"):
        freeze(study, "admin:anna", "again")
    assert [r.actor for r in study.record.events(kinds=[ArmsUnblinded])] == ["admin:anna"]
