"""The plain-language summary, made from the numbers by template.

Equipoise: an interval that holds 0 is never told as "no effect", and one that
does not is never told as proof.
"""

from __future__ import annotations

from typing import Any

from analysis.effects.multiplicity import REJECTED
from analysis.results import Results
from analysis.wording import counted, limits, number
from study.simulation import RESPONSE_SD


def summary_text(results: Results) -> str:
    """One paragraph for somebody who knows no statistics."""
    study, flow = results.study, results.flow
    noun = "simulated participant" if results.simulated else "participant"
    names = [arm["name"] for arm in study["arms"]]
    enrolled = counted(flow["enrolled"], noun)
    if len(names) == 1:
        given = f"were given the only arm, {names[0]}"
    elif study["design"] == "crossover":
        given = f"were allocated at random to an order of {_listed(names, 'and')}"
    else:
        given = f"were allocated at random to {_listed(names, 'or')}"
    sentences = [f"{enrolled} enrolled and {flow['allocated']} {given}."]
    sentences.append(_outcome_sentence(study))
    row = results.primary["row"]
    if row is None:
        sentences.append("The protocol compares no arms.")
    elif row["estimate"] is None:
        sentences.append(f"No difference between the arms can be given yet: {row['reason']}.")
    else:
        sentences += _difference_sentences(results, row)
    return " ".join(sentences)


def rehearsal_text(results: Results) -> str | None:
    """What was planted in a rehearsal, and in what time-lapse; None for a study with people."""
    planted = results.rehearsal
    if planted is None:
        return None
    effect, in_units = number(planted["effect"]), number(planted["effect"] * RESPONSE_SD)
    text = (
        f"This is a rehearsal with seed {planted['seed']}. Planted were an effect of {effect} standard "
        f"deviations of the simulated response in the primary contrast ({in_units} on the scale of the "
        f"outcome, for those who hear all of the music) and a concordance of "
        f"{number(planted['agreement'])} between probe reports and the planned path."
    )
    planned_s = results.study["time_lapse_of_s"]
    if planned_s is not None and planned_s != results.study["duration_s"]:
        text += (
            f" Sessions ran in time-lapse: {results.study['duration_s']:g} s for the planned {planned_s:g} s."
        )
    return text


def interim_text(results: Results) -> str | None:
    """A warning while the study is not complete; None when it is."""
    allocated, planned = results.flow["allocated"], results.study["sample_size"]
    under_way = sum(group["under_way"] for group in results.flow["groups"])
    waiting = results.primary["missing"].get("not yet given", 0)
    if allocated >= planned and not under_way and not waiting:
        return None
    coming = f" and {counted(waiting, 'outcome')} still to come" if waiting else ""
    return (
        f"The study is under way: {allocated} of {planned} planned participants are allocated{coming}. "
        "These figures will change; stopping or changing a study because of them makes false findings more "
        "likely."
    )


def _outcome_sentence(study: dict[str, Any] | Any) -> str:
    what = {
        "projected_progress": "how far each person's report had moved along the straight way from the "
        "start to the target mood; 0 means as far as the target, below 0 short of it",
        "distance": "how far each person's report lay from the target mood; 0 means at the target",
        "valence": "how pleasant each person felt, from −1 to 1",
        "arousal": "how activated each person felt, from −1 to 1",
    }[study["endpoint"]]
    return (
        (
            f"After listening, they reported what they {study['perspective']} "
            "(pleasantness and activation, each from −1 to 1). "
            f"The outcome is {what}."
        )
        .replace("what they felt", "how they felt")
        .replace("what they perceived", "what the music expressed")
    )


def _difference_sentences(results: Results, row: dict[str, Any]) -> list[str]:
    names = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    first, second = (names[arm] for arm in row["arms"])
    estimate = row["estimate"]
    more = {
        "projected_progress": ("further along", "less far along"),
        "distance": ("further from the target", "closer to the target"),
        "valence": ("more pleasant", "less pleasant"),
        "arousal": ("more activated", "less activated"),
    }[results.study["endpoint"]]
    direction = more[0] if estimate >= 0 else more[1]
    interval = limits(row["ci_low"], row["ci_high"])
    ended = f"{number(abs(estimate))} units {direction}"
    if results.study["design"] == "crossover":
        comparison = f"On average they ended {ended} after {first} than after {second}"
    else:
        comparison = f"On average those in {first} ended {ended} than those in {second}"
    numbers = f"difference {number(estimate)}, 95 % CI {interval}; {row['n']} analysed"
    sentences = [f"{comparison} ({numbers})."]
    if row["ci_low"] <= 0 <= row["ci_high"]:
        sentences.append(
            "The interval includes no difference and differences either way: "
            "the data do not tell which arm leads further, nor that the two are the same."
        )
    else:
        sentences.append(
            "The interval leaves out no difference; how large the difference is remains as uncertain "
            "as the interval is wide."
        )
    entry = next((e for e in results.ledger if e["row_id"] == row["row_id"]), None)
    if entry is not None:
        verdict = "is" if entry["decision"] == REJECTED else "is not"
        sentences.append(
            f"By the rule fixed in the protocol, the hypothesis of no difference {verdict} rejected."
        )
    sentences.append("An average says nothing certain about any one person.")
    return sentences


def _listed(names: list[str], word: str) -> str:
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else names[0]
