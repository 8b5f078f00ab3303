"""Results made by hand for the tests of figures: the stated form of every part, with numbers to look for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from analysis.blinding.guesses import BANG
from analysis.blinding.indices import bang_index
from analysis.result_row import ResultRow
from analysis.results import RESULTS_VERSION, Results

SHORT = ("iso", "target_only", "silence", "noise", "shuffled", "contrary")
LONG = (
    "isopfad_von_der_berichteten_stimmung_zur_ruhe",
    "nur_zielmusik_ohne_jede_hinführung",
    "stille_mit_geschlossenen_augen_im_liegen",
    "rosa_rauschen_in_angeglichener_lautheit",
    "selbstausgewählteentspannungsmusikausdersammlung",
    "gegenläufiger_pfad_von_ruhe_zu_spannung",
)
REASONS = ("dropped out", "withdrew", "not yet given", "an item was left out", "simulated: not answered")


def make_results(
    arms: int = 2,
    people: int = 20,
    ids: tuple[str, ...] = SHORT,
    simulated: bool = True,
    shuffled: str | None = None,
    sessions: int = 4,
    clip_points: bool = False,
    seed: int = 1,
) -> Results:
    """Results with every part filled, of so many arms and people in each.

    Args:
        clip_points: clips one by one are in the results, not only their means.
    """
    rng = np.random.default_rng(seed)
    names = ids[:arms]
    labels = {arm: arm.replace("_", " ") for arm in names}
    contrasts = [(f"{names[0]}_vs_{other}", (names[0], other)) for other in names[1:]]
    music = [arm for index, arm in enumerate(names) if index not in (2, 3)]
    return Results(
        results_version=RESULTS_VERSION,
        simulated=simulated,
        shuffled=shuffled,
        rehearsal=None,
        study={
            "study_id": "calm",
            "arms": [{"arm": arm, "name": labels[arm], "label": labels[arm]} for arm in names],
            "endpoint": "projected_progress",
            "endpoint_label": "Progress toward the target",
            "instrument_id": "slider",
            "contrasts": [{"contrast_id": c, "arm_ids": list(pair)} for c, pair in contrasts],
        },
        flow=_flow(names, labels, people),
        baseline={},
        estimand={},
        primary={
            **_effects("projected_progress", contrasts, labels, people, rng),
            "by_session": _by_session(names, contrasts, labels, sessions, people),
            "diagnostics": {
                "residuals": {
                    "fitted": rng.normal(-0.4, 0.2, arms * people).tolist(),
                    "residual": rng.normal(0, 0.2, arms * people).tolist(),
                }
            },
        },
        secondary=[
            _effects(endpoint, contrasts, labels, people, rng)
            for endpoint in ("distance", "valence", "arousal")
        ],
        both_axes=[],
        equivalence=[_equivalence(c, pair, labels, people) for c, pair in contrasts[:1]],
        crossover=[],
        trajectories=_trajectories(names, contrasts, labels, people),
        missing_data=_missing_data(contrasts, labels),
        interim=INTERIM,
        ledger=[],
        agreement=_agreement(music, people, clip_points, rng),
        dose=_dose(names, labels, people),
        blinding=_blinding(names, labels, people),
        conduct=deepcopy(CONDUCT),
        paths=[_paths(arm, labels[arm], index, people, arm in music, rng) for index, arm in enumerate(names)],
        changes=[
            {"arm": arm, "label": labels[arm], "pairs": _pairs(people, 0.15 * index, rng)}
            for index, arm in enumerate(names)
        ],
        adherence=[_adherence(arm, labels[arm], index, people) for index, arm in enumerate(names)],
        missingness=_missingness(names, labels, people),
        safety={},
        deviations=[],
        provenance={},
        notes=[],
        numbers=[],
    )


def row_of(
    row_id: str, label: str, estimate: float | None, half: float, n: int, **extra: Any
) -> dict[str, Any]:
    """A result row as JSON holds it."""
    return {
        "row_id": row_id,
        "label": label,
        "estimate": estimate,
        "ci_low": None if estimate is None else estimate - half,
        "ci_high": None if estimate is None else estimate + half,
        "p_value": None,
        "unit": "circumplex unit",
        "n": n,
        "estimand": None,
        "method": "made by hand",
        "reason": None if estimate is not None else "made without",
        **extra,
    }


INTERIM: dict[str, Any] = {
    "spending": "obrien_fleming",
    "alpha": 0.05,
    "note": "",
    "final_nominal_alpha": 0.048,
    "looks": [
        {
            "look": 1,
            "information": 0.5,
            "boundary_z": 2.797,
            "alpha_spent": 0.005,
            "nominal_p": 0.005,
            "taken": True,
            "taken_information": 0.48,
            "statistic_z": 1.25,
            "crossed": False,
        },
        {
            "look": 2,
            "information": 1.0,
            "boundary_z": 1.977,
            "alpha_spent": 0.05,
            "nominal_p": 0.048,
            "taken": True,
            "taken_information": 0.97,
            "statistic_z": 2.31,
            "crossed": True,
        },
    ],
}


def _flow(names: tuple[str, ...], labels: dict[str, str], people: int) -> dict[str, Any]:
    lost = people // 10
    return {
        "enrolled": len(names) * people + 5,
        "not_allocated": {"not eligible": 3, "dropped out before allocation": 2},
        "allocated": len(names) * people,
        "groups": [
            {
                "group": arm,
                "label": labels[arm],
                "allocated": people,
                "started": people,
                "not_started": {},
                "completed": people - lost,
                "stopped": {"chose to stop": lost} if lost else {},
                "under_way": 0,
                "analysed": people - lost,
                "not_analysed": {"post report missed: simulated: not answered": lost} if lost else {},
            }
            for arm in names
        ],
    }


def _effects(
    endpoint: str,
    contrasts: list[tuple[str, tuple[str, str]]],
    labels: dict[str, str],
    people: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    half = 1.2 / np.sqrt(people)
    return {
        "endpoint": endpoint,
        "endpoint_label": endpoint,
        "contrasts": [
            row_of(
                f"{endpoint}:{c}",
                f"{labels[pair[0]]} − {labels[pair[1]]}",
                0.25 if endpoint == "projected_progress" and index == 0 else float(rng.normal(0.1, 0.2)),
                half,
                2 * people,
                endpoint=endpoint,
                contrast_id=c,
                arms=list(pair),
                note=None,
            )
            for index, (c, pair) in enumerate(contrasts)
        ],
        "arms": [],
        "missing": {},
        "left_out": [],
        "by_session": [],
        "diagnostics": {},
    }


def _equivalence(contrast: str, pair: tuple[str, str], labels: dict[str, str], people: int) -> dict[str, Any]:
    return row_of(
        f"equivalence:{contrast}",
        f"{labels[pair[0]]} − {labels[pair[1]]}",
        0.25,
        1.0 / np.sqrt(people),
        2 * people,
        contrast_id=contrast,
        arms=list(pair),
        aim="equivalence",
        margin=0.2,
        ci_level=0.9,
        p_lower=0.01,
        p_upper=0.2,
        concluded=False,
    )


def _by_session(
    names: tuple[str, ...],
    contrasts: list[tuple[str, tuple[str, str]]],
    labels: dict[str, str],
    sessions: int,
    people: int,
) -> list[dict[str, Any]]:
    half = 0.8 / np.sqrt(people)
    means = [
        row_of(
            f"{arm}:{n}",
            labels[arm],
            -0.8 + 0.1 * n + 0.05 * index,
            half,
            people,
            session_id=f"ses-{n:02d}",
            period=n,
            kind="arm",
            arm=arm,
        )
        for index, arm in enumerate(names)
        for n in range(1, sessions + 1)
    ]
    return means + [
        row_of(
            f"{c}:{n}",
            c,
            0.05 * n,
            1.4 * half,
            people,
            session_id=f"ses-{n:02d}",
            period=n,
            kind="contrast",
            contrast_id=c,
        )
        for c, _ in contrasts
        for n in range(1, sessions + 1)
    ]


def _trajectories(
    names: tuple[str, ...],
    contrasts: list[tuple[str, tuple[str, str]]],
    labels: dict[str, str],
    people: int,
) -> list[dict[str, Any]]:
    rows = []
    for sign, axis in ((1, "valence"), (-1, "arousal")):
        rows += [
            row_of(
                f"trajectory:{axis}:slope:{arm}",
                labels[arm],
                sign * (0.6 - 0.1 * index),
                0.1,
                people,
                axis=axis,
                arm=arm,
                instrument_id="slider",
                kind="slope",
            )
            for index, arm in enumerate(names)
        ]
        rows += [
            row_of(
                f"trajectory:{axis}:difference:{c}",
                c,
                sign * 0.1,
                0.15,
                people,
                axis=axis,
                contrast_id=c,
                instrument_id="slider",
                kind="difference",
            )
            for c, _ in contrasts
        ]
    return rows


def _missing_data(
    contrasts: list[tuple[str, tuple[str, str]]], labels: dict[str, str]
) -> dict[str, Any] | None:
    if not contrasts:
        return None
    contrast, pair = contrasts[0]
    return {
        "n_missing": 6,
        "reasons": {"dropped out": 6},
        "imputations": 50,
        "reason": None,
        "imputed": [],
        "reference": [],
        "tipping": {
            "contrast_id": contrast,
            "label": f"{labels[pair[0]]} − {labels[pair[1]]}",
            "method": "",
            "reason": None,
            "tips_at": -0.6,
            "points": [
                {
                    "delta": round(-0.1 * step, 1),
                    "estimate": 0.25 - 0.02 * step,
                    "ci_low": 0.12 - 0.02 * step,
                    "ci_high": 0.38 - 0.02 * step,
                    "p_value": 0.01,
                }
                for step in range(11)
            ],
        },
    }


def _agreement(music: list[str], people: int, clip_points: bool, rng: np.random.Generator) -> dict[str, Any]:
    def points(n: int) -> list[list[Any]]:
        return [
            [float(mean), float(difference), arm]
            for arm in music
            for mean, difference in zip(rng.normal(0, 0.3, n), rng.normal(0.3, 0.3, n), strict=True)
        ]

    def rows(set_id: str) -> list[dict[str, Any]]:
        return [
            row_of(f"{set_id}:{axis}:{name}", name, value, 0.08, 3 * people, axis=axis, statistic=name)
            for axis in ("valence", "arousal")
            for name, value in (("bias", 0.31), ("limit_low", -0.28), ("limit_high", 0.9))
        ]

    sets = []
    for phase, times in (("probe", 3), ("post", 1)):
        set_id = f"felt_vs_generated:{phase}:slider"
        sets.append(
            {
                "set_id": set_id,
                "label": set_id,
                "first": "felt",
                "second": "generated",
                "phase": phase,
                "n_pairs": times * people * len(music),
                "unit": "participant",
                "rows": rows(set_id),
                "points": {axis: points(times * people) for axis in ("valence", "arousal")},
            }
        )
    n_clips = 8 * people
    sets.append(
        {
            "set_id": "generated_vs_planned:clips",
            "label": "generated − planned",
            "first": "generated",
            "second": "planned",
            "phase": None,
            "n_pairs": n_clips * len(music),
            "unit": "participant",
            "rows": [],
            "points": {axis: points(n_clips) for axis in ("valence", "arousal")} if clip_points else None,
        }
    )
    engine = [
        row_of(f"engine:{arm}:{axis}:{name}", name, value, 0.1, n_clips, arm=arm, axis=axis, statistic=name)
        for arm in music
        for axis in ("valence", "arousal")
        for name, value in (("ccc", 0.42), ("slope", 0.3), ("intercept", -0.05))
    ]
    return {
        "sets": sets,
        "attenuation": [],
        "engine": engine,
        "predictors": [],
        "path_following": _path_following(music, people, rng),
        "unpaired": {},
        "arms_without_music": [],
    }


def _path_following(music: list[str], people: int, rng: np.random.Generator) -> dict[str, Any]:
    """The first arm's plan moves; the others stand still, and have nothing to follow."""

    def null(predictor: str, axis: str, statistic: str, null: str, estimate: float) -> dict[str, Any]:
        arranged = rng.normal(0, 0.1 if null == "shuffled" else 0.25, 1999)
        counts, edges = np.histogram(arranged, bins=40)
        row_id = f"path:{music[0]}:{predictor}:{axis}:{statistic}:{null}"
        return {
            **row_of(row_id, statistic, estimate, 0.0, people),
            "p_value": 0.0005,
            "arm": music[0],
            "predictor": predictor,
            "axis": axis,
            "statistic": statistic,
            "null": null,
            "null_mean": 0.0,
            "null_low": -0.2,
            "null_high": 0.2,
            "points": {"edges": edges.tolist(), "counts": counts.tolist()},
        }

    return {
        "parts": [
            {
                "predictor": name,
                "is_reporter": name == "musicnn",
                "took_part": [],
                "manipulation_check": music if name == "cues" else [],
                "clips": 8 * people,
                "foreign_share": 0.4,
            }
            for name in ("musicnn", "cues")
        ],
        "rows": [],
        "nulls": [
            null(predictor, axis, statistic, kind, estimate)
            for predictor, estimate in (("musicnn", 0.35), ("cues", 0.8))
            for axis in ("valence", "arousal")
            for statistic, kind in (("path_r", "shuffled"), ("path_r", "reversed"))
        ],
        "points": [],
    }


CONDUCT: dict[str, Any] = {
    "amendments": [
        {
            "at": "2026-04-02T10:00:00+00:00",
            "actor": "admin:anna",
            "version": "1.1",
            "protocol_sha256": "ab" * 32,
            "reason": "the committee asked for it",
            "changes": ["$.sample_size: 40 became 60", "$.title: 'Calm' became 'Calm music'"],
        }
    ],
    "pauses": [
        {"at": "2026-04-03T10:00:00+00:00", "actor": "admin:anna", "paused": True, "reason": "a holiday"}
    ],
    "stop_rules": [{"at": "2026-04-04T10:00:00+00:00", "rule_id": "much_distress"}],
    "revealed": [
        {
            "at": "2026-04-05T10:00:00+00:00",
            "actor": "coordinator:cora",
            "participant_id": "sub-1f0c6a2b",
            "reason": "a seizure",
            "emergency": True,
        }
    ],
    "code_break_lists": [{"at": "2026-04-06T10:00:00+00:00", "actor": "unblinded:una", "participants": 40}],
}


def _blinding(names: tuple[str, ...], labels: dict[str, str], people: int) -> dict[str, Any]:
    right, unknown = people // 2, people // 4
    wrong = people - right - unknown
    index = bang_index(right, wrong, unknown, len(names))
    rows = [
        ResultRow(
            f"bang_{arm}",
            f"{labels[arm]}: Bang's index",
            index.estimate,
            index.ci_low,
            index.ci_high,
            None,
            people,
            BANG,
            None,
            {"arm": arm},
            "1",
        ).to_plain()
        for arm in names
    ]
    arms = [
        {
            "arm": arm,
            "label": labels[arm],
            "guesses": [
                {"arm": guess, "people": right if guess == arm else wrong if guess == names[place - 1] else 0}
                for guess in names
            ],
            "unknown": unknown,
            "unanswered": 1,
        }
        for place, arm in enumerate(names)
    ]
    return {"rows": rows, "arms": arms}


def _dose(names: tuple[str, ...], labels: dict[str, str], people: int) -> dict[str, Any]:
    bands = ["less than half", "half and more, less than 90 %", "90 % and more, but not all", "all"]
    return {
        "bands": bands,
        "arms": [
            {
                "arm": arm,
                "label": labels[arm],
                "heard_s_median": 240.0,
                "heard_share_mean": 0.9,
                "bands": [
                    {
                        "band": band,
                        "n": n,
                        "mean": -0.6 + 0.1 * place + 0.05 * index if n else None,
                        "sd": 0.2 if n > 1 else None,
                    }
                    for place, (band, n) in enumerate(zip(bands, (0, 1, people // 4, people), strict=True))
                ],
            }
            for index, arm in enumerate(names)
        ],
        "slope_rows": [],
        "note": "",
    }


def _adherence(arm: str, label: str, index: int, people: int) -> dict[str, Any]:
    heard = dict(
        zip(("min", "q1", "median", "q3", "max"), (40.0, 180.0 - 9 * index, 228.0, 240.0, 240.0), strict=True)
    )
    return {
        "arm": arm,
        "label": label,
        "started": {"n": people, "of": people},
        "planned_s": 240.0,
        "heard_s": heard,
        "heard_share_mean": 0.88,
    }


def _missingness(names: tuple[str, ...], labels: dict[str, str], people: int) -> list[dict[str, Any]]:
    rows = []
    for phase, times in (("pre", 1), ("probe", 3), ("post", 1)):
        for index, arm in enumerate(names):
            missing = (
                {}
                if phase == "pre"
                else {
                    reason: 1 + (index + place) % 3 for place, reason in enumerate(REASONS[: 2 + index % 4])
                }
            )
            n = sum(missing.values())
            rows.append(
                {
                    "arm": arm,
                    "label": labels[arm],
                    "phase": phase,
                    "instrument_id": "slider",
                    "given": {"n": times * people - n, "of": max(times * people, n)},
                    "missing": missing,
                }
            )
    return rows


def _pairs(people: int, shift: float, rng: np.random.Generator) -> list[list[float]]:
    before = rng.normal(-1.4, 0.15, people)
    after = before + 0.8 - shift + rng.normal(0, 0.15, people)
    return [[float(one), float(other)] for one, other in zip(before, after, strict=True)]


def _paths(
    arm: str, label: str, index: int, people: int, has_music: bool, rng: np.random.Generator
) -> dict[str, Any]:
    times = np.arange(8) * 30.0 + 15
    planned = np.stack([np.linspace(-0.5, 0.6, 8), np.linspace(0.5, -0.4, 8)], axis=1)
    generated = 0.4 * planned + rng.normal(-0.1, 0.05, planned.shape)
    felt_at = (0.0, 60.0, 120.0, 180.0, 240.0)
    phases = ("pre", "probe", "probe", "probe", "post")

    def clip_points(values: Any) -> list[dict[str, Any]]:
        return [
            {"time_s": float(t), "valence": float(v), "arousal": float(a), "n": people}
            for t, (v, a) in zip(times, values, strict=True)
        ]

    felt = []
    for t, phase in zip(felt_at, phases, strict=True):
        v, a = -0.45 + (0.9 - 0.1 * index) * t / 240, 0.45 - (0.7 - 0.1 * index) * t / 240
        felt.append(
            {
                "time_s": t,
                "phase": phase,
                "valence": v,
                "arousal": a,
                "valence_ci": [v - 0.08, v + 0.08],
                "arousal_ci": [a - 0.08, a + 0.08],
                "n": people,
            }
        )
    return {
        "arm": arm,
        "label": label,
        "has_music": has_music,
        "target": [0.6, -0.4],
        "planned": clip_points(planned) if has_music else [],
        "generated": clip_points(generated) if has_music else [],
        "heard": [
            {"predictor": "musicnn", "points": clip_points(generated)},
            {"predictor": "cues", "points": clip_points(0.8 * planned)},
        ]
        if has_music
        else [],
        "felt": felt,
        "people": {
            "pre": np.clip(rng.normal((-0.45, 0.45), 0.2, (people, 2)), -1, 1).tolist(),
            "post": np.clip(rng.normal((0.4, -0.2), 0.2, (people, 2)), -1, 1).tolist(),
        },
    }
