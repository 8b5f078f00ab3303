"""Which stratum a person belongs to, and which list of places that is."""

from __future__ import annotations

from collections.abc import Mapping

from study.errors import ConductError, UnknownName
from study.protocol import SITE, AllocationMethod, AllocationSpec


def check_stratum(spec: AllocationSpec, stratum: Mapping[str, str]) -> dict[str, str]:
    """`stratum` in the protocol's order of factors.

    Raises:
        ConductError: a factor is missing, unknown, or has an unknown level.
    """
    factors = {factor.factor: factor.levels for factor in spec.strata}
    for name in stratum:
        if name not in factors:
            known = ", ".join(factors) or "no factors"
            raise ConductError(f"stratum {name}", "is not in the protocol", f"the protocol has {known}")
    for name, levels in factors.items():
        if name not in stratum:
            raise ConductError(f"stratum {name}", "is missing", f"give {name}=" + "|".join(levels))
        if stratum[name] not in levels:
            raise ConductError(
                f"stratum {name}", f"{stratum[name]!r} is not a level", "give " + " or ".join(levels)
            )
    return {name: stratum[name] for name in factors}


def check_site(spec: AllocationSpec, site: str | None) -> None:
    """Refuse a site that the protocol does not have.

    Raises:
        UnknownName: the protocol has no sites, or others.
    """
    levels = next((factor.levels for factor in spec.strata if factor.factor == SITE), ())
    if site is not None and site not in levels:
        remedy = "name one of " + ", ".join(levels) if levels else "name sites in the protocol's allocation"
        raise UnknownName("site", f"{site!r} is not a site of this protocol", remedy)


def list_of(spec: AllocationSpec, stratum: Mapping[str, str]) -> dict[str, str]:
    """What names the list that a person's place stands in.

    Minimisation has one list for everybody, or one for each site; every other method has one for
    each combination of levels.
    """
    if spec.method is not AllocationMethod.MINIMISATION:
        return dict(stratum)
    return {name: level for name, level in stratum.items() if name in spec.list_factors}
