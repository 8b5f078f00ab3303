"""MusicGen folders as audiocraft exports them: ``state_dict.bin`` and ``compression_state_dict.bin``.

The text encoder is not in them, and the codec may be named instead of being there; both then
come from elsewhere on this machine.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generation.musicgen.weights.audiocraft_config import T5_NAME, XpConfig, codec_config, decoder_config
from generation.musicgen.weights.audiocraft_names import (
    codec_from_audiocraft,
    codec_to_audiocraft,
    lm_from_audiocraft,
    lm_to_audiocraft,
)
from generation.musicgen.weights.layout import (
    AUDIO_PREFIX,
    TEXT_PREFIX,
    Shapes,
    expected_shapes,
    of_lm,
    of_part,
)
from generation.musicgen.weights.parts import FindPart, Parts
from generation.musicgen.weights.tensor_check import check_tensors, with_todays_names
from generation.musicgen.weights.weight_files import read_json, read_safetensors
from study.errors import ModelError

LM_FILE = "state_dict.bin"
CODEC_FILE = "compression_state_dict.bin"
_T5_UNUSED = ("decoder.", "lm_head.")
"""A whole T5 also writes text; MusicGen uses its reading half."""

_REMEDY = "export it with audiocraft.utils.export, or fetch it again"


def read_audiocraft(folder: Path, find_part: FindPart) -> Parts:
    """Read and check a folder.

    Args:
        find_part: where ``t5-base`` is, and the codec if the checkpoint only names it.

    Raises:
        ModelError: a file or a part is missing or damaged; tensors are missing, extra,
            misshapen or not finite.
    """
    lm_file, codec_file = folder / LM_FILE, folder / CODEC_FILE
    package = _package(lm_file)
    decoder = decoder_config(XpConfig(package.get("xp.cfg"), str(lm_file)))
    lm_state = _state(package, lm_file)
    codec = _codec(codec_file, find_part)
    text_folder = find_part(T5_NAME)
    text = read_json(text_folder / "config.json")
    config = {
        "model_type": "musicgen",
        "architectures": ["MusicgenForConditionalGeneration"],
        "is_encoder_decoder": True,
        "text_encoder": {**text, "model_type": text.get("model_type", "t5")},
        "audio_encoder": codec.config,
        "decoder": decoder,
    }
    expected = expected_shapes(config, str(lm_file))
    check_tensors(lm_state, _shapes_of_lm(expected), str(lm_file))
    codec_tensors = codec.checked(of_part(expected, AUDIO_PREFIX))
    text_tensors, text_files = _text_encoder(text_folder)
    text_shapes = {name: shape for name, shape in expected.items() if name.startswith(TEXT_PREFIX)}
    check_tensors(text_tensors, text_shapes, str(text_folder))
    tensors = {**lm_from_audiocraft(lm_state), **_prefixed(codec_tensors, AUDIO_PREFIX), **text_tensors}
    named_text = {f"{T5_NAME}/{file.name}": file for file in text_files}
    return Parts(config, tensors, {LM_FILE: lm_file, **codec.files, **named_text}, text_folder)


@dataclass(frozen=True)
class _Codec:
    """The codec as found; `state` has audiocraft's names, or transformers' where it is only named."""

    config: Mapping[str, Any]
    state: Mapping[str, Tensor]
    files: Mapping[str, Path]
    is_audiocrafts: bool
    where: str

    def checked(self, expected: Shapes) -> dict[str, Tensor]:
        """The tensors under transformers' names, once they fit; refusals use the file's own names."""
        if self.is_audiocrafts:
            check_tensors(self.state, codec_to_audiocraft(expected), self.where)
            return codec_from_audiocraft(self.state)
        check_tensors(self.state, expected, self.where)
        return dict(self.state)


def _package(file: Path) -> Mapping[str, Any]:
    try:
        package = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(str(file), "the file is missing", "put it there") from None
    except (EOFError, OSError, RuntimeError, ValueError, pickle.UnpicklingError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ModelError(str(file), f"it cannot be read as plain weights ({reason})", _REMEDY) from problem
    if not isinstance(package, dict):
        raise ModelError(str(file), "it is not a checkpoint that audiocraft exported", _REMEDY)
    return package


def _state(package: Mapping[str, Any], file: Path) -> dict[str, Tensor]:
    state = package.get("best_state")
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise ModelError(str(file), "best_state is missing or holds more than tensors", _REMEDY)
    return dict(state)


def _codec(file: Path, find_part: FindPart) -> _Codec:
    package = _package(file)
    named = package.get("pretrained")
    if not isinstance(named, str):
        config = codec_config(XpConfig(package.get("xp.cfg"), str(file)))
        return _Codec(config, _state(package, file), {CODEC_FILE: file}, True, str(file))
    folder = find_part(named.removeprefix("//pretrained/"))
    found, paths = read_safetensors(folder)
    spelled = with_todays_names(_prefixed(found, AUDIO_PREFIX), str(folder))
    files = {CODEC_FILE: file} | {f"{named}/{path.name}": path for path in paths}
    return _Codec(
        read_json(folder / "config.json"), of_part(spelled, AUDIO_PREFIX), files, False, str(folder)
    )


def _text_encoder(folder: Path) -> tuple[dict[str, Tensor], tuple[Path, ...]]:
    found, files = read_safetensors(folder)
    reading = {name: tensor for name, tensor in found.items() if not name.startswith(_T5_UNUSED)}
    return with_todays_names(_prefixed(reading, TEXT_PREFIX), str(folder)), files


def _shapes_of_lm(expected: Shapes) -> Shapes:
    """The shapes under audiocraft's names, so that refusals name what the file holds."""
    meta = {name: torch.empty(shape, device="meta") for name, shape in expected.items()}
    return {name: tuple(tensor.shape) for name, tensor in lm_to_audiocraft(of_lm(meta)).items()}


def _prefixed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}
