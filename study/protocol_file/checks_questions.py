"""Checks of the study's own questionnaires: their items, and when they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding, did_you_mean, shown
from study.questionnaire import DO_NOT_KNOW, PALETTE, PREFERRED, ItemKind

#: What each kind of item is made of, beside id, kind, text and required.
_FIELDS: Mapping[ItemKind, Mapping[str, str]] = {
    ItemKind.SCALE: {
        "points": "write the number of points, such as 7",
        "low": "write the end at point 1 in words",
        "high": "write the other end in words",
    },
    ItemKind.CHOICE: {"options": "write two or more answers, each with id and text"},
    ItemKind.TEXT: {},
}

#: What each measure is answered with: a number to average, or an arm to count.
_ANSWERED_BY: Mapping[str, ItemKind] = {
    "expectancy": ItemKind.SCALE,
    "preference": ItemKind.SCALE,
    "familiarity": ItemKind.SCALE,
    "arm_guess": ItemKind.CHOICE,
    PALETTE: ItemKind.CHOICE,
}


def check_questions(draft: Part) -> Iterator[Finding]:
    """What is wrong with the questionnaires, and with what arms take from their answers."""
    yield from run_checks((_preferred_palette_is_asked, _palette_is_asked_to_be_played), draft)
    questionnaires = draft.get("questionnaires")
    if questionnaires is None:
        return
    for questionnaire in questionnaires.readable_parts():
        yield from run_checks((_questionnaire_is_given, _guess_follows_the_music), questionnaire, draft)
        yield from run_checks((_items_are_whole,), questionnaire, draft)


def _preferred_palette_is_asked(top: Part) -> Iterator[Finding]:
    asked = {
        name
        for assessment in top["assessments"].parts()
        if assessment["phase"].text in ("baseline", "pre")
        for name in assessment["instruments"].texts
    }
    items = [
        item
        for questionnaire in _parts(top.get("questionnaires"))
        if questionnaire["id"].text in asked
        for item in questionnaire["items"].parts()
        if _measured(item) == PALETTE
    ]
    for palette in _preferred(top):
        if top["delivery"].text == "bank":
            yield palette.finding(
                f"{PREFERRED} is chosen by each person, and a bank is made before they come",
                "write delivery live, or one palette for all",
            )
        elif not items:
            yield palette.finding(
                f"{PREFERRED} is what a person chose, and nothing asks for it before the music",
                'give a questionnaire with a choice that "measures": "palette" at baseline or pre',
            )
        elif not any(item.get("required") is not None and item["required"].is_true for item in items):
            yield palette.finding(
                f"{PREFERRED} is what a person chose, and the question for it may be passed over",
                "write required true in its item",
            )


def _palette_is_asked_to_be_played(top: Part) -> Iterator[Finding]:
    if _preferred(top):
        return
    for questionnaire in _parts(top.get("questionnaires")):
        for item in questionnaire["items"].parts():
            if _measured(item) == PALETTE:
                yield item["measures"].finding(
                    "asks for a palette, and no arm plays the one that was chosen",
                    f"write engine.options.palette {PREFERRED} in an arm, or leave measures out",
                )


def _preferred(top: Part) -> list[Part]:
    """Where an arm's engine takes its palette from the answers."""
    found = []
    for arm in top["arms"].parts():
        engine = arm.get("engine")
        options = None if engine is None else engine.get("options")
        palette = None if options is None else options.get(PALETTE)
        if palette is not None and palette.json == PREFERRED:
            found.append(palette)
    return found


def _parts(part: Part | None) -> list[Part]:
    return [] if part is None else part.parts()


def _questionnaire_is_given(questionnaire: Part, top: Part) -> Iterator[Finding]:
    name = questionnaire["id"]
    if name.text not in {given for a in top["assessments"].parts() for given in a["instruments"].texts}:
        yield name.finding(f"{shown(name.text)} is never given", "name it in an assessment, or delete it")


def _guess_follows_the_music(questionnaire: Part, top: Part) -> Iterator[Finding]:
    if not any(_measured(item) == "arm_guess" for item in questionnaire["items"].parts()):
        return
    for assessment in top["assessments"].readable_parts():
        yield from run_checks((_guess_is_open,), assessment, questionnaire["id"].text, top)


def _guess_is_open(assessment: Part, questionnaire_id: str, top: Part) -> Iterator[Finding]:
    phase, debrief = assessment["phase"].text, top.get("debrief")
    for name in assessment["instruments"].readable_parts():
        if name.text != questionnaire_id:
            continue
        if phase in ("baseline", "pre"):
            yield name.finding(
                f"{shown(name.text)} asks which arm it was, and nothing is heard before {phase}",
                "give it at post",
            )
        elif (
            phase == "follow_up"
            and debrief is not None
            and debrief["tells_arm"].is_true
            and debrief["when"].text == "after_last_session"
        ):
            yield name.finding(
                f"{shown(name.text)} asks which arm it was, and the debriefing has told it by then",
                "give it at post, or write debrief.when after_follow_up",
            )


def _measured(item: Part) -> str | None:
    measures = item.get("measures")
    return None if measures is None else measures.text


def _items_are_whole(questionnaire: Part, top: Part) -> Iterator[Finding]:
    ids: set[str] = set()
    measured: set[str] = set()
    for item in questionnaire["items"].readable_parts():
        yield from run_checks((_is_new,), item, "id", ids, "is used twice", "write another name")
        yield from run_checks(
            (_is_new,), item, "measures", measured, "is measured twice on one page", "keep one of the two"
        )
        yield from run_checks((_fields_fit_the_kind, _measure_fits_the_kind, _options_differ), item)
        yield from run_checks((_guess_names_the_arms,), item, top)


def _is_new(item: Part, field: str, seen: set[str], problem: str, remedy: str) -> Iterator[Finding]:
    part = item.get(field)
    if part is None:
        return
    if part.text in seen:
        yield part.finding(f"{shown(part.text)} {problem}", remedy)
    seen.add(part.text)


def _fields_fit_the_kind(item: Part) -> Iterator[Finding]:
    kind = ItemKind(item["kind"].text)
    for owner, fields in _FIELDS.items():
        for field, write in fields.items():
            path = (*item.path, field)
            if owner is kind and field not in item.json:
                yield Finding(path, f"is missing, and this is a {kind}", write)
            if owner is not kind and field in item.json:
                yield Finding(path, f"belongs to a {owner}, and this is a {kind}", "delete it")


def _measure_fits_the_kind(item: Part) -> Iterator[Finding]:
    measures, kind = item.get("measures"), item["kind"].text
    if measures is not None and kind != _ANSWERED_BY[measures.text]:
        wanted = _ANSWERED_BY[measures.text]
        yield measures.finding(
            f"{measures.text} is answered by a {wanted}, and this is a {kind}",
            f"write kind {wanted}, or leave measures out",
        )


def _options_differ(item: Part) -> Iterator[Finding]:
    seen: set[str] = set()
    for option in item["options"].readable_parts():
        yield from run_checks((_is_new,), option, "id", seen, "is used twice", "write another name")


def _guess_names_the_arms(item: Part, top: Part) -> Iterator[Finding]:
    if _measured(item) != "arm_guess":
        return
    wanted = [*(arm["id"].text for arm in top["arms"].parts()), DO_NOT_KNOW]
    named = [option["id"] for option in item["options"].parts()]
    for option_id in named:
        if option_id.text not in wanted:
            yield option_id.finding(
                f"{shown(option_id.text)} is neither an arm nor {DO_NOT_KNOW}",
                did_you_mean(option_id.text, wanted) + "write one of " + ", ".join(wanted),
            )
    missing = [name for name in wanted if name not in {option_id.text for option_id in named}]
    if missing:
        yield item["options"].finding(
            f"says nothing of {', '.join(missing)}",
            f"write an answer for each arm, and {DO_NOT_KNOW}",
        )
