"""The tables with arms dealt anew: what the analysis is tried on before the record is unblinded.

Everything runs as it will run, on everybody's real reports, and nothing can be
learnt of an arm: within each stratum the allocated groups are dealt among the
same people by chance. (Blinded dry runs: ICH E9, 5.1; MacCoun & Perlmutter,
2015, Nature 526, 187-189.)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.tables.build import StudyTables
from study.protocol import StudyProtocol
from study.session import session_id_of


def shuffle_arms(protocol: StudyProtocol, tables: StudyTables, seed_text: str) -> StudyTables:
    """The same study with its groups dealt anew among those allocated.

    Who a label now belongs to is a function of `seed_text` alone. Sound, plans and
    predictions stay with the person who heard them.

    Args:
        seed_text: fixes the deal; the record's head makes each state of the record a deal of its own.
    """
    groups = _dealt(tables.participants, seed_text)
    arms = {group.group_id: group.arm_ids for group in protocol.allocation.groups}
    by_session = {
        (who, session_id_of(number)): arm
        for who, group in groups.items()
        for number, arm in enumerate(arms[group], start=1)
    }
    changed = {
        field.name: _relabelled(getattr(tables, field.name), by_session, arms, groups)
        for field in fields(tables)
        if "arm" in getattr(tables, field.name).columns
    }
    participants = tables.participants.copy()
    participants["group"] = participants["participant_id"].map(groups).astype("string")
    # How likely somebody's own group was says something of which group it was.
    participants["allocation_probability"] = np.full(len(participants), np.nan)
    return replace(tables, **changed, participants=participants)


def _dealt(participants: pd.DataFrame, seed_text: str) -> dict[str, str]:
    """Participant to group: each stratum's groups in another order."""
    seed = int.from_bytes(hashlib.sha256(f"shuffled arms/{seed_text}".encode()).digest()[:16], "big")
    rng = np.random.default_rng(seed)
    allocated = participants[participants["group"].notna()].sort_values("participant_id")
    factors = [name for name in participants.columns if name.startswith("stratum_")]
    levels = allocated[factors].fillna("").itertuples(index=False, name=None)
    found: dict[str, str] = {}
    for _, mine in allocated.groupby([json.dumps(level) for level in levels], sort=True):
        dealt = rng.permutation(mine["group"].to_numpy(dtype=object))
        found |= dict(zip(mine["participant_id"].astype(str), map(str, dealt), strict=True))
    return found


def _relabelled(
    table: pd.DataFrame,
    by_session: dict[tuple[str, str], str],
    arms: dict[str, tuple[str, ...]],
    groups: dict[str, str],
) -> pd.DataFrame:
    def arm_of(who: Any, session_id: Any) -> str | None:
        if pd.isna(who) or str(who) not in groups:
            return None
        if pd.isna(session_id):
            own = set(arms[groups[str(who)]])
            return own.pop() if len(own) == 1 else None
        return by_session.get((str(who), str(session_id)))

    copy = table.copy()
    pairs = zip(table["participant_id"], table["session_id"], strict=True)
    copy["arm"] = pd.array([arm_of(who, session_id) for who, session_id in pairs], dtype="string")
    return copy
