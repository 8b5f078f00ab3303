"""What a schema cannot say of a protocol: whether its parts fit each other."""

from __future__ import annotations
from collections.abc import Iterator
from pathlib import Path
from study.protocol_draft import Part
from study.protocol_text import Finding


def check_meaning(draft: Part) -> Iterator[Finding]:
    """Everything that is wrong between the readable parts of a draft."""
    yield from ()


def check_files(draft: Part, folder: Path) -> Iterator[Finding]:
    """Sound files that do not lie where the protocol says."""
    yield from ()
