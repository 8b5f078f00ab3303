"""Looks for what tells a participant's arm, wherever something of a study is shown or sent."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class Shown:
    """One thing that somebody could see.

    Args:
        channel: how it came: ``page``, ``frames``, ``response``, ``export``, ``log``, ``command``.
        where: which page, address or command.
        body: as it came.
        is_about_design: the protocol's own pages, which may name arms, but nobody beside them.
    """

    channel: str
    where: str
    body: bytes
    is_about_design: bool = False


@dataclass(frozen=True)
class Leak:
    """A name or number that tells an arm, where it must not stand.

    Args:
        told: in small letters.
    """

    channel: str
    where: str
    told: str


def leaks_in(shown: Iterable[Shown], telling: Iterable[str], people: Iterable[str]) -> list[Leak]:
    """Whatever tells an arm, in order.

    Args:
        telling: what must not be told.
        people: participants' ids; a page about the design may name arms or people, not both.
    """
    named, anybody = _any_of(telling), _any_of(people)
    found = []
    for one in shown:
        texts = list(readings(one.body))
        if one.is_about_design and not any(anybody.search(text) for text in texts):
            continue
        told = dict.fromkeys(match[0].lower() for text in texts for match in named.finditer(text))
        found += [Leak(one.channel, one.where, name) for name in told]
    return found


def readings(body: bytes) -> Iterator[str]:
    """A body as the texts that somebody could make of it: unpacked, decoded, unescaped.

    Each with its escapes undone too (URL, HTML, JSON), and what stands in it as base64.
    """
    for part in _unpacked(body):
        text = part.decode("utf-8", "replace")
        yield text
        plain = html.unescape(unquote(text)).replace("\\u005f", "_").replace("\\/", "/")
        if plain != text:
            yield plain
        yield "\n".join(_from_base64(run) for run in re.findall(r"[A-Za-z0-9+/_-]{24,}={0,2}", text))


def _unpacked(body: bytes) -> Iterator[bytes]:
    yield body
    if body[:2] == b"\x1f\x8b":
        yield from _unpacked(gzip.decompress(body))
    if zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from _unpacked(archive.read(name))


def _from_base64(run: str) -> str:
    whole = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of them as a word of its own, in any case; a number not as a part of a longer one."""
    longest_first = sorted(words, key=len, reverse=True)
    either = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)
