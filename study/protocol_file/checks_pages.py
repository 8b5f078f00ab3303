"""Checks of what participants meet on their pages: sound check, pictures, the player, the debriefing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from study.protocol_file.checks_paths import stays_beside
from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding, did_you_mean, shown

#: Sounds that each trial of a headphone test gives to choose from.
_CHOICES = 3

_PICTURES = (".png", ".jpg", ".jpeg")
_PICTURE_BYTES = 2_000_000
_RATED_WHILE_LISTENING = ("affect_grid", "affective_slider")


def check_pages(draft: Part) -> Iterator[Finding]:
    """What is wrong with sound check, pictures, listening and debriefing."""
    yield from run_checks(
        (_sound_check_is_whole, _sound_check_is_hard_enough, _rating_can_be_moved, _debrief_can_wait), draft
    )
    for arm in draft["arms"].readable_parts():
        yield from run_checks((_arm_is_told_where_it_should_be,), arm, draft)
    for instrument in draft["instruments"].readable_parts():
        yield from run_checks((_pictures_are_sams, _pictures_can_be_shown), instrument)


def _sound_check_is_whole(top: Part) -> Iterator[Finding]:
    check = top.get("sound_check")
    if check is None:
        return
    has_test = check["headphone_test"].text != "none"
    for field, write in (
        ("trials", "write a whole number, such as 6"),
        ("pass_at", "write how many right answers pass, such as 5"),
        ("attempts", "write how often it may be tried, such as 2"),
        ("on_failure", "write continue or end"),
    ):
        if has_test and field not in check.json:
            yield Finding((*check.path, field), "is missing, and there is a headphone test", write)
        if not has_test and field in check.json:
            yield Finding((*check.path, field), "does nothing without a headphone test", "delete it")


def _sound_check_is_hard_enough(top: Part) -> Iterator[Finding]:
    check = top.get("sound_check")
    if check is None or check["headphone_test"].text == "none":
        return
    trials, pass_at = check["trials"].whole, check["pass_at"]
    if pass_at.whole > trials:
        yield pass_at.finding(
            f"{pass_at.whole} right answers are more than {trials} trials", f"write {trials} or less"
        )
    elif pass_at.whole * _CHOICES <= trials:
        yield pass_at.finding(
            f"{pass_at.whole} of {trials} is what guessing reaches (one of {_CHOICES} sounds is right)",
            f"write {trials // _CHOICES + 1} or more; {trials - 1} or {trials} tell headphones best",
        )


def _rating_can_be_moved(top: Part) -> Iterator[Finding]:
    listening = top.get("listening")
    rating = None if listening is None else listening.get("continuous_rating")
    if rating is None:
        return
    kinds = {part["id"].text: part["kind"].text for part in top["instruments"].parts()}
    movable = [name for name, kind in kinds.items() if kind in _RATED_WHILE_LISTENING]
    if rating.text not in movable:
        what = f"is a {kinds[rating.text]}" if rating.text in kinds else "is not an instrument"
        yield rating.finding(
            f"{shown(rating.text)} {what}, and only an affect_grid or affective_slider is rated while"
            " listening",
            did_you_mean(rating.text, movable)
            + ("write one of " + ", ".join(movable) if movable else "add such an instrument, or delete it"),
        )


def _debrief_can_wait(top: Part) -> Iterator[Finding]:
    debrief = top.get("debrief")
    if debrief is None or debrief["when"].text != "after_follow_up":
        return
    if not any(assessment["phase"].text == "follow_up" for assessment in top["assessments"].parts()):
        yield debrief["when"].finding("there is no follow-up to wait for", "write after_last_session")


def _arm_is_told_where_it_should_be(arm: Part, top: Part) -> Iterator[Finding]:
    debrief, languages = top.get("debrief"), top["languages"].texts
    tells_arm = debrief is not None and debrief["tells_arm"].is_true
    path = (*arm.path, "told")
    if "told" in arm.json and not tells_arm:
        yield Finding(path, "is told by no debriefing", "delete it, or write debrief.tells_arm true")
    if "told" not in arm.json and tells_arm and len(languages) > 1:
        yield Finding(
            path,
            f"is missing: the debriefing tells the arm, and the label is in one language of {len(languages)}",
            f"write what people are told in {', '.join(languages)}",
        )


def _pictures_are_sams(instrument: Part) -> Iterator[Finding]:
    if "pictures" in instrument.json and instrument["kind"].text != "sam":
        yield Finding(
            (*instrument.path, "pictures"),
            f"does nothing in an instrument of kind {instrument['kind'].text}",
            "delete it, or write kind sam",
        )


def _pictures_can_be_shown(instrument: Part) -> Iterator[Finding]:
    pictures = instrument.get("pictures")
    if pictures is None:
        return
    for _, files in pictures.fields():
        for file in files.readable_parts():
            suffix = PurePosixPath(file.text).suffix.lower()
            if not stays_beside(file.text):
                yield file.finding(
                    "does not lie in the protocol's folder or below it",
                    "copy the file there and write its name with /, such as pictures/valence_1.png",
                )
            elif suffix not in _PICTURES:
                why = " (an svg can carry a script)" if suffix == ".svg" else ""
                yield file.finding(
                    f"is not a png or jpg picture{why}", "save it as png or jpg, and write that name"
                )


def check_picture_files(instrument: Part, folder: Path) -> Iterator[Finding]:
    """Picture files that do not lie beside the protocol, or are no pictures that a phone can load."""
    pictures = instrument.get("pictures")
    if pictures is None or instrument["kind"].text != "sam":
        return
    for file in (file for _, nine in pictures.fields() for file in nine.readable_parts()):
        if not stays_beside(file.text) or PurePosixPath(file.text).suffix.lower() not in _PICTURES:
            continue
        path = folder / file.text
        if not path.is_file():
            yield file.finding("there is no such file beside the protocol", "put it there, or mend its name")
        elif path.stat().st_size > _PICTURE_BYTES:
            yield file.finding(
                f"is larger than a phone should load ({_PICTURE_BYTES // 1_000_000} MB)",
                "save it in fewer pixels",
            )
        elif not _begins_as_a_picture(path):
            yield file.finding("holds no png or jpg picture", "save it as png or jpg")


def _begins_as_a_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
