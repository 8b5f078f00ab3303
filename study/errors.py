"""Every refusal isopath can give, as one tree.

    IsopathError                  one message: where, what is wrong, what to do
    ├── ProtocolErrors            all problems of one protocol file
    ├── Refusals                  several of the others, told together
    ├── OutOfRange                a number that is not on its scale (NaN included)
    ├── UnknownName               a name that is not one of the known ones
    ├── ConductError              the study's rules do not allow this step now
    ├── RecordError               the record cannot be used
    │   ├── RecordBroken          the hash chain does not hold; names the row
    │   ├── RecordBusy            another process holds the record
    │   └── RecordMismatch        the record belongs to another protocol or version
    ├── AudioError                a sound file or a sound that cannot be used
    ├── ModelError                weights, an adapter or a library that is missing or cannot be used
    ├── DeviceError               a GPU that is not there, or too little memory
    ├── WrongPassphrase           a sealed file that this passphrase does not open
    └── StorageError              a folder or disk that cannot be written or read

The command line turns each into one message and exit code 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class IsopathError(Exception):
    """A refusal that a person can act on.

    Args:
        where: file, field, table row or command the refusal is about.
        problem: what is wrong, with the value that was seen.
        remedy: what to write or do instead.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where = where
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


class OutOfRange(IsopathError):
    """A number outside its scale, or not a number."""


class UnknownName(IsopathError):
    """A name that is not one of the known ones."""


class ConductError(IsopathError):
    """A step that the protocol does not allow at this point of the study."""


class RecordError(IsopathError):
    """The study record cannot be used."""


class RecordBroken(RecordError):
    """The hash chain does not hold.

    Args:
        sequence: the first row that does not fit its predecessor or its payload.
    """

    def __init__(self, where: str, problem: str, remedy: str, sequence: int | None = None) -> None:
        super().__init__(where, problem, remedy)
        self.sequence = sequence


class RecordBusy(RecordError):
    """Another process holds the record for longer than we wait."""


class RecordMismatch(RecordError):
    """The record belongs to another protocol, or to a newer isopath."""


class AudioError(IsopathError):
    """A sound file or a sound that cannot be used."""


class ModelError(IsopathError):
    """Weights, an adapter or a library that is missing or cannot be used."""


class DeviceError(IsopathError):
    """A device that is not there, or has too little memory."""


class WrongPassphrase(IsopathError):
    """A sealed file that this passphrase does not open, or that was changed since it was sealed."""


class StorageError(IsopathError):
    """A folder or disk that cannot be read or written."""


@dataclass(frozen=True)
class ProtocolProblem:
    """One thing wrong in a protocol file.

    Args:
        file: the file as the user named it.
        json_path: where in the file, e.g. ``$.arms[1].path.target.arousal``.
        problem: what is wrong, with the value.
        remedy: what to write instead.
    """

    file: str
    json_path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}::{self.json_path}: {self.problem}; {self.remedy}"


class ProtocolErrors(IsopathError):
    """All problems of one protocol file, in file order."""

    def __init__(self, problems: Sequence[ProtocolProblem]) -> None:
        first = problems[0]
        super().__init__(f"{first.file}::{first.json_path}", first.problem, first.remedy)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Refusals(IsopathError):
    """Several refusals about one thing, each on a line of its own; those within another count one by one."""

    def __init__(self, refusals: Sequence[IsopathError]) -> None:
        first = refusals[0]
        super().__init__(first.where, first.problem, first.remedy)
        self.refusals: tuple[IsopathError, ...] = tuple(
            one for found in refusals for one in (found.refusals if isinstance(found, Refusals) else (found,))
        )

    def __str__(self) -> str:
        return "\n".join(str(refusal) for refusal in self.refusals)


def refuse(refusals: Sequence[IsopathError]) -> None:
    """Raise what was found, all at once; nothing where nothing was.

    Raises:
        IsopathError: the one that was found, or `Refusals`.
    """
    if len(refusals) > 1:
        raise Refusals(refusals)
    for only in refusals:
        raise only
