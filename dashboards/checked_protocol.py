"""A protocol checked as far as this installation can: the study's rules, and its engines' options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from study.errors import IsopathError, ProtocolErrors, ProtocolProblem, Refusals, UnknownName
from study.protocol import Arm, EngineSpec, StudyProtocol
from study.protocol_file import load_protocol
from study.questionnaire import PALETTE


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
    arm = protocol.arms[number]
    spec = arm.engine
    if spec == EngineSpec():
        return ()
    refusals = _unplayable_choices(protocol, arm) if arm.plays_preferred_palette else _unplayable(spec)
    if refusals:
        return refusals
    reporting = protocol.analysis.agreement.predictor
    judge = _judge_refusal(spec.options.get("judge"), reporting)
    return (*(() if judge is None else (judge,)), *_training_refusals(spec.options, reporting))


def _unplayable(spec: EngineSpec) -> Sequence[IsopathError]:
    """Why the engine does not take its options."""
    from generation.registry import load_engine

    try:
        load_engine(spec)
    except Refusals as several:
        return several.refusals
    except IsopathError as refusal:
        return (refusal,)
    return ()


def _unplayable_choices(protocol: StudyProtocol, arm: Arm) -> Sequence[IsopathError]:
    """Why the engine does not take its options with one of the palettes that people may choose."""
    found: dict[str, IsopathError] = {}
    for questionnaire_id, item in protocol.palette_items:
        for choice, _ in item.options:
            for refusal in _unplayable(EngineSpec(arm.engine.name, {**arm.engine.options, PALETTE: choice})):
                said = refusal.problem
                if refusal.where == "engine.options.palette":
                    said = f"{said}, and {questionnaire_id}.{item.item_id} lets people choose it"
                found.setdefault(said, type(refusal)(refusal.where, said, refusal.remedy))
    return tuple(found.values())


def _judge_refusal(judge: object, reporting: str) -> IsopathError | None:
    """Why a judge will not do: it is not installed, or it, or its like, would report on its own choice."""
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
    from analysis.mer.registry import ingredients

    try:
        load_judge(judge)
    except IsopathError as refusal:
        return refusal
    shared = ingredients(judge) & ingredients(reporting)
    if shared:
        return UnknownName(
            "engine.options.judge",
            f'"{judge}" hears with {", ".join(sorted(shared))}, and so does analysis.agreement.predictor'
            f' "{reporting}": it would report on a choice that is all but its own',
            "name a predictor that shares nothing with it in one of the two places",
        )
    return None


def _training_refusals(options: Mapping[str, Any], reporting: str) -> Iterator[IsopathError]:
    """Trained parts that the predictor which reports, or one that hears with the same, helped to train.

    What is not on this machine cannot be looked at: the manifest of each session then names the predictors,
    and the analysis makes no claim by them.
    """
    from analysis.mer.registry import ingredients
    from generation.musicgen.trained.part_taken import read_marks, trained_folders

    for option, folder in trained_folders(options):
        try:
            predictors = read_marks(folder).predictors
        except IsopathError as refusal:
            yield UnknownName(f"engine.options.{option}", str(refusal.problem), refusal.remedy)
            continue
        for name, parts in predictors.items():
            if ingredients(name).isdisjoint(ingredients(reporting)):
                continue
            how = "" if name == reporting else f', which hears with what "{name}" does,'
            yield UnknownName(
                f"engine.options.{option}",
                f'"{name}" took part in its training ({", ".join(parts)}), and analysis.agreement.predictor'
                f' "{reporting}"{how} would report on what it helped to make: its agreement with the plan'
                " would be too good",
                "name another predictor to report, or use what was trained without this one",
            )
