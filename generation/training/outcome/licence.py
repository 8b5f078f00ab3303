"""What an adapter may be licensed as, by what it was trained on top of."""

from __future__ import annotations

import re

from study.errors import OutOfRange
from study.protocol_file.text import shown

NOT_STATED = "not stated"

_NON_COMMERCIAL = re.compile(r"(?<![a-z])nc(?![a-z])|non-?commercial", re.IGNORECASE)


def is_non_commercial(licence: str) -> bool:
    """Whether a licence, by its name, forbids commercial use: ``CC-BY-NC-4.0`` does."""
    return _NON_COMMERCIAL.search(licence) is not None


def licence_of(stated: str, base: str, base_licence: str) -> str:
    """The licence of what is made.

    Args:
        stated: by the recipe; "not stated" takes a non-commercial base's own.
        base: name of the base model.
        base_licence: as its README or the catalogue states it.

    Raises:
        OutOfRange: the base is non-commercial, and the stated licence is not.
    """
    if not is_non_commercial(base_licence):
        return stated
    if stated == NOT_STATED:
        return base_licence
    if not is_non_commercial(stated):
        raise OutOfRange(
            "recipe::$.licence",
            f"{shown(stated)} would allow commercial use, and the base {base} is {base_licence}",
            f'write "{base_licence}", or another licence for non-commercial use',
        )
    return stated
