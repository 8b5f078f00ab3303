"""A protocol checked as far as this installation can: the study's rules, and its engines' options."""

from __future__ import annotations

from pathlib import Path

from study.errors import IsopathError, ProtocolErrors, ProtocolProblem
from study.protocol import StudyProtocol
from study.protocol_file import load_protocol


def load_checked_protocol(path: Path) -> StudyProtocol:
    """Read a protocol and ask each arm's engine whether it takes its options.

    Raises:
        ProtocolErrors: all problems, in file order.
        StorageError: there is no such file.
    """
    protocol = load_protocol(path)
    problems = [
        ProtocolProblem(str(path), f"$.arms[{number}].{refusal.where}", refusal.problem, refusal.remedy)
        for number, arm in enumerate(protocol.arms)
        if arm.path.kind.is_composed and (refusal := _refusal(protocol, number)) is not None
    ]
    if problems:
        raise ProtocolErrors(problems)
    return protocol


def _refusal(protocol: StudyProtocol, number: int) -> IsopathError | None:
    # An engine loads only where an arm sets options: it may be heavy.
    spec = protocol.arms[number].engine
    if not spec.options:
        return None
    from generation.registry import load_engine

    try:
        load_engine(spec)
    except IsopathError as refusal:
        return refusal
    return None
