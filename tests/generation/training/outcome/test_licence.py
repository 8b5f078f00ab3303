"""A non-commercial base stays non-commercial, whatever a recipe says."""

from __future__ import annotations

import pytest

from generation.training.outcome.licence import is_non_commercial, licence_of
from study.errors import OutOfRange


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC-BY-NC-4.0", True),
        ("cc-by-nc-sa-4.0", True),
        ("CC BY-NC-ND 3.0", True),
        ("free for non-commercial use", True),
        ("apache-2.0", False),
        ("CC-BY-4.0", False),
        ("CC-BY-SA-4.0", False),
        ("ncsa", False),
        ("not stated", False),
    ],
)
def test_a_licence_is_non_commercial_by_its_name(licence: str, expected: bool) -> None:
    assert is_non_commercial(licence) is expected


def test_what_a_recipe_leaves_open_takes_a_non_commercial_base_s_licence() -> None:
    assert licence_of("not stated", "facebook/musicgen-small", "CC-BY-NC-4.0") == "CC-BY-NC-4.0"
    assert licence_of("not stated", "mine", "apache-2.0") == "not stated"


def test_a_permissive_licence_on_a_non_commercial_base_is_refused_with_both() -> None:
    with pytest.raises(OutOfRange) as refusal:
        licence_of("apache-2.0", "facebook/musicgen-small", "CC-BY-NC-4.0")

    assert '"apache-2.0" would allow commercial use' in str(refusal.value)
    assert "the base facebook/musicgen-small is CC-BY-NC-4.0" in str(refusal.value)


def test_a_stated_licence_that_allows_no_more_than_the_base_is_kept() -> None:
    assert licence_of("cc-by-nc-sa-4.0", "base", "CC-BY-NC-4.0") == "cc-by-nc-sa-4.0"
    assert licence_of("cc-by-4.0", "base", "apache-2.0") == "cc-by-4.0"
