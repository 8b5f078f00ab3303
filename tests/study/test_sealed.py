"""What is sealed is read by its passphrase alone, and cannot be changed unseen."""

from __future__ import annotations

import json

import pytest

from study.errors import OutOfRange, WrongPassphrase
from study.sealed import seal, unseal

WORDS = "gravel lantern orchid seven"


def test_the_passphrase_opens_what_it_sealed() -> None:
    assert unseal(seal(b"the seed", WORDS, "seed"), WORDS, "seed", "a.seed") == b"the seed"


def test_nothing_of_the_content_or_the_passphrase_stands_in_the_file() -> None:
    sealed = seal(b"the seed itself", WORDS, "seed")

    assert b"the seed itself" not in sealed
    assert WORDS.encode() not in sealed
    assert sealed != seal(b"the seed itself", WORDS, "seed")


@pytest.mark.parametrize("said", ["gravel lantern orchid eight", "", WORDS + " "])
def test_another_passphrase_is_refused_with_the_file_named(said: str) -> None:
    with pytest.raises(WrongPassphrase, match=r"a\.seed: is not opened"):
        unseal(seal(b"x", WORDS, "seed"), said, "seed", "a.seed")


def test_a_sealed_file_of_one_kind_does_not_stand_in_for_another() -> None:
    sealed = seal(b"x", WORDS, "key file")
    with pytest.raises(WrongPassphrase, match="of another kind"):
        unseal(sealed, WORDS, "seed", "a.seed")

    renamed = json.dumps({**json.loads(sealed), "purpose": "seed"}).encode()
    with pytest.raises(WrongPassphrase, match="or was changed"):
        unseal(renamed, WORDS, "seed", "a.seed")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole | {"sealed": "AAAA" + whole["sealed"][4:]},
        lambda whole: whole | {"nonce": "00" * 12},
        lambda whole: whole | {"nonce": "zz"},
        lambda whole: whole | {"kdf": whole["kdf"] | {"memory_kib": 1 << 40}},
        lambda whole: whole | {"kdf": whole["kdf"] | {"passes": 1}},
        lambda whole: whole | {"kdf": 3},
        lambda whole: {"format": whole["format"]},
        lambda whole: [whole],
    ],
)
def test_a_changed_file_is_refused(damage: object) -> None:
    assert callable(damage)
    changed = json.dumps(damage(json.loads(seal(b"x" * 40, WORDS, "seed")))).encode()

    with pytest.raises(WrongPassphrase):
        unseal(changed, WORDS, "seed", "a.seed")


def test_a_short_passphrase_seals_nothing() -> None:
    with pytest.raises(OutOfRange, match="fewer than 12"):
        seal(b"x", "elevenchars", "seed")
