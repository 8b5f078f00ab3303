"""A MusicGen's weights, read whole and checked tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase, T5EncoderModel

from generation.musicgen.codec.known_codecs import Codec, codec_of
from generation.musicgen.shape import DecoderShape
from generation.musicgen.store.catalogue import load_catalogue
from generation.musicgen.store.digests import sha256_of
from generation.musicgen.store.model_store import StoredModel, find_model
from generation.musicgen.weights.audiocraft_folder import LM_FILE, read_audiocraft
from generation.musicgen.weights.layout import (
    AUDIO_PREFIX,
    TEXT_PREFIX,
    audio_config,
    of_lm,
    of_part,
    quiet_transformers,
    text_config,
)
from generation.musicgen.weights.parts import Parts
from generation.musicgen.weights.transformers_folder import read_transformers
from generation.musicgen.weights.weight_files import INDEX, WHOLE
from study.errors import ModelError, UnknownName


@dataclass(frozen=True)
class Checkpoint:
    """A whole MusicGen on the CPU: decoder, text encoder, audio codec.

    Args:
        name: the catalogue's, the configuration's or the folder's.
        folder: where it was read from.
        revision: the hub's commit; None for a folder of unknown origin.
        config: transformers' ``MusicgenConfig`` as JSON.
        tensors: of the decoder and of ``enc_to_dec_proj``, under transformers' names, as stored.
        text_tensors: of the T5 encoder, under `T5EncoderModel`'s names.
        audio_tensors: of the codec, under its own names in transformers' form.
        sha256: weight file, relative to the folder, to its SHA-256.
        licence: of the weights, as their README states it; "not stated" where nothing does.
        tokenizer_folder: holds the tokenizer's files.
    """

    name: str
    folder: Path
    revision: str | None
    config: Mapping[str, Any]
    shape: DecoderShape
    tensors: Mapping[str, Tensor]
    text_tensors: Mapping[str, Tensor]
    audio_tensors: Mapping[str, Tensor]
    sha256: Mapping[str, str]
    licence: str
    tokenizer_folder: Path

    @property
    def models(self) -> dict[str, str]:
        """Revision of the model and SHA-256 of each of its files, as a manifest names them."""
        files = {f"{self.name}/{file}": sha256 for file, sha256 in self.sha256.items()}
        return {self.name: self.revision or "a local folder", **files}

    @property
    def licences(self) -> dict[str, str]:
        """The licence of everything in `models`."""
        return dict.fromkeys(self.models, self.licence)

    def text_encoder(self) -> T5EncoderModel:
        """A new T5 encoder with these weights, float32, in evaluation mode."""
        with quiet_transformers(), torch.random.fork_rng(devices=[]):
            encoder = T5EncoderModel(text_config(self.config, str(self.folder)))
        shared = self.text_tensors["shared.weight"]
        encoder.load_state_dict({**self.text_tensors, "encoder.embed_tokens.weight": shared})
        encoder.train(False)
        return encoder

    def audio_encoder(self) -> Codec:
        """A new codec with these weights, float32, in evaluation mode."""
        with quiet_transformers(), torch.random.fork_rng(devices=[]):
            codec = codec_of(audio_config(self.config, str(self.folder)))
        codec.load_state_dict(dict(self.audio_tensors))
        codec.train(False)
        return codec

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The text encoder's tokenizer; looks at no network.

        Raises:
            ModelError: its files are missing or damaged.
        """
        try:
            with quiet_transformers():
                loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                    self.tokenizer_folder, local_files_only=True
                )
        except (ImportError, KeyError, OSError, TypeError, ValueError) as problem:
            raise ModelError(
                str(self.tokenizer_folder),
                f"its tokenizer cannot be read ({problem})",
                "put the model's tokenizer.json and tokenizer_config.json there",
            ) from problem
        return loaded


def load_checkpoint(model: str, revision: str | None = None, models_dir: Path | None = None) -> Checkpoint:
    """Read a MusicGen, whole or not at all; looks at no network.

    Args:
        model: a name of the catalogue, or a folder in transformers' or audiocraft's layout.
        revision: of a catalogue model; None: the pinned one.
        models_dir: where weights are kept; None: `study.model_folder.models_folder`'s default.

    Raises:
        UnknownName: neither a name of the catalogue nor a folder.
        ModelError: a file is missing or damaged, or not what is pinned or locked; tensors are
            missing, extra, misshapen or not finite.
    """
    if model in load_catalogue():
        return _of_stored(find_model(model, revision, models_dir), models_dir)
    folder = Path(model)
    if not folder.is_dir():
        raise UnknownName(
            "model",
            f"{model!r} is neither a model of the catalogue nor a folder",
            "write the folder's path, or one of " + ", ".join(load_catalogue()),
        )
    if revision is not None:
        raise ModelError(
            model, "a folder has no revisions", "leave the revision out, or name a catalogue model"
        )
    parts = _read(folder, models_dir)
    licence = stated_licence(folder) or "not stated"
    return _checkpoint(parts, _name_of(parts.config, folder), folder, None, _digests(parts), licence)


def _of_stored(stored: StoredModel, models_dir: Path | None) -> Checkpoint:
    parts = _read(stored.folder, models_dir)
    digests = _digests(parts)
    stored.check(digests)
    return _checkpoint(
        parts, stored.model.name, stored.folder, stored.revision, digests, stored.model.licence
    )


def _read(folder: Path, models_dir: Path | None) -> Parts:
    is_audiocrafts = (folder / LM_FILE).is_file() and not any(
        (folder / file).is_file() for file in (WHOLE, INDEX)
    )
    if not is_audiocrafts:
        return read_transformers(folder)
    return read_audiocraft(folder, lambda name: _part(name, folder, models_dir))


def _part(name: str, beside: Path, models_dir: Path | None) -> Path:
    """A part that an audiocraft checkpoint leaves out: beside it, else in the store."""
    if (beside / name).is_dir():
        return beside / name
    try:
        stored = find_model(name, None, models_dir)
    except ModelError as missing:
        raise ModelError(
            str(beside),
            f"audiocraft's checkpoints hold no {name}, and it is not on this machine",
            f"{missing.remedy}; or put its folder beside the checkpoint, as {beside / name}",
        ) from None
    digests = {file.name: sha256_of(file) for file in sorted(stored.folder.glob("*.safetensors"))}
    stored.check(digests)
    return stored.folder


def _digests(parts: Parts) -> dict[str, str]:
    return {name: sha256_of(file) for name, file in parts.files.items()}


def _checkpoint(
    parts: Parts, name: str, folder: Path, revision: str | None, digests: Mapping[str, str], licence: str
) -> Checkpoint:
    return Checkpoint(
        name=name,
        folder=folder,
        revision=revision,
        config=parts.config,
        shape=DecoderShape.from_config(parts.config, str(folder)),
        tensors=of_lm(parts.tensors),
        text_tensors=of_part(parts.tensors, TEXT_PREFIX),
        audio_tensors=of_part(parts.tensors, AUDIO_PREFIX),
        sha256=digests,
        licence=licence,
        tokenizer_folder=parts.tokenizer_folder,
    )


def stated_licence(folder: Path) -> str | None:
    """The ``license:`` of a README's front matter; None where there is none."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for line in lines[1:]:
        if line.strip() == "---":
            return None
        key, _, value = line.partition(":")
        if key.strip() == "license" and value.strip():
            return value.strip().strip("'\"")
    return None


def _name_of(config: Mapping[str, Any], folder: Path) -> str:
    stated = str(config.get("_name_or_path") or "")
    is_path = stated.startswith((".", "/", "~")) or "\\" in stated
    return folder.resolve().name if is_path or not stated else stated
