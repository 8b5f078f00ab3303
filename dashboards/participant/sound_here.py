"""Whether a session's sound is at this server: another one may have rendered it."""

from __future__ import annotations

from generation.session_folder import SOUND
from study.folder import StudyFolder
from study.step import AnswerSupport, Listen, Step


def lacks_sound(folder: StudyFolder, participant_id: str, step: Step) -> bool:
    """Whether a person is about to hear a session, now or after the support page, that is not here."""
    if not isinstance(step, (Listen, AnswerSupport)):
        return False
    return not (folder.sessions / participant_id / step.session_id / SOUND).is_file()
