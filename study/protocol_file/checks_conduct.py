"""Checks of a study's conduct: ids, texts, visits, safety, delivery."""

from __future__ import annotations

from collections.abc import Iterator

from study.protocol_file.arms import target_of
from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding, plain_number, shown


def check_conduct(draft: Part) -> Iterator[Finding]:
    """What is wrong with ids, texts, visits, safety and delivery."""
    yield from run_checks(
        (
            _ids_are_unique,
            _texts_speak_every_language,
            _windows_follow_each_other,
            _distress_is_not_the_target,
            _stop_rules_can_be_reached,
            _bank_goes_with_its_delivery,
            _identities_go_before_the_data,
        ),
        draft,
    )


def _ids_are_unique(top: Part) -> Iterator[Finding]:
    for where, name in (
        (("arms",), "id"),
        (("eligibility",), "id"),
        (("safety", "stop_rules"), "id"),
        (("analysis", "contrasts"), "id"),
        (("allocation", "strata"), "factor"),
    ):
        seen: set[str] = set()
        yield from run_checks((_names_are_unique,), top, where, name, seen)
    # Assessments name both, so that both share their names.
    given: set[str] = set()
    for owner in ("instruments", "questionnaires"):
        yield from run_checks((_names_are_unique,), top, (owner,), "id", given)


def _names_are_unique(top: Part, where: tuple[str, ...], name: str, seen: set[str]) -> Iterator[Finding]:
    for part in top.at(*where).readable_parts():
        yield from run_checks((_name_is_new,), part, name, seen)


def _name_is_new(part: Part, name: str, seen: set[str]) -> Iterator[Finding]:
    used = part[name]
    if used.text in seen:
        yield used.finding(f"{shown(used.text)} is used twice", "write another name")
    seen.add(used.text)


def _texts_speak_every_language(top: Part) -> Iterator[Finding]:
    languages = top["languages"].texts
    for names in (
        ("study", "public_title"),
        ("consent", "text"),
        ("induction", "text"),
        ("safety", "support_text"),
        ("debrief", "text"),
    ):
        yield from run_checks((_text_speaks,), top, names, languages)
    for arm in top["arms"].readable_parts():
        yield from run_checks((_text_speaks,), arm, ("told",), languages)
    yield from run_checks((_questions_speak,), top, ("eligibility",), languages)
    yield from run_checks((_questionnaires_speak,), top, languages)


def _questions_speak(owner: Part, where: tuple[str, ...], languages: list[str]) -> Iterator[Finding]:
    for question in owner.at(*where).readable_parts():
        for name in ("text", "low", "high"):
            yield from run_checks((_text_speaks,), question, (name,), languages)
        yield from run_checks((_questions_speak,), question, ("options",), languages)


def _questionnaires_speak(top: Part, languages: list[str]) -> Iterator[Finding]:
    for questionnaire in top["questionnaires"].readable_parts():
        yield from run_checks((_questions_speak,), questionnaire, ("items",), languages)


def _text_speaks(owner: Part, names: tuple[str, ...], languages: list[str]) -> Iterator[Finding]:
    text = owner.at(*names)
    for language in languages:
        if language not in text.json:
            yield Finding(
                (*text.path, language),
                "is missing, and it is a language of the study",
                f"write the text in {language}, or take {language} out of languages",
            )
    for language in text.json:
        if language not in languages:
            yield Finding(
                (*text.path, language),
                "is not a language of the study",
                f"add {language} to languages, or delete this text",
            )


def _windows_follow_each_other(top: Part) -> Iterator[Finding]:
    session = top["session"]
    count, windows = session["count"].whole, session.get("windows")
    entries = {} if windows is None else {w["session"].whole: w for w in reversed(windows.parts())}
    seen: set[int] = set()
    for window in windows.parts() if windows else []:
        number = window["session"].whole
        if number > count:
            yield window["session"].finding(
                f"there is no session {number}: count is {count}", "delete this window, or raise count"
            )
        if number in seen:
            yield window["session"].finding(f"session {number} has a window already", "keep one")
        seen.add(number)
        if window["from_day"].number > window["to_day"].number:
            yield window["to_day"].finding(
                f"day {plain_number(window['to_day'].number)} comes before from_day"
                f" {plain_number(window['from_day'].number)}",
                "write a day that is not before from_day",
            )
    missing = [number for number in range(2, count + 1) if number not in entries]
    if missing:
        yield Finding(
            (*session.path, "windows"),
            "says nothing of session " + ", ".join(str(number) for number in missing),
            'write a window for each session from 2, such as {"session": 2, "from_day": 7, "to_day": 14}',
        )
    for number, window in entries.items():
        before = entries.get(number - 1)
        if before is not None and window["from_day"].number < before["to_day"].number:
            yield window["from_day"].finding(
                f"session {number} could come before session {number - 1},"
                f" whose window ends on day {plain_number(before['to_day'].number)}",
                f"write day {plain_number(before['to_day'].number)} or later",
            )


def _distress_is_not_the_target(top: Part) -> Iterator[Finding]:
    distress = top.at("safety", "distress")
    valence, arousal = distress["valence_at_or_below"].number, distress["arousal_at_or_above"].number
    if valence >= 0 >= arousal:
        yield distress.finding(
            "a neutral report (0, 0) would count as distress and stop the session",
            "write a valence below 0 or an arousal above 0",
        )
    target = target_of(top["path"])
    if target.valence <= valence and target.arousal >= arousal:
        yield distress.finding(
            f"the target ({plain_number(target.valence)}, {plain_number(target.arousal)}) would count as"
            " distress, so that reaching it would stop the session",
            "write a lower valence or a higher arousal, or another target",
        )


def _stop_rules_can_be_reached(top: Part) -> Iterator[Finding]:
    people = top.at("population", "sample_size").whole
    for rule in top.at("safety", "stop_rules").readable_parts():
        yield from run_checks((_rule_can_be_reached,), rule, people)


def _rule_can_be_reached(rule: Part, people: int) -> Iterator[Finding]:
    if rule["at_least"].whole > people:
        yield rule["at_least"].finding(
            f"{rule['at_least'].whole} people are more than the study has ({people})",
            "write the number of people in one arm that asks for a halt",
        )


def _bank_goes_with_its_delivery(top: Part) -> Iterator[Finding]:
    delivery, bank = top["delivery"].text, top.get("bank")
    if delivery == "bank" and bank is None:
        yield Finding(("bank",), "is missing, and delivery is bank", 'write {"points": 5}, or delivery live')
    if delivery != "bank" and bank is not None:
        yield bank.finding(f"does nothing with delivery {delivery}", "delete it, or write delivery bank")


def _identities_go_before_the_data(top: Part) -> Iterator[Finding]:
    privacy = top.get("privacy")
    months = privacy.get("identities_months") if privacy is not None else None
    if privacy is None or months is None or months.whole <= 12 * privacy["retention_years"].whole:
        return
    years = privacy["retention_years"].whole
    yield months.finding(
        f"{months.whole} months are longer than the {years} years the data are kept",
        "write fewer months, or more retention_years",
    )
