"""A whole protocol from a few answers, with texts to be read by an ethics committee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STEP_S = 30

_LABELS = {
    "iso": "Iso path: from the start to the target in small steps",
    "target_only": "Target only: the target mood from the first second",
    "reverse": "The iso path backwards",
    "random_order": "The iso path's moods in random order",
    "constant": "The starting mood throughout",
    "noise": "Noise",
    "silence": "Silence, with headphones on",
}

_SCREENING = (
    ("adult", "Are you 18 years of age or older?", True),
    (
        "hearing_impairment",
        "Do you have a hearing impairment, ringing in the ears or a sensitivity to sound that makes"
        " listening to music through headphones difficult or unpleasant?",
        False,
    ),
    (
        "heart_condition",
        "Has a doctor told you that you have a heart condition for which you should avoid excitement or"
        " strain?",
        False,
    ),
    ("epilepsy", "Do you have epilepsy, or have you ever had a seizure?", False),
    (
        "present_crisis",
        "Are you in a mental health crisis at the moment, or have you had thoughts of harming yourself in"
        " the last two weeks?",
        False,
    ),
)

_CONSENT = """# {title}: information and consent

**What will happen?** You answer some questions about how you feel, rest with headphones for \
{minutes:g} minutes, and answer the same questions again. Chance decides which of {arms} ways to \
spend this time you are given: kinds of music or other sound, or silence. When the study has ended \
we tell you which it was and how the sound was made.

**Are there risks?** The music may begin with sounds that express tension or sadness, and it may \
touch feelings or memories that are unpleasant. This usually passes quickly. **You can stop at any \
moment, with one button, without giving a reason.** The sound level is limited by the study; please \
set your device to a comfortable level and do not raise it while you listen.

**Are there benefits?** None that we can promise. This is not a treatment and does not replace one.

**What happens with my data?** Your answers and the times at which you listened, paused or stopped \
are stored under a code, apart from your name. You may see your data and ask us to delete them.

**Do I have to take part?** No. Saying no, or stopping, has no disadvantage for you.

**Whom can I ask?** {contact}

I have read and understood this information, my questions have been answered, and I take part of my \
own free will."""

_SUPPORT = """**The session has stopped.** Thank you for listening to yourself.

Strong feelings while listening to music are common and usually ease within some minutes. It can \
help to put both feet on the floor, breathe out slowly, and look around the room.

If you would like to talk to someone: {contact}

If you are in danger or might hurt yourself, call your emergency number now (112 in Europe, 999 in \
the United Kingdom, 911 or 988 in the United States)."""


def draft_protocol(
    *,
    study_id: str,
    title: str,
    start: Any,
    target: Mapping[str, Any],
    arms: Sequence[str],
    minutes: float,
    people: int,
    strata: Sequence[tuple[str, Sequence[str]]],
    contact: str,
) -> dict[str, Any]:
    """A protocol's JSON.

    Args:
        start: ``"pre"``, or a point as protocols write it.
        target: a point as protocols write it.
        arms: path kinds without files; the first is compared with the second.
        minutes: whole or half minutes, from 1.
        strata: factor and levels.
    """
    duration_s = round(minutes * 60)
    steps = duration_s // STEP_S
    long = steps >= 10
    probes = [third // STEP_S * STEP_S for third in (duration_s // 3, duration_s * 2 // 3)] if long else []
    return {
        "format_version": "1",
        "study": {
            "id": study_id,
            "title": title,
            "version": "0.1",
            "contacts": [{"role": "for questions and support", "name": contact}],
        },
        "languages": ["en"],
        "design": "parallel",
        "population": {"description": "Adults who pass the screening below.", "sample_size": people},
        "session": {"duration_s": duration_s, "count": 1, "clip_s": STEP_S},
        "path": {
            "start": start,
            "target": dict(target),
            "steps": steps,
            "step_s": STEP_S,
            "dwell_start_steps": 2 if long else 1,
            "dwell_end_steps": 4 if steps >= 20 else 2 if long else 1,
        },
        "arms": [{"id": kind, "label": _LABELS[kind], "path": {"kind": kind}} for kind in arms],
        "allocation": {
            "method": "permuted_blocks",
            "ratio": dict.fromkeys(arms, 1),
            "strata": [{"factor": factor, "levels": list(levels)} for factor, levels in strata],
            "block_sizes": [size for k in (1, 2, 3) if (size := k * len(arms)) <= people or k == 1],
        },
        "eligibility": [
            {"id": name, "text": {"en": text}, "eligible_if": answer} for name, text, answer in _SCREENING
        ],
        "consent": {
            "version": "0.1",
            "text": {"en": _CONSENT.format(title=title, minutes=minutes, arms=len(arms), contact=contact)},
        },
        "instruments": [{"id": "feeling", "kind": "affective_slider", "perspective": "felt"}],
        "assessments": [
            {"phase": "pre", "instruments": ["feeling"]},
            *([{"phase": "probe", "instruments": ["feeling"], "at_s": probes}] if probes else []),
            {"phase": "post", "instruments": ["feeling"]},
        ],
        "safety": {
            "loudness_lufs": -23,
            "distress": {"valence_at_or_below": -0.8, "arousal_at_or_above": 0.6},
            "support_text": {"en": _SUPPORT.format(contact=contact)},
        },
        "delivery": "live",
        "analysis": {
            "endpoint": "projected_progress",
            "instrument": "feeling",
            "estimand": {
                "population": "all participants who were allocated",
                "variable": "felt affect after the session, as progress from the start toward the target",
                "summary": "difference in adjusted means",
                "intercurrent_events": {
                    "stopped_early": "treatment_policy",
                    "distress_stop": "treatment_policy",
                    "paused": "treatment_policy",
                    "muted": "treatment_policy",
                    "tab_hidden": "treatment_policy",
                    "technical_failure": "hypothetical",
                    "withdrew": "hypothetical",
                },
            },
            "covariates": ["pre_valence", "pre_arousal", *(factor for factor, _ in strata)],
            "contrasts": [
                {
                    "id": f"{arms[0]}_minus_{other}",
                    "arms": [arms[0], other],
                    "primary": other == arms[1],
                }
                for other in arms[1:]
            ],
            "multiplicity": "holm" if len(arms) > 2 else "none",
            "alpha": 0.05,
            "agreement": {"predictor": "musicnn", "probe_window_s": 30, "post_window_s": 60},
        },
    }
