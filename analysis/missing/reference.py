"""Jump to reference: whoever left is taken to have become like the reference arm.

Their reports are drawn from the reference arm's regression at their own report
before listening and stratum (Carpenter, Roger & Kenward 2013, J. Biopharm.
Stat. 23, 1352-1371); who left the reference arm is drawn from it as well.
Rubin's variance then keeps the share of information that was lost as under
missing at random (Cro, Carpenter & Kenward 2019, J. R. Stat. Soc. A 182,
623-645): it is wider than the estimate's spread over repeated studies.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.arm_names import arm_name
from analysis.effects.endpoint import Outcome
from analysis.effects.endpoint_rows import covariate_words, estimand_of
from analysis.missing.imputation import impute
from analysis.missing.imputed_effects import fits_of, pooled_row
from analysis.result_row import ResultRow
from study.analysis_plan import Contrast
from study.protocol import StudyProtocol


def jump_to_reference(protocol: StudyProtocol, outcomes: Sequence[Outcome], contrast: Contrast) -> ResultRow:
    """A contrast of the primary endpoint under jump to reference.

    Args:
        outcomes: of all allocated persons of a parallel design.
        contrast: its comparator is the reference where the protocol names none.
    """
    endpoint, missing = protocol.analysis.endpoint, protocol.analysis.missing
    reference = missing.reference_arm_id or contrast.arm_ids[1]
    imputed = impute(protocol, outcomes, endpoint, reference)
    last = " of the last session" if protocol.session_count > 1 else ""
    method = (
        f"ANCOVA{last} adjusted for {covariate_words(protocol)}; HC3 errors; {missing.imputations} imputed "
        f"data sets, missing outcomes as in {arm_name(reference)} (jump to reference); pooled by Rubin's "
        "rules, information-anchored, t reference (Barnard & Rubin 1999)"
    )
    extra = {
        "contrast_id": contrast.contrast_id,
        "arms": list(contrast.arm_ids),
        "is_primary": contrast.is_primary,
        "reference_arm": reference,
    }
    return pooled_row(
        f"missing:reference:{contrast.contrast_id}",
        contrast,
        imputed,
        fits_of(protocol, imputed),
        method,
        extra,
        estimand_of(protocol, endpoint),
    )
