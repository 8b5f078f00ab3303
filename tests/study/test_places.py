"""The places of a study: sealed or drawn, given once, and worked out again from the record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from study.allocation.permuted_blocks import block_of
from study.allocation_seed import SeedForm
from study.cohort import SimulatedClock
from study.conduct import enrol
from study.errors import ConductError, OutOfRange, RecordBroken, RecordMismatch, StorageError, WrongPassphrase
from study.event_codec import decode, encode
from study.events import History, ParticipantAllocated, RehearsalStarted, StudyInitialised
from study.founding import Study, initialise_study, open_study
from study.places import allocate, check_places
from study.record import Draft, Reader
from study.rehearsal import begin_rehearsal
from tests.study.conftest import ONE_SESSION
from tests.study.walking import ACTOR, allocated, answer, due, eligible, pre_report

PASSPHRASE = "four words that differ"
STRATA = [{"site": s, "baseline_arousal": a} for s, a in product(("north", "south"), ("low", "high"))]

METHODS: Mapping[str, dict[str, Any]] = {
    "permuted_blocks": {"block_sizes": [4, 6]},
    "minimisation": {"probability": 0.8, "factor_weights": {"site": 2}},
    "simple": {},
    "biased_coin": {},
}

Made = Callable[..., Study]


@pytest.fixture
def made(tmp_path: Path, clock: SimulatedClock) -> Made:
    """A study of a method, whose seed is kept in some form."""

    def make(method: str = "permuted_blocks", form: SeedForm = SeedForm.SEED) -> Study:
        protocol = json.loads(ONE_SESSION.read_bytes())
        del protocol["allocation"]["block_sizes"]
        protocol["allocation"] |= {"method": method, **METHODS[method]}
        file = tmp_path / f"{method}.json"
        file.write_text(json.dumps(protocol))
        passphrase = PASSPHRASE if form is SeedForm.SEALED_SEED else None
        return initialise_study(
            tmp_path / f"{method}-{form}", file, ACTOR, "isopath test", clock, form, passphrase
        )

    return make


def give_place(study: Study, stratum: Mapping[str, str]) -> str:
    """Enrol somebody and give them the next place at once."""
    participant_id = enrol(study, ACTOR, stratum)

    def decide(reader: Reader, history: History) -> list[Draft]:
        return [Draft(allocate(study, reader, history), participant_id)]

    study.act(ACTOR, participant_id, decide)
    return participant_id


def places(study: Study) -> list[ParticipantAllocated]:
    found = [r.event for r in study.record.events(kinds=[ParticipantAllocated])]
    return [event for event in found if isinstance(event, ParticipantAllocated)]


@pytest.mark.parametrize("form", [SeedForm.SEED, SeedForm.DRAWN])
@pytest.mark.parametrize("method", METHODS)
def test_every_place_of_every_method_is_found_again(made: Made, method: str, form: SeedForm) -> None:
    study = made(method, form)

    for stratum in STRATA * 4:
        give_place(study, stratum)

    checked = check_places(study)
    assert (checked.places, checked.unknown) == (16, 0)
    assert {place.method for place in places(study)} == {method}
    assert {place.group_id for place in places(study)} == {"iso", "target_only"}
    assert all((place.drawn is not None) == (form is SeedForm.DRAWN) for place in places(study))


@pytest.mark.requirement("ALCOA+ original", "ICH E6(R3) 4(c)")
def test_a_sealed_seed_allocates_nobody_without_its_passphrase(made: Made) -> None:
    study = made(form=SeedForm.SEALED_SEED)
    participant_id = eligible(study)
    while due(study, participant_id) != pre_report():
        answer(study, participant_id)
    rows = study.record.head().sequence

    with pytest.raises(ConductError, match="is sealed, and the next step needs it"):
        answer(study, participant_id)
    with pytest.raises(WrongPassphrase, match="is not opened by this passphrase"):
        study.unsealed("another passphrase")

    assert study.needs_passphrase()
    assert study.record.head().sequence == rows
    answer(study.unsealed(PASSPHRASE), participant_id)
    assert len(places(study)) == 1


def test_a_sealed_seed_stands_nowhere_in_the_study_folder(made: Made) -> None:
    study = made(form=SeedForm.SEALED_SEED)
    opened = study.unsealed(PASSPHRASE)
    give_place(opened, STRATA[0])
    seed = opened.opened_seed

    assert seed is not None
    assert not study.folder.allocation_seed.exists()
    assert study.folder.sealed_allocation_seed.stat().st_mode & 0o777 == 0o600
    for file in (path for path in study.folder.root.rglob("*") if path.is_file()):
        assert seed not in file.read_bytes()
        assert seed.hex().encode() not in file.read_bytes()
    assert repr(seed) not in repr(opened)
    assert repr(seed) not in repr(opened.allocation_source())


def test_another_sealed_seed_under_the_same_passphrase_is_refused(
    made: Made, tmp_path: Path, clock: SimulatedClock
) -> None:
    study = made(form=SeedForm.SEALED_SEED)
    other = initialise_study(
        tmp_path / "other", ONE_SESSION, ACTOR, "isopath test", clock, SeedForm.SEALED_SEED, PASSPHRASE
    )
    study.folder.sealed_allocation_seed.write_bytes(other.folder.sealed_allocation_seed.read_bytes())

    with pytest.raises(RecordMismatch, match="is not the seed this study was begun with"):
        study.unsealed(PASSPHRASE)


def test_a_passphrase_too_short_to_seal_leaves_no_study_behind(tmp_path: Path) -> None:
    with pytest.raises(OutOfRange, match="fewer than 12 characters"):
        initialise_study(
            tmp_path / "s",
            ONE_SESSION,
            ACTOR,
            "isopath test",
            seed_form=SeedForm.SEALED_SEED,
            passphrase="short",
        )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("ALCOA+ complete")
def test_drawn_on_the_fly_there_is_no_seed_and_each_place_says_what_decided_it(made: Made) -> None:
    study = made(form=SeedForm.DRAWN)
    for _ in range(6):
        allocated(study)

    begun = study.record.events(kinds=[StudyInitialised])[0].event

    assert isinstance(begun, StudyInitialised)
    assert (begun.allocation_source, begun.allocation_seed_sha256) == ("drawn", "")
    assert not study.folder.allocation_seed.exists()
    assert not study.folder.sealed_allocation_seed.exists()
    drawn = [place.drawn for place in places(study)]
    assert len(set(drawn)) == 6
    assert all(one is not None and len(bytes.fromhex(one)) == 32 for one in drawn)
    assert check_places(study).places == 6


def test_a_record_of_before_methods_were_noted_is_read_as_permuted_blocks(study: Study) -> None:
    allocated(study)
    (place,) = places(study)
    row = study.record.events(kinds=[ParticipantAllocated])[0]
    old = {
        name: value for name, value in encode(place).items() if name not in ("method", "probability", "drawn")
    }

    read = decode(row.kind, 1, old)

    assert read == replace(place, probability=None)
    assert isinstance(read, ParticipantAllocated)
    assert read.method == "permuted_blocks"


def forged(study: Study, change: Mapping[str, Any]) -> int:
    """Give the next place otherwise than it was drawn, in a chain that holds; the row."""
    participant_id = enrol(study, ACTOR, STRATA[0])
    rows = study.act(
        ACTOR,
        participant_id,
        lambda reader, history: [Draft(replace(allocate(study, reader, history), **change), participant_id)],
    )
    return rows[0].sequence


def other_group(study: Study) -> dict[str, Any]:
    """The group that the next place does not give."""
    participant_id = enrol(study, ACTOR, STRATA[0])
    seen: list[str] = []

    def look(reader: Reader, history: History) -> list[Draft]:
        seen.append(allocate(study, reader, history).group_id)
        return []

    study.act(ACTOR, participant_id, look)
    group = "target_only" if seen[0] == "iso" else "iso"
    return {"group_id": group, "arm_ids": (group,)}


@pytest.mark.requirement("ALCOA+ accurate", "21 CFR 11.10(a)")
@pytest.mark.parametrize("method", METHODS)
def test_a_place_that_the_seed_does_not_give_is_named_by_its_row_and_never_by_its_arm(
    made: Made, method: str
) -> None:
    study = made(method)
    for stratum in STRATA:
        give_place(study, stratum)
    row = forged(study, other_group(study))
    give_place(study, STRATA[0])

    study.record.verify()
    with pytest.raises(RecordBroken) as broken:
        check_places(study)

    assert broken.value.sequence == row
    assert f"row {row}" in str(broken.value)
    assert "iso" not in broken.value.problem
    assert "target_only" not in str(broken.value)


@pytest.mark.parametrize("method", METHODS)
def test_a_drawn_place_that_its_own_draw_does_not_give_is_found(made: Made, method: str) -> None:
    study = made(method, SeedForm.DRAWN)
    for stratum in STRATA:
        give_place(study, stratum)
    event = places(study)[0]
    swapped = "target_only" if event.group_id == "iso" else "iso"
    participant_id = enrol(study, ACTOR, STRATA[0])
    wrong = replace(event, group_id=swapped, arm_ids=(swapped,), position=event.position + 1)
    study.act(ACTOR, participant_id, lambda *_: [Draft(wrong, participant_id)])

    with pytest.raises(RecordBroken, match="is a place that the allocation does not give"):
        check_places(study)


@pytest.mark.parametrize(("block", "position"), [(0, 0), (0, 3), (5, 0)])
def test_a_place_given_twice_or_passed_over_is_found(made: Made, block: int, position: int) -> None:
    study = made()
    for _ in range(2):
        give_place(study, STRATA[0])
    seed = study.folder.allocation_seed.read_bytes()
    groups = block_of(study.protocol.allocation, seed, STRATA[0], block)
    group = groups[position]
    forged(study, {"group_id": group, "arm_ids": (group,), "block": block, "position": position})

    with pytest.raises(RecordBroken):
        check_places(study)


def test_no_place_is_given_again_when_its_row_was_erased(made: Made) -> None:
    study = made()
    for _ in range(3):
        give_place(study, STRATA[0])
    rows = study.record.events(kinds=[ParticipantAllocated])
    before = [(place.block, place.position) for place in places(study)]

    study.record.erase_payload(ACTOR, rows[-1].sequence, "consent withdrawn")
    give_place(study, STRATA[0])
    give_place(study, STRATA[1])

    after = [(place.block, place.position) for place in places(study)]
    assert before[-1] not in after
    assert after[:2] == before[:2]
    checked = check_places(study)
    assert (checked.places, checked.unknown) == (4, 1)


def test_after_an_erasure_minimisation_goes_on_and_says_what_it_cannot_check(made: Made) -> None:
    study = made("minimisation")
    for stratum in STRATA:
        give_place(study, stratum)
    rows = study.record.events(kinds=[ParticipantAllocated])

    study.record.erase_payload(ACTOR, rows[1].sequence, "consent withdrawn")
    give_place(study, STRATA[0])

    checked = check_places(study)
    assert (checked.places, checked.unknown) == (1, 4)
    assert [place.position for place in places(study)] == [0, 2, 3, 4]


def test_a_rehearsal_of_a_sealed_study_needs_no_passphrase_and_shows_nothing_of_its_list(made: Made) -> None:
    study = begin_rehearsal(made(form=SeedForm.SEALED_SEED), RehearsalStarted(1, 0.5, 0.5, 7, 5.0))
    again = open_study(study.folder.root)

    assert not again.needs_passphrase()
    assert again.allocation_source() != made("simple").allocation_source()


def test_a_seed_file_that_is_gone_is_named(made: Made) -> None:
    study = made()
    study.folder.allocation_seed.unlink()

    with pytest.raises(StorageError, match=r"allocation\.seed: cannot be read"):
        allocated(study)
