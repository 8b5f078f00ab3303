"""Ask audiocraft which codes a small random MusicGen gives, and write them down.

    .venv-audiocraft/bin/python -m tests.oracles.audiocraft_codes > tests/oracles/audiocraft_codes.json

Runs in an environment of its own (requirements-audiocraft.txt): isopath's tests read the
numbers only. The model is audiocraft's own LMModel with its own loop, guidance, delay
pattern and streaming attention, set as in the published MusicGens; only its T5 is left
out, in favour of given text states. Decoding is greedy.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import numpy as np

from tests.oracles import random_weights
from tests.oracles.audiocraft_stubs import stand_in

GUIDANCE_SCALE = 3.0
FRAMES = 40
PREFIX_FRAMES = 9
DELAYS = {4: [0, 1, 2, 3], 8: [0, 0, 1, 1, 2, 2, 3, 3]}


def main() -> None:
    """Print one JSON object: the versions, and cases of mono and stereo, 1 and 3 clips, new and continued."""
    stand_in()
    cases = [
        codes_of(n_codebooks, n_clips, prefix_frames)
        for n_codebooks in DELAYS
        for n_clips in (1, 3)
        for prefix_frames in (0, PREFIX_FRAMES)
    ]
    versions = {name: version(name) for name in ("audiocraft", "torch", "xformers")}
    lines = [json.dumps(case, separators=(",", ":")) for case in cases]
    print(f'{{"versions": {json.dumps(versions)},')
    print(f' "guidance_scale": {GUIDANCE_SCALE},\n "cases": [\n  ' + ",\n  ".join(lines) + "\n]}")


def codes_of(n_codebooks: int, n_clips: int, prefix_frames: int) -> dict[str, Any]:
    """The case's sizes and its codes, shape [n_clips, n_codebooks, FRAMES]."""
    import torch
    from audiocraft.modules.conditioners import ConditioningAttributes

    torch.set_num_threads(1)
    model = build_lm(n_codebooks)
    prefix = None
    if prefix_frames:
        prefix = torch.from_numpy(random_weights.prefix_codes(n_clips, n_codebooks, prefix_frames))
    margins: list[float] = []
    model.register_forward_hook(lambda *call: margins.append(_margin(call[-1])))
    with torch.no_grad():
        codes = model.generate(
            prompt=prefix,
            conditions=[ConditioningAttributes(text={"description": str(clip)}) for clip in range(n_clips)],
            max_gen_len=FRAMES,
            use_sampling=False,
            two_step_cfg=False,
            check=True,
        )
    return {
        "n_codebooks": n_codebooks,
        "prefix_frames": prefix_frames,
        # How far rounding could go before it changed a code.
        "smallest_margin": float(np.format_float_positional(min(margins), 2, fractional=False)),
        "codes": codes.tolist(),
    }


def build_lm(n_codebooks: int) -> Any:
    """audiocraft's LMModel with the weights of `random_weights` and the published models' settings."""
    import torch
    from audiocraft.models.lm import LMModel
    from audiocraft.modules.codebooks_patterns import DelayedPatternProvider
    from audiocraft.modules.conditioners import ConditionFuser, ConditioningProvider, TextConditioner

    describe = TextConditioner(random_weights.TEXT_DIM, random_weights.HIDDEN_SIZE)
    describe.tokenize = _given_states
    describe.forward = lambda given: (describe.output_proj(given[0]) * given[1].unsqueeze(-1), given[1])
    model = LMModel(
        DelayedPatternProvider(n_codebooks, delays=DELAYS[n_codebooks]),
        ConditioningProvider({"description": describe}),
        ConditionFuser({"cross": ["description"], "prepend": [], "sum": [], "input_interpolate": []}),
        n_q=n_codebooks,
        card=random_weights.CODEBOOK_SIZE,
        dim=random_weights.HIDDEN_SIZE,
        num_heads=random_weights.HEADS,
        hidden_scale=random_weights.FFN_DIM // random_weights.HIDDEN_SIZE,
        norm_first=True,
        bias_proj=False,
        cfg_coef=GUIDANCE_SCALE,
        num_layers=random_weights.LAYERS,
        activation="gelu",
        bias_ff=False,
        bias_attn=False,
        causal=True,
        custom=False,
        memory_efficient=True,
        cross_attention=True,
    )
    weights = random_weights.lm_weights(n_codebooks)
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.items()})
    return model.eval()


def _given_states(numbers: list[str | None]) -> Any:
    """T5's states and mask of the clips with these numbers; None stands for no words."""
    import torch

    given = torch.from_numpy(random_weights.text_states(len(numbers)))
    states = torch.stack([given[int(number or 0)] for number in numbers])
    mask = torch.tensor([[number is not None] * states.shape[1] for number in numbers])
    return states, mask


def _margin(logits: Any) -> float:
    text, null = logits[:, :, -1].chunk(2)
    best, second = (null + (text - null) * GUIDANCE_SCALE).topk(2, dim=-1).values.unbind(-1)
    return float((best - second).min())


if __name__ == "__main__":
    main()
