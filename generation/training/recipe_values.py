"""The values of a recipe's fields: each read by its kind and range, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from generation.clips.option_values import number_in, one_of, text_of, whole_in
from generation.composer.cues import READERS_OF_CUES
from generation.training.recipe import TARGET_MODULES
from study.errors import OutOfRange, UnknownName
from study.plugins import PREDICTORS, installed_names
from study.protocol_file.text import did_you_mean, shown

KINDS = ("jamendo", "table")
METHODS = ("lora", "full")
SOURCES = ("table", "tags", "predictor", "none")
PERSPECTIVES = ("perceived", "intended")
WORDS = ("prompt", "tags", "table", "none")
DTYPES = ("bfloat16", "float32")

LONGEST_S = 30.0
"""What MusicGen was trained on, and what its positions are made for (Copet et al. 2023, section 3.1)."""

_MOST_STEPS = 10_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Reader = Callable[[str, Any], Any]
"""Called with the place in the file and the value; raises OutOfRange or UnknownName."""


def _or_none(read: Reader) -> Reader:
    return lambda where, value: None if value is None else read(where, value)


def _truth(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OutOfRange(where, f"{shown(value)} is neither true nor false", "write true or false")
    return value


def _name(where: str, value: Any) -> str:
    name = text_of(where, value)
    if not _NAME.fullmatch(name):
        raise OutOfRange(
            where, f"{shown(name)} cannot name a folder", "write letters, digits, hyphens, dots and _ only"
        )
    return name


def _predictor(where: str, value: Any) -> str:
    return one_of(installed_names(PREDICTORS))(where, value)


def _dtype(where: str, value: Any) -> str:
    if value == "float16":
        raise OutOfRange(
            where,
            '"float16" overflows: the largest number it holds is 65504, and gradients pass that',
            "write bfloat16, which has float32's range in as many bytes; or float32",
        )
    return one_of(DTYPES)(where, value)


def _betas(where: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise OutOfRange(
            where, f"{shown(value)} is not a list of two numbers", "write for example [0.9, 0.99]"
        )
    first, second = (number_in(0.0, 0.999999)(f"{where}[{place}]", beta) for place, beta in enumerate(value))
    return first, second


def _modules(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise OutOfRange(where, f"{shown(value)} is not a list of names", 'write e.g. ["q_proj", "v_proj"]')
    modules = tuple(_module(f"{where}[{place}]", name) for place, name in enumerate(value))
    if len(set(modules)) < len(modules):
        raise OutOfRange(where, f"{shown(list(modules))} names one twice", "name each once")
    return modules


def _module(where: str, value: Any) -> str:
    name = text_of(where, value)
    if not set(name.split(".")) & set(TARGET_MODULES):
        raise UnknownName(
            where,
            f"{shown(name)} is no layer of the decoder",
            did_you_mean(name, TARGET_MODULES) + "write any of " + ", ".join(TARGET_MODULES),
        )
    return name


READERS: Mapping[str, Mapping[str, Reader]] = {
    "": {
        "name": _name,
        "model": text_of,
        "method": one_of(METHODS),
        "revision": _or_none(text_of),
        "reported_by": _predictor,
        "licence": text_of,
        "seed": whole_in(0, 2**53),
    },
    "data": {
        "kind": one_of(KINDS),
        "path": text_of,
        "audio": _or_none(text_of),
        "splits": _or_none(text_of),
        "validation_share": number_in(0.0, 0.9),
        "crop_s": number_in(0.5, LONGEST_S),
        "hop_s": number_in(0.1, 3600.0),
        "shortest_s": number_in(0.1, LONGEST_S),
    },
    "labels": {
        "source": one_of(SOURCES),
        "tag_table": text_of,
        "predictor": _or_none(_predictor),
        "perspective": one_of(PERSPECTIVES),
        "intended_by": _or_none(one_of(tuple(READERS_OF_CUES))),
    },
    "conditioning": {
        "words": one_of(WORDS),
        "prompts": text_of,
        "affect": _truth,
        "n_tokens": whole_in(1, 64),
        "width": whole_in(1, 65536),
        "drop_words": number_in(0.0, 1.0),
        "drop_affect": number_in(0.0, 1.0),
        "drop_both": number_in(0.0, 1.0),
    },
    "lora": {
        "r": whole_in(1, 1024),
        "lora_alpha": whole_in(1, 65536),
        "lora_dropout": number_in(0.0, 0.9),
        "target_modules": _modules,
        "use_rslora": _truth,
    },
    "optimiser": {
        "learning_rate": number_in(1e-9, 1.0),
        "affect_learning_rate": _or_none(number_in(1e-9, 1.0)),
        "final_share": number_in(0.0, 1.0),
        "betas": _betas,
        "weight_decay": number_in(0.0, 10.0),
        "max_grad_norm": number_in(1e-6, 1e6),
        "batch_clips": whole_in(1, 4096),
        "accumulation": whole_in(1, 4096),
        "max_steps": whole_in(1, _MOST_STEPS),
        "warmup_steps": whole_in(0, _MOST_STEPS),
        "ema_decay": _or_none(number_in(0.0, 0.999999)),
        "dtype": _dtype,
        "gradient_checkpointing": _truth,
    },
    "sampling": {
        "inverse_density": number_in(0.0, 2.0),
        "bandwidth": number_in(0.01, 1.0),
        "largest_weight": number_in(1.0, 1e6),
    },
    "selection": {
        "every_steps": whole_in(1, _MOST_STEPS),
        "validation_clips": whole_in(1, 1_000_000),
        "predictor": _or_none(_predictor),
        "targets": whole_in(2, 20),
        "seeds": whole_in(1, 1000),
        "clip_s": number_in(1.0, LONGEST_S),
        "guidance_scale": number_in(1.0, 20.0),
    },
}
"""Part of the recipe ("" is its top) to field to what reads its value."""
