"""What those who run the study need to see, as pure functions of protocol, events and time.

Nothing here tells an arm: `stop_rules` counts by arm and says only that a rule was reached.
"""

from study.oversight.alerts import Alert, AlertKind, acknowledge, alerts_of
from study.oversight.completeness import Completeness, Verdict, completeness_of, session_ids_of
from study.oversight.enrolment import Enrolment, enrolment_of
from study.oversight.quality import InsecureServing, QualityRow, insecure_servings, quality_rows
from study.oversight.status import ParticipantStatus, Stage, StageState, status_of
from study.oversight.stop_rules import ReachedRule, reached_stop_rules

__all__ = [
    "Alert",
    "AlertKind",
    "Completeness",
    "Enrolment",
    "InsecureServing",
    "ParticipantStatus",
    "QualityRow",
    "ReachedRule",
    "Stage",
    "StageState",
    "Verdict",
    "acknowledge",
    "alerts_of",
    "completeness_of",
    "enrolment_of",
    "insecure_servings",
    "quality_rows",
    "reached_stop_rules",
    "session_ids_of",
    "status_of",
]
