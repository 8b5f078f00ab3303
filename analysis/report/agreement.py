"""The report's section on agreement, with the predictor's limits beside every prediction."""

from __future__ import annotations

from analysis.figures.outcomes import difference_images
from analysis.report.blocks import Block, Bullets, Pictures, Section, Text
from analysis.report.tables import agreement_table
from analysis.results import Results
from analysis.wording import reasons_text


def agreement_section(results: Results) -> Section:
    """Felt, generated and planned beside each other."""
    agreement = results.agreement
    spec = results.study["agreement"]
    blocks: list[Block] = [
        Text(
            f"Each report during a session is paired with the last {spec['probe_window_s']:g} seconds heard "
            f"before it, the report after it with the last {spec['post_window_s']:g}; the report before "
            "listening is never paired, nor is sound that was not heard. Reports are what people felt unless "
            "marked perceived; MER is perceived. Correlation alone is not agreement, so all of these are "
            "given, each axis apart."
        )
    ]
    blocks.append(Bullets(_predictor_limits(results)))
    silent = agreement["arms_without_music"]
    if silent:
        labels = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
        names = ", ".join(labels[arm] for arm in silent)
        blocks.append(Text(f"No music, so no prediction to pair with: {names}."))
    if agreement["unpaired"]:
        blocks.append(Text(f"Reports without a prediction: {reasons_text(agreement['unpaired'])}."))
    found = [one for one in agreement["sets"] if one["n_pairs"] >= 3]
    blocks += [agreement_table(one) for one in found]
    if not found:
        blocks.append(Text("There are not yet three pairs to compare."))
    images = difference_images(results)
    if images:
        blocks.append(Pictures(tuple(images)))
    return Section("agreement", "Agreement of felt, generated and planned", tuple(blocks))


def _predictor_limits(results: Results) -> tuple[str, ...]:
    predictors = results.provenance["predictors"]
    if not predictors:
        return ("No prediction was given to this analysis.",)
    return tuple(
        f"{predictor['name']} {predictor['version']}: {limit}"
        for predictor in predictors
        for limit in predictor["limits"] or ("its card names no limits",)
    )
