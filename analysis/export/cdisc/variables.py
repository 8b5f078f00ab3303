"""The variables of each domain: name, label, type and key, as the SDTM Implementation Guide 3.4 names them.

Source: CDISC SDTMIG 3.4 (2021), sections 5.2 (DM), 6.1.3 (EX), 6.2.1 (AE), 6.2.5 (DS), 6.2.6 (DV), 6.3 (QS)
and 8.4 (SUPP--). Variables that a music study has nothing for are left out, but for those the guide calls
required.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DATE = "datetime"
"""A time; in a blinded export a date, since times are cut to the day."""


@dataclass(frozen=True)
class Variable:
    """One variable of a domain.

    Args:
        label: of at most 40 characters.
        data_type: of Dataset-JSON: string, integer, double or datetime.
        origin: where its values come from, for the metadata beside the datasets.
        key: its place in the natural key, from 1; None outside it.
    """

    name: str
    label: str
    data_type: str = "string"
    origin: str = "Collected"
    key: int | None = None


@dataclass(frozen=True)
class Domain:
    """A domain: one dataset.

    Args:
        variables: in the guide's order.
    """

    name: str
    label: str
    structure: str
    variables: tuple[Variable, ...]


def _common(domain: str) -> tuple[Variable, ...]:
    return (
        Variable("STUDYID", "Study Identifier", origin="Protocol", key=1),
        Variable("DOMAIN", "Domain Abbreviation", origin="Assigned"),
        Variable("USUBJID", "Unique Subject Identifier", origin="Derived", key=2),
        Variable(f"{domain}SEQ", "Sequence Number", "integer", "Derived", 3),
    )


_VISIT = (
    Variable("VISITNUM", "Visit Number", "integer", "Assigned"),
    Variable("VISIT", "Visit Name", origin="Assigned"),
)
_EPOCH = Variable("EPOCH", "Epoch", origin="Assigned")

_DM = Domain(
    "DM",
    "Demographics",
    "One record per subject",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol", key=1),
        Variable("DOMAIN", "Domain Abbreviation", origin="Assigned"),
        Variable("USUBJID", "Unique Subject Identifier", origin="Derived", key=2),
        Variable("SUBJID", "Subject Identifier for the Study"),
        Variable("RFSTDTC", "Subject Reference Start Date/Time", DATE, "Derived"),
        Variable("RFENDTC", "Subject Reference End Date/Time", DATE, "Derived"),
        Variable("RFICDTC", "Date/Time of Informed Consent", DATE),
        Variable("RFPENDTC", "Date/Time of End of Participation", DATE, "Derived"),
        Variable("SITEID", "Study Site Identifier"),
        Variable("SEX", "Sex"),
        Variable("ARMCD", "Planned Arm Code", origin="Assigned"),
        Variable("ARM", "Description of Planned Arm", origin="Protocol"),
        Variable("ACTARMCD", "Actual Arm Code", origin="Assigned"),
        Variable("ACTARM", "Description of Actual Arm", origin="Protocol"),
        Variable("ARMNRS", "Reason Arm and/or Actual Arm is Null", origin="Assigned"),
        Variable("COUNTRY", "Country"),
    ),
)

_DS = Domain(
    "DS",
    "Disposition",
    "One record per disposition status or protocol milestone per subject",
    (
        *_common("DS"),
        Variable("DSTERM", "Reported Term for the Disposition Event"),
        Variable("DSDECOD", "Standardized Disposition Term", origin="Assigned"),
        Variable("DSCAT", "Category for Disposition Event", origin="Assigned"),
        _EPOCH,
        Variable("DSSTDTC", "Start Date/Time of Disposition Event", DATE),
    ),
)

_EX = Domain(
    "EX",
    "Exposure",
    "One record per listening session per subject",
    (
        *_common("EX"),
        Variable("EXTRT", "Name of Treatment", origin="Protocol"),
        Variable("EXDOSE", "Dose", "double", "Derived"),
        Variable("EXDOSU", "Dose Units", origin="Assigned"),
        Variable("EXDOSFRM", "Dose Form", origin="Assigned"),
        Variable("EXADJ", "Reason for Dose Adjustment"),
        *_VISIT,
        _EPOCH,
        Variable("EXSTDTC", "Start Date/Time of Treatment", DATE),
        Variable("EXENDTC", "End Date/Time of Treatment", DATE),
    ),
)

_AE = Domain(
    "AE",
    "Adverse Events",
    "One record per adverse event per subject",
    (
        *_common("AE"),
        Variable("AETERM", "Reported Term for the Adverse Event"),
        Variable("AEDECOD", "Dictionary-Derived Term", origin="Not coded"),
        Variable("AECAT", "Category for Adverse Event"),
        Variable("AESEV", "Severity/Intensity"),
        Variable("AEREL", "Causality"),
        *_VISIT,
        _EPOCH,
        Variable("AEDTC", "Date/Time of Collection", DATE),
    ),
)

_QS = Domain(
    "QS",
    "Questionnaires",
    "One record per item per assessment per subject",
    (
        *_common("QS"),
        Variable("QSTESTCD", "Question Short Name", origin="Assigned"),
        Variable("QSTEST", "Question Name", origin="Assigned"),
        Variable("QSCAT", "Category of Question", origin="Protocol"),
        Variable("QSSCAT", "Subcategory for Question", origin="Protocol"),
        Variable("QSORRES", "Finding in Original Units"),
        Variable("QSORRESU", "Original Units", origin="Protocol"),
        Variable("QSSTRESC", "Character Result/Finding in Std Format", origin="Derived"),
        Variable("QSSTRESN", "Numeric Finding in Standard Units", "double", "Derived"),
        Variable("QSSTRESU", "Standard Units", origin="Assigned"),
        Variable("QSSTAT", "Completion Status"),
        Variable("QSREASND", "Reason Not Performed"),
        Variable("QSDRVFL", "Derived Flag", origin="Derived"),
        *_VISIT,
        _EPOCH,
        Variable("QSDTC", "Date/Time of Finding", DATE),
        Variable("QSTPT", "Planned Time Point Name", origin="Protocol"),
        Variable("QSTPTNUM", "Planned Time Point Number", "double", "Protocol"),
    ),
)

_DV = Domain(
    "DV",
    "Protocol Deviations",
    "One record per protocol deviation per subject",
    (
        *_common("DV"),
        Variable("DVTERM", "Protocol Deviation Term"),
        Variable("DVREAS", "Reason for Protocol Deviation"),
        *_VISIT,
        _EPOCH,
        Variable("DVSTDTC", "Start Date/Time of Deviation", DATE),
    ),
)

_SUPPDM = Domain(
    "SUPPDM",
    "Supplemental Qualifiers for DM",
    "One record per qualifier per subject",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol", key=1),
        Variable("RDOMAIN", "Related Domain Abbreviation", origin="Assigned", key=2),
        Variable("USUBJID", "Unique Subject Identifier", origin="Derived", key=3),
        Variable("IDVAR", "Identifying Variable", origin="Assigned"),
        Variable("IDVARVAL", "Identifying Variable Value", origin="Assigned"),
        Variable("QNAM", "Qualifier Variable Name", origin="Assigned", key=4),
        Variable("QLABEL", "Qualifier Variable Label", origin="Assigned"),
        Variable("QVAL", "Data Value"),
        Variable("QORIG", "Origin", origin="Assigned"),
        Variable("QEVAL", "Evaluator"),
    ),
)

DOMAINS: Mapping[str, Domain] = {domain.name: domain for domain in (_DM, _SUPPDM, _DS, _EX, _QS, _AE, _DV)}
