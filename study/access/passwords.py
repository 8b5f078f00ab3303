"""Which passwords are taken. Length is what counts (NIST SP 800-63B, 5.1.1.2); the worst are refused."""

from __future__ import annotations

from itertools import pairwise

from study.errors import OutOfRange

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 256

#: What heads every list of leaked passwords, without the digits and signs around it.
_WORST = """
    password passwort passw0rd p@ssw0rd p@ssword pass secret qwerty qwertz qwertyuiop qwertyui qwert asdf
    asdfgh asdfghjkl zxcvbn zxcvbnm azerty qazwsx qazwsxedc 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc q1w2e3r4
    abc abcd abcdef abcdefgh abcdefghijkl abc123 letmein welcome login admin administrator root user guest
    default changeme test testing iloveyou loveme love monkey dragon sunshine princess football baseball
    basketball soccer hockey superman batman spiderman pokemon starwars master shadow michael jordan jennifer
    jessica ashley charlie daniel thomas andrew matthew joshua robert george harley mustang ferrari corvette
    killer trustno1 whatever freedom flower summer winter spring autumn cheese chocolate computer internet
    google samsung liverpool chelsea arsenal hello cookie ginger pepper buster maggie tigger music isopath
"""
WORST = frozenset(_WORST.split())
_AROUND = "0123456789 !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~§€£"


def check_password_strength(password: str, staff_id: str) -> None:
    """Refuse what an attacker would try first.

    Raises:
        OutOfRange: too short, one of the worst, a row or a repetition, or the account's own name.
    """
    problem = _problem(password, staff_id)
    if problem is not None:
        raise OutOfRange("password", problem, "take four or five words that do not belong together")


def _problem(password: str, staff_id: str) -> str | None:
    if len(password) < LEAST_CHARACTERS:
        return f"has fewer than {LEAST_CHARACTERS} characters"
    if len(password) > MOST_CHARACTERS:
        return f"has more than {MOST_CHARACTERS} characters"
    lower = password.lower()
    core = lower.strip(_AROUND)
    if not core or len(set(lower)) < 5 or _is_run(lower):
        return "is only digits and signs, a row or a repetition"
    if lower in WORST or core in WORST or _unit(core) in WORST or _unit(lower) in WORST:
        return "is among those that are tried first"
    if any(len(name) >= 3 and name in lower for name in {staff_id, staff_id.partition("@")[0]}):
        return "holds the account's own name"
    return None


def _unit(text: str) -> str:
    """The shortest text whose repetition this is: ``hellohello`` is ``hello`` twice."""
    at = (text + text).find(text, 1)
    return text[:at] if at > 0 else text


def _is_run(text: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps in ({1}, {-1})
