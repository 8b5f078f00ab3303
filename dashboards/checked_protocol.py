"""A protocol checked as far as this installation can: the study's rules, and its engines' options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from study.errors import IsopathError, ProtocolErrors, ProtocolProblem, Refusals, UnknownName
from study.protocol import EngineSpec, StudyProtocol
from study.protocol_file import load_protocol


def load_checked_protocol(path: Path) -> StudyProtocol:
    """Read a protocol and ask each arm's engine whether it takes its options, and who judges its clips.

    Raises:
        ProtocolErrors: all problems, in file order.
        StorageError: there is no such file.
    """
    protocol = load_protocol(path)
    check_engines(protocol, str(path))
    return protocol


def check_engines(protocol: StudyProtocol, file_name: str) -> None:
    """Ask each arm's engine whether it takes its options, and who judges its clips.

    Args:
        file_name: for messages.

    Raises:
        ProtocolErrors: all problems, in file order.
    """
    problems = [
        ProtocolProblem(file_name, f"$.arms[{number}].{refusal.where}", refusal.problem, refusal.remedy)
        for number, arm in enumerate(protocol.arms)
        if arm.path.kind.is_composed
        for refusal in _refusals(protocol, number)
    ]
    if problems:
        raise ProtocolErrors(problems)


def _refusals(protocol: StudyProtocol, number: int) -> Sequence[IsopathError]:
    # The embedded engine loads only where an arm sets options: its instruments take a while.
    spec = protocol.arms[number].engine
    if spec == EngineSpec():
        return ()
    from generation.registry import load_engine

    try:
        load_engine(spec)
    except Refusals as several:
        return several.refusals
    except IsopathError as refusal:
        return (refusal,)
    judge = _judge_refusal(spec.options.get("judge"), protocol.analysis.agreement.predictor)
    return () if judge is None else (judge,)


def _judge_refusal(judge: object, reporting: str) -> IsopathError | None:
    """Why a judge will not do: it is not installed, or it would report on its own choice."""
    if not isinstance(judge, str):
        return None
    if judge == reporting:
        return UnknownName(
            "engine.options.judge",
            f'"{judge}" is also analysis.agreement.predictor, and the judge that chooses may not be the one'
            " that reports: of several clips it takes the one it likes best, so its agreement with the plan"
            " would be too good",
            "name another predictor in one of the two places",
        )
    from analysis.mer.judge import load_judge

    try:
        load_judge(judge)
    except IsopathError as refusal:
        return refusal
    return None
