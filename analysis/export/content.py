"""What is exported: a study's tables and sounds at one row of its record, and the words that go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from analysis.mer.hearing import Predictions, SessionKey
from study.chain import Head
from study.instruments import Instrument
from study.manifest import RenderManifest
from study.protocol import AllocationGroup, Arm, StudyProtocol
from study.questionnaire import Item

Told = Callable[[str, int, int], None]
"""Hears of the progress: what is being done, how much of it, of how much."""

BLINDED = (
    "Blinded: nothing here tells who is in which arm. Left out are arms, planned paths, clips, hashes,",
    "lengths and loudness of sounds, perceived ratings and guesses of the arm; heard seconds are given as a",
    "share of the sound and as that share of the planned length. Times are cut to the day, since the time a",
    "sound took to be made differs between kinds of sound.",
)
NOT_BLINDED = ("Not blinded: the tables tell arms. Keep them from whoever may not know them.",)
BEFORE_FREEZE = (
    "The record was not frozen and unblinded yet when this was made: until then every export is blinded,",
    "whoever asks for it.",
)
SIMULATED = "SIMULATED PARTICIPANTS: this study is a rehearsal, nobody in it is a person."


@dataclass(frozen=True)
class ExportContent:
    """A study as it is exported.

    Args:
        tables: by the names of `protocols/columns.json`; the blinded ones where `is_blinded`.
        is_blinded: no arm, and nothing that could tell one, is in `tables`.
        may_join_arms: the record is frozen and unblinded, or its participants are simulated.
        head: of the record that the tables were built from.
        last_at: when its last row was written; the date of everything that is made here, since the same
            record gives the same bytes.
        software: name and version.
        manifests: of rendered sessions; none where blinded.
        sounds: SHA-256 of a sound file to where it lies; none where blinded or not asked for.
        predictions: of rendered sessions by predictor; none where blinded or not made yet.
    """

    protocol: StudyProtocol
    tables: Mapping[str, pd.DataFrame]
    is_blinded: bool
    may_join_arms: bool
    is_simulated: bool
    head: Head
    last_at: datetime
    software: str
    manifests: Mapping[SessionKey, RenderManifest] = field(default_factory=lambda: MappingProxyType({}))
    sounds: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    predictions: Predictions = field(default_factory=lambda: MappingProxyType({}))

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Instruments by id, of every version of the protocol; of one id, the newest."""
        return {one.instrument_id: one for version in self._versions for one in version.instruments}

    @property
    def arms(self) -> Mapping[str, Arm]:
        """Arms by id, likewise."""
        return {arm.arm_id: arm for version in self._versions for arm in version.arms}

    @property
    def groups(self) -> Mapping[str, AllocationGroup]:
        """What may be allocated, by id, likewise."""
        return {group.group_id: group for version in self._versions for group in version.allocation.groups}

    @property
    def items(self) -> Mapping[tuple[str, str], Item]:
        """Items of questionnaires by the ids of both, likewise."""
        return {
            (questionnaire.questionnaire_id, item.item_id): item
            for version in self._versions
            for questionnaire in version.questionnaires
            for item in questionnaire.items
        }

    @property
    def _versions(self) -> tuple[StudyProtocol, ...]:
        """The oldest first, so that what is newer stands in its place."""
        return self.protocol.versions[::-1]

    @property
    def dated(self) -> datetime:
        """The date of what is made: that of the record's last row, cut to the day where blinded."""
        if self.is_blinded:
            return self.last_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return self.last_at

    @property
    def erased_participants(self) -> tuple[str, ...]:
        """Ids of people whose data were erased, wholly or in part."""
        people = self.tables["participants"]
        return tuple(people.loc[people["erased"].fillna(False), "participant_id"].astype(str))

    def about(self) -> tuple[str, ...]:
        """Lines for the README of every export: what it is of, and who may see it."""
        protocol = self.protocol
        lines = [
            protocol.title,
            f"Study {protocol.study_id}, protocol version {protocol.version}, SHA-256 {protocol.sha256}",
            f"Record: {self.head.sequence} rows, the last of {self.last_at:%Y-%m-%d},",
            f"head {self.head.sha256}",
            f"Made by {self.software}.",
        ]
        if self.is_simulated:
            lines += ["", SIMULATED]
        lines += ["", *(BLINDED if self.is_blinded else NOT_BLINDED)]
        if not self.may_join_arms:
            lines += ["", *BEFORE_FREEZE]
        erased = self.erased_participants
        if erased:
            lines += ["", f"Data of {len(erased)} people were erased (column erased): {', '.join(erased)}."]
        return tuple(lines)
