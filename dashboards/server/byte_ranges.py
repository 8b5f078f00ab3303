"""Conditional and partial requests for one file, as RFC 9110 says (sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"(\d*)-(\d*)")
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Selection:
    """What to answer.

    Args:
        status: 200, 206, 304, 412 or 416.
        start, end: of the bytes to send, `end` not included; both 0 where none are.
    """

    status: int
    start: int = 0
    end: int = 0


def select(method: str, headers: Mapping[str, str], size: int, etag: str) -> Selection:
    """The answer to a request for a file of `size` bytes.

    Args:
        headers: of the request, by lower-case name.
        etag: strong, with its quotes.
    """
    if "if-match" in headers and not _matches(headers["if-match"], etag, is_strong=True):
        return Selection(412)
    if "if-none-match" in headers and _matches(headers["if-none-match"], etag, is_strong=False):
        return Selection(304)
    # A range is defined for GET alone; a date in If-Range never matches, since we give none.
    asked = headers.get("range") if method == "GET" else None
    if asked is None or headers.get("if-range", etag) != etag:
        return Selection(200, 0, size)
    ranges = _parsed(asked)
    if ranges is None:
        return Selection(200, 0, size)
    wanted = [found for one in ranges if (found := _satisfied(one, size)) is not None]
    if not wanted:
        return Selection(416)
    if len(ranges) > 1:
        # A server may leave out what it is asked for in several parts, and give the whole.
        return Selection(200, 0, size)
    return Selection(206, *wanted[0])


def _matches(header: str, etag: str, is_strong: bool) -> bool:
    if header.strip() == "*":
        return True
    tags = _TAG.findall(header)
    return etag in (tags if is_strong else [tag.removeprefix("W/") for tag in tags])


def _parsed(header: str) -> list[tuple[int | None, int | None]] | None:
    """First and last byte of every range; a missing first is a suffix. None for what is to be ignored."""
    unit, _, text = header.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    ranges: list[tuple[int | None, int | None]] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None or max(map(len, found.groups())) > _MOST_DIGITS:
            return None
        first, last = (int(digits) if digits else None for digits in found.groups())
        if (first is None and last is None) or (first is not None and last is not None and last < first):
            return None
        ranges.append((first, last))
    return ranges


def _satisfied(asked: tuple[int | None, int | None], size: int) -> tuple[int, int] | None:
    first, last = asked
    if first is None:
        length = min(last or 0, size)
        return (size - length, size) if length else None
    return (first, min(size, size if last is None else last + 1)) if first < size else None
