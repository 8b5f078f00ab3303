"""How high a correlation with self-report can be at all, given how people agree with themselves.

Spearman (1904), Am. J. Psychol. 15, 72-101: of a rating with test-retest reliability ρ, no predictor
however perfect can correlate with more than √ρ; the observed correlation over √ρ is what it would be if
reports had no error of their own. Both take the reliability of another sample as this one's, and
errors as independent of everything: bounds, never results of this study.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.agreement.pair_sets import AXES, GENERATED, PairSet
from analysis.agreement.pair_statistics import Bootstrapped
from analysis.agreement.rows import FEWEST_PAIRS, Found, estimated, method_of, row_extra
from analysis.result_row import PURE_NUMBER, ResultRow, not_estimated
from study.protocol import StudyProtocol


def attenuation_rows(protocol: StudyProtocol, pair_set: PairSet, found: Found) -> Iterator[ResultRow]:
    """Ceiling, observed and corrected correlation of reports with predictions, per axis.

    Nothing for sets that compare anything else.

    Args:
        found: as `estimate_set` made it.
    """
    if pair_set.phase is None or pair_set.second != GENERATED:
        return
    spec, n = protocol.analysis.agreement.reliability, len(pair_set.frame)
    for axis in AXES:
        reliability = spec.valence if axis == "valence" else spec.arousal
        ceiling = math.sqrt(reliability)
        prefix = f"attenuation:{pair_set.set_id}:{axis}"
        where = f"{pair_set.label}, {axis}"
        extra = {**row_extra(pair_set, axis), "reliability": reliability, "source": spec.source}
        yield ResultRow(
            f"{prefix}:ceiling",
            f"Ceiling: highest correlation any prediction could reach ({where})",
            ceiling,
            None,
            None,
            None,
            0,
            f"√ test-retest reliability ({spec.source}); nothing of this study is in it",
            None,
            {**extra, "statistic": "ceiling"},
            PURE_NUMBER,
        )
        observed = f"Observed correlation ({where})"
        corrected = f"Upper bound: correlation if reports had no error of their own ({where})"
        method = method_of(pair_set.design)
        bound = f"observed correlation over √ reliability, the reliability taken as known; {method}"
        if axis not in found:
            reason = f"{n} pair(s): a correlation needs {FEWEST_PAIRS} or more"
            for name, label, how in (("r", observed, method), ("r_disattenuated", corrected, bound)):
                more = {**extra, "statistic": name}
                yield not_estimated(f"{prefix}:{name}", label, n, how, reason, more, PURE_NUMBER)
            continue
        r = found[axis]["r"]
        yield estimated(f"{prefix}:r", observed, r, n, method, pair_set.design, {**extra, "statistic": "r"})
        yield estimated(
            f"{prefix}:r_disattenuated",
            corrected,
            Bootstrapped(r.estimate / ceiling, _over(r.ci_low, ceiling), _over(r.ci_high, ceiling)),
            n,
            bound,
            pair_set.design,
            {**extra, "statistic": "r_disattenuated"},
        )


def _over(value: float | None, ceiling: float) -> float | None:
    return None if value is None else value / ceiling
