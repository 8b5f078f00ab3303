"""The wire format of protocol buffers, read with every length doubted.

A message is a row of fields, each a number, a wire type and a value. Only what is
wholly there is given out: a varint of at most ten bytes, four or eight bytes, or a
length and as many bytes. Groups, which GraphDef never uses, are refused.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are not a message, or a field of another type than it must be."""


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Args:
        number: its place in the message's definition.
        wire_type: `VARINT`, `FIXED64`, `BYTES` or `FIXED32`.
        value: of a varint, in [0, 2^64); 0 for the others.
        data: the bytes of all the others.
    """

    number: int
    wire_type: int
    value: int
    data: bytes

    def as_bytes(self) -> bytes:
        """The bytes of a string, a message or packed numbers."""
        self._must_be(BYTES)
        return self.data

    def as_text(self) -> str:
        """A string."""
        try:
            return self.as_bytes().decode("utf-8")
        except UnicodeDecodeError as problem:
            raise WireError(f"field {self.number} is not text") from problem

    def as_int(self) -> int:
        """A signed 64-bit integer, which a varint holds in two's complement."""
        self._must_be(VARINT)
        return _signed(self.value)

    def as_float(self) -> float:
        """A single-precision number."""
        self._must_be(FIXED32)
        number: float = struct.unpack("<f", self.data)[0]
        return number

    def as_floats(self) -> list[float]:
        """One single-precision number, or many packed."""
        if self.wire_type == FIXED32:
            return [self.as_float()]
        data = self.as_bytes()
        if len(data) % 4:
            raise WireError(f"field {self.number} does not hold whole numbers")
        return list(struct.unpack(f"<{len(data) // 4}f", data))

    def as_ints(self) -> list[int]:
        """One integer, or many packed."""
        if self.wire_type == VARINT:
            return [self.as_int()]
        data, at, numbers = self.as_bytes(), 0, []
        while at < len(data):
            number, at = _varint(data, at)
            numbers.append(_signed(number))
        return numbers

    def _must_be(self, wire_type: int) -> None:
        if self.wire_type != wire_type:
            raise WireError(f"field {self.number} has wire type {self.wire_type}, not {wire_type}")


def fields_of(message: bytes) -> Iterator[Field]:
    """The fields of a message, in its order.

    Raises:
        WireError: the bytes are not a message.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        if number == 0:
            raise WireError(f"a field without a number before byte {at}")
        if wire_type == VARINT:
            value, at = _varint(message, at)
            yield Field(number, wire_type, value, b"")
            continue
        if wire_type == BYTES:
            length, at = _varint(message, at)
        elif wire_type in (FIXED32, FIXED64):
            length = 4 if wire_type == FIXED32 else 8
        else:
            raise WireError(f"field {number} has the unknown wire type {wire_type}")
        if length > len(message) - at:
            raise WireError(f"field {number} is {length} bytes long where {len(message) - at} are left")
        yield Field(number, wire_type, 0, message[at : at + length])
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    number = 0
    for n_read, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        number |= (byte & 0x7F) << (7 * n_read)
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at + n_read + 1
    raise WireError(f"a number without end at byte {at}")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
