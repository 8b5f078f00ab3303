"""What a protocol may ask of an engine that makes clips, and how each slip is named."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from generation.clips.option_values import AdapterOption
from generation.clips.options import ClipOptions
from study.errors import OutOfRange, UnknownName

SAID: list[tuple[dict[str, Any], str]] = [
    (
        {"guidence_scale": 3},
        '"guidence_scale" is not an option; did you mean "guidance_scale".? If not, write',
    ),
    ({"model": ""}, 'engine.options.model: "" is not a name'),
    ({"model": 3}, "engine.options.model: 3 is not a name"),
    ({"mode": "chain"}, 'engine.options.mode: "chain" is not known here; did you mean "chained".? If not,'),
    ({"mode": 1}, "engine.options.mode: 1 is not known here; write one of parallel, chained"),
    ({"dtype": "bf16"}, 'engine.options.dtype: "bf16" is not known here'),
    ({"conditioning": "prompt"}, 'engine.options.conditioning: "prompt" is not a list of names'),
    ({"conditioning": []}, "engine.options.conditioning: .. is not a list of names"),
    ({"conditioning": ["prompt", "prompt"]}, "engine.options.conditioning: .* names one twice"),
    ({"conditioning": ["promt"]}, 'engine.options.conditioning: "promt" is not known here; did you mean'),
    ({"prompts": "no-such-table"}, "no-such-table"),
    ({"guidance_scale": 0.5}, r"engine.options.guidance_scale: 0.5 is not a number in \[1, 20\]"),
    ({"guidance_scale": True}, "engine.options.guidance_scale: true is not a number"),
    ({"guidance_scale": "3"}, 'engine.options.guidance_scale: "3" is not a number'),
    ({"temperature": float("nan")}, "engine.options.temperature: NaN is not a number in"),
    ({"temperature": 0}, "engine.options.temperature: 0 is not a number in"),
    ({"top_k": 2.5}, "engine.options.top_k: 2.5 is not a whole number"),
    ({"top_k": 0}, r"engine.options.top_k: 0 is not a number in \[1, 2048\]"),
    ({"mode": "chained", "prefix_s": 7}, r"engine.options.prefix_s: 7 is not a number in \[8, 12\]"),
    ({"prefix_s": 10}, "engine.options.prefix_s: is written, and mode is parallel; write mode chained"),
    ({"candidates": 4}, "engine.options.candidates: 4 clips for each place, and no judge to choose; name"),
    ({"judge": "musicnn"}, 'engine.options.judge: "musicnn" has one clip to choose from; write candidates 4'),
    ({"candidates": 0, "judge": "musicnn"}, r"engine.options.candidates: 0 is not a number in \[1, 64\]"),
    ({"affect_guidance_scale": 2}, 'engine.options.affect_guidance_scale: is written, and .* no "tokens"'),
    ({"affect_tokens": "a.safetensors"}, 'engine.options.affect_tokens: is written, and .* no "tokens"'),
    ({"steering": "s.safetensors"}, 'engine.options.steering: is written, and conditioning .* no "steering"'),
    ({"steering_strength": 2}, 'engine.options.steering_strength: is written, and .* no "steering"'),
    ({"conditioning": ["tokens"]}, 'engine.options.affect_tokens: is missing, and .* holds "tokens"'),
    (
        {"conditioning": ["steering"]},
        'engine.options.steering: is missing, and conditioning holds "steering"',
    ),
    (
        {"conditioning": ["tokens"], "affect_tokens": "a", "prompts": "default"},
        'engine.options.prompts: is written, and conditioning holds no "prompt"',
    ),
    ({"adapters": "calm"}, 'engine.options.adapters: "calm" is not a list'),
    ({"adapters": [3]}, r"engine.options.adapters\[0\]: 3 is not a name"),
    ({"adapters": [{"weight": 1}]}, r"engine.options.adapters\[0\].path: is missing"),
    ({"adapters": ["a", {"path": "b", "wieght": 1}]}, r'adapters\[1\]: "wieght" is not known here; did you'),
    ({"adapters": [{"path": "a", "weight": "1"}]}, r'adapters\[0\].weight: "1" is not a number'),
    ({"adapters": ["a", {"path": "a"}]}, 'engine.options.adapters: "a" is named twice'),
]


@pytest.mark.parametrize(("options", "message"), SAID, ids=[str(options) for options, _ in SAID])
def test_a_slip_is_refused_by_its_place_with_a_remedy(options: dict[str, Any], message: str) -> None:
    with pytest.raises((OutOfRange, UnknownName), match=message):
        ClipOptions.from_json({"model": "small", **options})


def test_a_model_must_be_named() -> None:
    with pytest.raises(OutOfRange, match=r"engine\.options\.model: is missing; name a model"):
        ClipOptions.from_json({})


def test_what_is_not_written_is_as_documented() -> None:
    assert ClipOptions.from_json({"model": "small", "revision": None}) == ClipOptions("small")


def test_everything_that_can_be_written_is_read() -> None:
    options = ClipOptions.from_json(
        {
            "model": "musicgen-small",
            "revision": "4c8334b",
            "adapters": ["adapters/calm", {"path": "adapters/slow", "weight": 0.5}],
            "conditioning": ["prompt", "tokens", "steering"],
            "prompts": "default",
            "affect_tokens": "tokens.safetensors",
            "steering": "steering.safetensors",
            "steering_strength": 2,
            "guidance_scale": 3,
            "affect_guidance_scale": 2,
            "top_k": 100,
            "temperature": 0.9,
            "dtype": "bfloat16",
            "mode": "chained",
            "prefix_s": 12,
            "candidates": 4,
            "judge": "musicnn",
        }
    )

    assert options == ClipOptions(
        model="musicgen-small",
        revision="4c8334b",
        adapters=(AdapterOption("adapters/calm", 1.0), AdapterOption("adapters/slow", 0.5)),
        conditioning=("prompt", "tokens", "steering"),
        affect_tokens="tokens.safetensors",
        steering="steering.safetensors",
        steering_strength=2.0,
        affect_guidance_scale=2.0,
        top_k=100,
        temperature=0.9,
        dtype="bfloat16",
        mode="chained",
        prefix_s=12.0,
        candidates=4,
        judge="musicnn",
    )


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (ClipOptions("small"), 2),
        (ClipOptions("small", guidance_scale=1.0), 1),
        (ClipOptions("small", conditioning=("tokens",), affect_guidance_scale=2.0), 3),
    ],
)
def test_a_clip_takes_a_row_for_each_thing_guidance_compares(options: ClipOptions, rows: int) -> None:
    assert options.rows_per_clip == rows


def test_reading_options_imports_no_torch() -> None:
    code = (
        "import sys; from generation.clips.engine import ClipEngine;"
        "from generation.clips.options import ClipOptions;"
        "ClipOptions.from_json({'model': 'small'});"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
