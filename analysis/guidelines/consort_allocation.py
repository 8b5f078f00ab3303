"""CONSORT 2025, items 17 to 20: who comes to which arm, and who knows it."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.guidelines.checklist import Answer
from analysis.guidelines.trial import Trial, counted, day, listed, minutes
from study.protocol import AllocationMethod, AllocationSpec

_SOURCES: Mapping[str, str] = {
    "seed": "from a seed of 32 bytes that the operating system drew when the study was begun",
    "sealed_seed": "from a seed of 32 bytes that the operating system drew when the study was begun, "
    "sealed with a passphrase since",
    "drawn": "from 32 bytes that the operating system drew at the moment of each allocation",
}


def allocation_answers(trial: Trial) -> dict[str, Answer]:
    """Items 17a to 20b, by number."""
    return {**(_elsewhere(trial) if trial.facts.imported else _sequence(trial)), **_blinding(trial)}


def _elsewhere(trial: Trial) -> dict[str, Answer]:
    said = (
        f"{counted(trial.facts.imported, 'person was', 'people were')} allocated in another system "
        "and imported.",
    )
    items = ("17a", "17b", "18", "19")
    return dict.fromkeys(items, Answer(said, missing="how the other system did it"))


def _sequence(trial: Trial) -> dict[str, Answer]:
    protocol, facts = trial.protocol, trial.facts
    seed = facts.allocation_seed_sha256
    return {
        "17a": Answer(
            (
                f"By {facts.software}, {_SOURCES.get(facts.allocation_source, facts.allocation_source)}"
                + (
                    f"; SHA-256 of the seed in the record since {day(facts.begun_at)}: {seed}."
                    if seed
                    else "."
                ),
            )
        ),
        "17b": Answer((_restriction(protocol.allocation),)),
        "18": Answer(
            (
                "Each place is given by the program in one transaction after consent and the reports before "
                "listening; no list is shown to anybody.",
            )
        ),
        "19": Answer(
            (
                "Whoever enrols sees neither the sequence nor the arm; the place is given by the program.",
                "The seed lies in the study folder, readable by whoever administers the server."
                if facts.allocation_source == "seed"
                else "Nobody can read the sequence without the passphrase."
                if facts.allocation_source == "sealed_seed"
                else "There is no sequence before the allocation.",
            ),
            missing="who had access to the server" if facts.allocation_source == "seed" else "",
        ),
    }


def _blinding(trial: Trial) -> dict[str, Answer]:
    protocol, facts = trial.protocol, trial.facts
    revealed = len(trial.results.conduct.get("revealed", ()))
    tells = protocol.debrief is not None and protocol.debrief.tells_arm
    return {
        "20a": Answer(
            (
                "Coordinators are shown no arm, statisticians none before the record is unblinded "
                f"({day(facts.unblinded_at)}); participants are "
                + ("told their arm at the end." if tells else "not told their arm by the program."),
                f"Arms told before the end: {revealed}.",
            ),
            ("blinding", "conduct"),
            "what care providers and participants could hear or be told",
        ),
        "20b": Answer(
            (
                f"All arms last {minutes(protocol.duration_s)} and are mastered to "
                f"{protocol.safety.loudness_lufs:g} LUFS, where there is sound; the pages are the same.",
                "Guesses of the arm, with Bang's and James's indices, are in the report."
                if trial.results.blinding["rows"]
                else "Nobody was asked to guess the arm.",
            ),
            ("blinding",),
        ),
    }


def _restriction(allocation: AllocationSpec) -> str:
    strata = listed(stratum.factor.replace("_", " ") for stratum in allocation.strata)
    sizes = listed(map(str, allocation.block_sizes))
    how = {
        AllocationMethod.PERMUTED_BLOCKS: f"permuted blocks of random size ({sizes})",
        AllocationMethod.MINIMISATION: (
            f"minimisation with a random element (probability {allocation.probability})"
        ),
        AllocationMethod.SIMPLE: "simple randomisation",
        AllocationMethod.BIASED_COIN: f"a biased coin (probability {allocation.probability or 2 / 3:.3g})",
    }[allocation.method]
    return f"{how[0].upper()}{how[1:]}; stratified or balanced by: {strata}."
