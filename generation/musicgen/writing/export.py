"""A model, its adapters merged, written for other programs: transformers' format and audiocraft's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import EncodecConfig

from generation.musicgen.weights.audiocraft_config import T5_NAME
from generation.musicgen.weights.audiocraft_folder import CODEC_FILE, LM_FILE
from generation.musicgen.weights.audiocraft_names import codec_to_audiocraft, lm_to_audiocraft
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.musicgen.weights.layout import AUDIO_PREFIX, TEXT_PREFIX, audio_config
from generation.musicgen.weights.tensor_check import check_tensors
from generation.musicgen.writing.audiocraft_settings import codec_settings, lm_settings
from generation.musicgen.writing.new_folder import new_folder
from generation.musicgen.writing.transformers_files import generation_config, preprocessor_config
from generation.musicgen.writing.weight_writing import write_json, write_safetensors
from study.errors import ModelError

MANIFEST = "isopath.export.json"

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "spiece.model",
)


@dataclass(frozen=True)
class Origin:
    """What was merged into an export, beside the checkpoint.

    Args:
        adapters: name to SHA-256, in the order they were merged.
        licences: of the adapters, by name.
    """

    adapters: Mapping[str, str] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)


def write_transformers(
    checkpoint: Checkpoint, tensors: Mapping[str, Tensor], folder: Path, origin: Origin | None = None
) -> None:
    """Write a folder that transformers' `MusicgenForConditionalGeneration.from_pretrained` loads.

    Args:
        checkpoint: gives the configuration, text encoder, codec and tokenizer.
        tensors: of the decoder and ``enc_to_dec_proj``, under transformers' names.
        folder: new or empty; it appears only when it is whole.
        origin: adapters that are in `tensors`.

    Raises:
        StorageError: the folder holds something.
        ModelError: tensors are missing, extra, misshapen or not finite.
    """
    _check(checkpoint, tensors)
    origin = origin or Origin()
    config = {**checkpoint.config, "_name_or_path": _name(checkpoint, origin)}
    rate_hz = int(config["audio_encoder"]["sampling_rate"])
    whole = {
        **tensors,
        **{TEXT_PREFIX + name: tensor for name, tensor in checkpoint.text_tensors.items()},
        **{AUDIO_PREFIX + name: tensor for name, tensor in checkpoint.audio_tensors.items()},
    }
    with new_folder(folder) as building:
        write_json(building / "config.json", config)
        write_json(building / "generation_config.json", generation_config(checkpoint.shape))
        write_json(building / "preprocessor_config.json", preprocessor_config(checkpoint.shape, rate_hz))
        _copy_tokenizer(checkpoint, building)
        _write_tensors(whole, building)
        _write_origin(checkpoint, origin, building, "transformers")


def write_audiocraft(
    checkpoint: Checkpoint, tensors: Mapping[str, Tensor], folder: Path, origin: Origin | None = None
) -> None:
    """Write a folder that audiocraft's `MusicGen.get_pretrained` loads.

    The text encoder, which audiocraft fetches by itself, is put beside as ``t5-base``, so that
    isopath can read the folder without it.

    Args:
        checkpoint, tensors, folder, origin: as in `write_transformers`.

    Raises:
        StorageError: the folder holds something.
        ModelError: tensors are missing, extra, misshapen or not finite, or the codec is not an EnCodec.
    """
    _check(checkpoint, tensors)
    codec = audio_config(checkpoint.config, str(checkpoint.folder))
    if not isinstance(codec, EncodecConfig):
        raise ModelError(
            str(folder), f"audiocraft knows no codec of type {codec.model_type}", "export for transformers"
        )
    text = dict(checkpoint.config["text_encoder"])
    with new_folder(folder) as building:
        _write_package(lm_to_audiocraft(tensors), lm_settings(checkpoint.config), building / LM_FILE)
        _write_package(
            codec_to_audiocraft(checkpoint.audio_tensors),
            codec_settings(codec.to_dict()),
            building / CODEC_FILE,
        )
        text_folder = building / T5_NAME
        text_folder.mkdir()
        write_json(text_folder / "config.json", text)
        _copy_tokenizer(checkpoint, text_folder)
        _write_tensors(checkpoint.text_tensors, text_folder)
        _write_origin(checkpoint, origin or Origin(), building, "audiocraft")


def _name(checkpoint: Checkpoint, origin: Origin) -> str:
    return " + ".join((checkpoint.name, *origin.adapters))


def _check(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> None:
    expected = {name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()}
    check_tensors(tensors, expected, f"merged {checkpoint.name}")


def _write_package(state: Mapping[str, Tensor], settings: Mapping[str, Any], file: Path) -> None:
    package = {
        "best_state": {name: tensor.contiguous().clone() for name, tensor in state.items()},
        # JSON is YAML, which is what audiocraft reads here.
        "xp.cfg": json.dumps(settings, indent=2),
        "version": f"isopath {version('isopath')}",
        "exported": True,
    }
    torch.save(package, file)


def _write_tensors(tensors: Mapping[str, Tensor], folder: Path) -> None:
    write_safetensors(folder, {name: tensor.nbytes for name, tensor in tensors.items()}, tensors.__getitem__)


def _copy_tokenizer(checkpoint: Checkpoint, folder: Path) -> None:
    for name in _TOKENIZER_FILES:
        if (checkpoint.tokenizer_folder / name).is_file():
            shutil.copyfile(checkpoint.tokenizer_folder / name, folder / name)


def _write_origin(checkpoint: Checkpoint, origin: Origin, folder: Path, layout: str) -> None:
    licences = {checkpoint.name: checkpoint.licence, **origin.licences}
    facts = {
        "software": f"isopath {version('isopath')}",
        "format": layout,
        "base": checkpoint.name,
        "base_revision": checkpoint.revision,
        "base_sha256": dict(checkpoint.sha256),
        "adapters": dict(origin.adapters),
        "licences": licences,
    }
    write_json(folder / MANIFEST, facts)
    adapters = "\n".join(f"- adapter {name}, SHA-256 {digest}" for name, digest in origin.adapters.items())
    stated = "\n".join(f"- {name}: {licence}" for name, licence in licences.items())
    revision = f", revision {checkpoint.revision}" if checkpoint.revision else ""
    (folder / "README.md").write_text(
        f"""---
license: {checkpoint.licence.lower() if checkpoint.licence != "not stated" else "other"}
---
# {_name(checkpoint, origin)}

Written by isopath in the format of {layout}. Made of:

- {checkpoint.name}{revision}
{adapters}

Licences, which hold for this folder too:

{stated}

`{MANIFEST}` holds the SHA-256 of every file that went in.
""",
        encoding="utf-8",
    )
