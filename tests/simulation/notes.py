"""What a reader must know to judge a case, by its id; editing a note runs nothing anew."""

from __future__ import annotations

from collections.abc import Mapping

_CAUTIOUS = (
    "HC3 errors are a little too wide where an arm has few outcomes (MacKinnon & White 1985; Long & Ervin "
    "2000)"
)
_FEW = "percentile limits of few units are a little too narrow (Hesterberg 2015, Am. Stat. 69, 371-386)"
_THRICE = (
    "drawing people × clips counts what is neither the person's nor the clip's three times (Owen & Eckles "
    "2012), so that intervals are rather too wide"
)
_PATH = "two series that drift along the same path correlate though nothing is shared"

NOTES: Mapping[str, str] = {
    "progress-small": _CAUTIOUS,
    "progress-mar": _CAUTIOUS,
    "valence-mar": _CAUTIOUS,
    "arousal-mar": _CAUTIOUS,
    "imputation-mcar": _CAUTIOUS,
    "imputation-mar": _CAUTIOUS,
    "distance-spread": (
        "no arm leads people elsewhere, yet the wider one is further from the target: a difference of "
        "distance is no evidence that music led anyone anywhere; the interval covers its own, other, truth"
    ),
    "reference": (
        "Rubin's variance keeps the information that was lost (Cro, Carpenter & Kenward 2019): wider than "
        "the estimate's spread over studies, so no bar"
    ),
    "agreement-own": _FEW,
    "agreement-shared": _THRICE,
    "agreement-shared-many": _THRICE,
    "agreement-participants-alone": (
        "what drawing participants does where clips are shared: intervals far too narrow"
    ),
    "formula-once": "the interval of ICC(A,1) assumes raters of equal spread, which these are not",
    "relation-slope": _THRICE + "; clip permutation keeps the level",
    "relation-detrended": _FEW,
    "relation-slope-participants": "the peculiarities of shared clips are taken for the people's",
    "relation-raw": _PATH,
    "relation-repeated-drift": _PATH + ": read it beside the detrended one",
}
