"""Meta's audiocraft as a maker of clips: for a lab that has it, the published code itself.

Our weights, merged with their adapters, are written in audiocraft's layout and read by
its own loader; its own loop, guidance and codec do the rest. Only T5, which that loader
would fetch from a hub, is handed over from the checkpoint.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from generation.clips.clip import Clip, ClipRequest, Codes, ModelCard, Stereo
from generation.clips.options import ClipOptions
from generation.engine import Placement, Progress
from generation.musicgen.memory import device_of
from generation.musicgen.references.reference import (
    part_of,
    reference_card,
    seeded,
    tokens_of,
    within_memory,
)
from generation.musicgen.references.words_only import refuse_what_only_ours_can
from generation.musicgen.trained.adapters import merged
from generation.musicgen.weights.audiocraft_names import lm_to_audiocraft
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint
from generation.musicgen.writing.export import write_audiocraft
from study.errors import ModelError, OutOfRange

NAME = "audiocraft"

INSTALL = """\
pip install 'isopath[musicgen]'
pip install --no-deps audiocraft==1.3.0 xformers torchaudio
pip install av einops 'flashy>=0.0.2' hydra-core julius librosa num2words soundfile spacy torchmetrics
An audiocraft in an environment of its own (Python 3.9, torch 2.1) stays out of isopath's reach; give it \
the folder that isopath models export --format audiocraft writes."""
"""Seen to work beside torch 2.13 on a CPU, all but torchaudio: its published wheels are for torch with
CUDA, so a stand-in took its place. audiocraft asks for torch 2.1, which transformers has left behind;
--no-deps keeps it from taking that back."""

_EMPTY_PROMPT = "an empty prompt is no words at all to audiocraft; to transformers it is one token, its end"


def load_audiocraft_model(options: ClipOptions, placement: Placement) -> AudiocraftClipModel:
    """The protocol's model, run by audiocraft.

    Raises:
        ModelError: audiocraft or one of its libraries is not installed; weights or an adapter
            missing or not what the protocol names.
        UnknownName, OutOfRange: an option that audiocraft has nothing for.
        DeviceError: no such device, or too little memory there.
    """
    refuse_what_only_ours_can(NAME, options)
    device = device_of(placement.device)
    native = "float32" if device.type == "cpu" else "float16"
    if options.dtype not in {native, "float32"}:
        raise OutOfRange(
            "engine.options.dtype",
            f"audiocraft runs in {native} or float32 on {device.type}, not in {options.dtype}",
            "write float32, or the engine musicgen",
        )
    require_audiocraft()
    checkpoint = load_checkpoint(options.model, options.revision, placement.models_dir)
    return AudiocraftClipModel(checkpoint, options, placement)


def require_audiocraft() -> None:
    """Import audiocraft, which takes seconds and many libraries.

    Raises:
        ModelError: it, or something it needs, is not there; it says how to install all of it.
    """
    try:
        import_module("audiocraft.models")
    except (AttributeError, ImportError, OSError, RuntimeError) as problem:
        # An extension built for another torch is an OSError.
        is_there = find_spec(NAME) is not None
        missing = f"audiocraft cannot start ({problem})" if is_there else "audiocraft is not installed"
        remedy = f"install it where isopath is, with:\n{INSTALL}"
        raise ModelError(f"engine {NAME}", missing, remedy) from problem


class AudiocraftClipModel:
    """A `ClipModel` around audiocraft's `MusicGen`.

    Args:
        checkpoint: the base model; the adapters of `options` are merged into it.
        options: adapters, guidance, draw and dtype; words are the only conditioning.
        placement: device; `batch_clips` only groups clips, which are made one by one.
    """

    def __init__(self, checkpoint: Checkpoint, options: ClipOptions, placement: Placement) -> None:
        self._checkpoint, self._options, self._placement = checkpoint, options, placement
        self._device = device_of(placement.device)
        self._adapters = merged(checkpoint, options.adapters)
        self._tokenizer = checkpoint.tokenizer()
        with (
            tempfile.TemporaryDirectory(prefix="isopath-audiocraft-") as scratch,
            within_memory(self._device, checkpoint.name),
        ):
            folder = Path(scratch) / "model"
            write_audiocraft(checkpoint, self._adapters.tensors, folder)
            self._model = _loaded(folder, checkpoint, self._device)
            if options.dtype == "float32" and self._device.type != "cpu":
                self._leave_float16()

    @property
    def frame_rate_hz(self) -> int:
        """Codec frames a second: 50 for Meta's."""
        return self._checkpoint.shape.frame_rate_hz

    @property
    def longest_s(self) -> float:
        """What the model was trained on: 30 s."""
        return float(self._model.max_duration)

    @property
    def card(self) -> ModelCard:
        """Weights, adapters and libraries, with digests and licences."""
        rendering = {"device": str(self._device), "dtype": self._options.dtype, "sound": "audiocraft's codec"}
        return reference_card(
            self._checkpoint, self._adapters, rendering, ("audiocraft", "torch", "transformers")
        )

    def most_clips(self, n_frames: int) -> int:
        """`Placement.batch_clips`, else 1: memory holds one clip at a time."""
        return self._placement.batch_clips or 1

    def generate(self, requests: Sequence[ClipRequest], progress: Progress) -> list[Clip]:
        """See `ClipModel.generate`; any number of requests, one after the other.

        Raises:
            OutOfRange: a prompt longer than the text encoder reads.
            DeviceError: a clip does not fit in the device's memory.
        """
        return [
            Clip(request, self._codes(request, part_of(progress, done, len(requests))), near_ties=0)
            for done, request in enumerate(requests)
        ]

    def sound(self, codes: Sequence[Codes]) -> list[Stereo]:
        """See `ClipModel.sound`: audiocraft's codec, each clip whole."""
        return [self._sound(clip) for clip in codes]

    def _leave_float16(self) -> None:
        # On a GPU audiocraft reads weights in float16, which has rounded them.
        self._model.lm.float().load_state_dict(lm_to_audiocraft(self._adapters.tensors))
        self._model.autocast = import_module("audiocraft.utils.autocast").TorchAutocast(enabled=False)

    def _codes(self, request: ClipRequest, progress: Progress) -> Codes:
        tokens_of(request.prompt, self._tokenizer)
        draw, prompt = self._options, None
        if request.prefix is not None:
            prompt = torch.from_numpy(request.prefix.astype(np.int64))[None].to(self._device)
        attributes = import_module("audiocraft.modules.conditioners").ConditioningAttributes
        with (
            within_memory(self._device, f"a clip of {request.n_frames} frames"),
            _current(self._device),
            seeded(request.seed, self._device),
            self._model.autocast,
        ):
            codes = self._model.lm.generate(
                prompt=prompt,
                conditions=[attributes(text={"description": request.prompt})],
                max_gen_len=request.n_frames,
                use_sampling=True,
                temp=draw.temperature,
                top_k=min(draw.top_k, self._checkpoint.shape.codebook_size),
                cfg_coef=draw.guidance_scale,
                two_step_cfg=False,
                callback=lambda done, steps: progress(done / steps),
            )
        clip: Codes = codes[0].cpu().numpy().astype(np.int16)
        return clip

    def _sound(self, codes: Codes) -> Stereo:
        tokens = torch.from_numpy(codes.astype(np.int64))[None].to(self._device)
        channels = self._model.generate_audio(tokens)[0].float().cpu().numpy()
        return np.ascontiguousarray(np.broadcast_to(channels, (2, channels.shape[1])).T, dtype=np.float32)


def _loaded(folder: Path, checkpoint: Checkpoint, device: torch.device) -> Any:
    """audiocraft's `MusicGen` of that folder, read by its own loader."""
    from audiocraft.models import MusicGen
    from audiocraft.modules import conditioners

    with _current(device), ExitStack() as handed_over:
        give = handed_over.enter_context
        give(_instead(conditioners, "T5Tokenizer", _Given(checkpoint.tokenizer())))
        give(_instead(conditioners, "T5EncoderModel", _Given(checkpoint.text_encoder())))
        dims = dict.fromkeys(conditioners.T5Conditioner.MODELS, checkpoint.shape.text_dim)
        give(_instead(conditioners.T5Conditioner, "MODELS_DIMS", dims))
        return MusicGen.get_pretrained(str(folder), device=device.type)


class _Given:
    """A class whose `from_pretrained` needs no hub: it gives what it was given."""

    def __init__(self, part: object) -> None:
        self._part = part

    def from_pretrained(self, name: str) -> object:
        """The part, whatever it is called there."""
        return self._part


def _current(device: torch.device) -> AbstractContextManager[object]:
    """audiocraft knows "cuda", not which: the device is made the current one."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@contextmanager
def _instead(owner: object, name: str, value: object) -> Iterator[None]:
    there = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, there)
