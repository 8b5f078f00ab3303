"""Affect as tokens beside the words: a small trained module and its file.

Fourier features of valence and arousal pass through a small network and come
out as a few states as wide as the text encoder's. They are appended to the text
states before ``enc_to_dec_proj``, so the decoder attends to them as to words. After
LARA-Gen (arXiv 2510.05875) and Sulun, Davies & Viana (2022, Symbolic music
generation conditioned on continuous-valued emotions, IEEE Access 10), where
continuous conditioning beat words for levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from generation.conditioning import FREQUENCIES, n_fourier_features
from generation.musicgen.shape import DecoderShape
from generation.musicgen.trained.trained_file import (
    TrainedFile,
    Training,
    check_made_for,
    need_file,
    read_trained,
    write_trained,
)
from generation.musicgen.weights.tensor_check import check_tensors
from study.affect import Affect
from study.errors import ModelError

KIND = "affect_tokens"
MOST_TOKENS = 64
_WIDEST = 65536
_GRID = 41


class AffectTokens(nn.Module):
    """Valence and arousal to `n_tokens` states of width `text_dim`.

    Args:
        text_dim: width of the text encoder's states.
        training: what it is, or is to be, trained with; saved beside the weights.
        n_tokens: states a point becomes.
        width: of the two hidden layers.
        frequencies: see `generation.conditioning.fourier_features`.
    """

    def __init__(
        self,
        text_dim: int,
        training: Training,
        n_tokens: int = 4,
        width: int = 256,
        frequencies: Sequence[float] = FREQUENCIES,
    ) -> None:
        super().__init__()
        self.text_dim, self.n_tokens, self.width = text_dim, n_tokens, width
        self.frequencies = tuple(frequencies)
        self.provenance = training
        self.name = KIND
        self.sha256 = ""
        self.mlp = nn.Sequential(
            nn.Linear(n_fourier_features(self.frequencies), width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, n_tokens * text_dim),
        )

    @property
    def licence(self) -> str:
        """Of the weights, as their card states it."""
        return self.provenance.licence

    def features(self, affects: Tensor) -> Tensor:
        """`generation.conditioning.fourier_features` in torch.

        Args:
            affects: shape [n, 2]: valence, arousal, each in [-1, 1].

        Returns:
            Shape [n, 2 + 4 × frequencies].
        """
        columns = [affects]
        for frequency in self.frequencies:
            angles = torch.pi * frequency * affects
            columns += [angles.sin(), angles.cos()]
        return torch.cat(columns, dim=1)

    def forward(self, affects: Tensor) -> Tensor:
        """The tokens of points of the plane.

        Args:
            affects: shape [n, 2]: valence, arousal, each in [-1, 1].

        Returns:
            Shape [n, n_tokens, text_dim].
        """
        states: Tensor = self.mlp(self.features(affects))
        return states.view(-1, self.n_tokens, self.text_dim)

    @torch.no_grad()
    def begin_at(self, size: float) -> None:
        """Shift and scale the last layer so that over the plane every number of the tokens has mean 0, and
        all of them together that root mean square.

        New layers give tokens many times smaller than states of words, and nearly the same ones everywhere:
        a decoder that knows words hardly hears where they are from. Scaling by what comes out follows Mishkin
        & Matas (2016, All you need is a good init, arXiv:1511.06422).

        Args:
            size: of the text encoder's states, above 0.
        """
        steps = torch.linspace(-1.0, 1.0, _GRID)
        last = self.mlp[-1]
        assert isinstance(last, nn.Linear)
        tokens = self.forward(torch.cartesian_prod(steps, steps))
        last.bias.sub_(tokens.mean(0).flatten())
        scale = size / float(tokens.std(0, correction=0).square().mean().sqrt())
        last.weight.mul_(scale)
        last.bias.mul_(scale)

    def tokens(self, affect: Affect) -> Tensor:
        """The tokens of one point: float32, shape [n_tokens, text_dim], without gradients.

        Each point is computed by itself, so that its bits do not depend on others.
        """
        weight = next(self.parameters())
        with torch.no_grad():
            point = torch.tensor([[affect.valence, affect.arousal]], dtype=weight.dtype, device=weight.device)
            return self.forward(point)[0].float().cpu()

    def save(self, path: Path) -> None:
        """Write weights and card as one safetensors file; `name` and `sha256` are then the file's.

        Raises:
            StorageError: the folder cannot be written.
        """
        sizes = {
            "n_tokens": self.n_tokens,
            "n_features": n_fourier_features(self.frequencies),
            "frequencies": self.frequencies,
            "width": self.width,
            "text_dim": self.text_dim,
        }
        self.sha256 = write_trained(path, KIND, self.state_dict(), sizes, self.provenance)
        self.name = path.name

    @classmethod
    def load(cls, path: str | Path | None, shape: DecoderShape, base_model: str | None = None) -> Self:
        """Read what `save` wrote, in evaluation mode, without gradients.

        Args:
            path: as ``affect_tokens`` of the engine's options names it.
            base_model: the model in use; None does not compare.

        Raises:
            ModelError: no file; another kind, base model or text width; tensors that are
                missing, extra, misshapen or not finite.
        """
        file = read_trained(need_file(path, "tokens", "affect_tokens"), KIND)
        if base_model is not None:
            check_made_for("it", file.training.base_model, base_model, str(file.path))
        text_dim = file.whole_number("text_dim", _WIDEST)
        if text_dim != shape.text_dim:
            raise ModelError(
                str(file.path),
                f"it was trained for text states of width {text_dim}, the model's have {shape.text_dim}",
                "name a file that was trained for this model",
            )
        n_tokens, width = file.whole_number("n_tokens", MOST_TOKENS), file.whole_number("width", _WIDEST)
        frequencies = _frequencies_of(file)
        with torch.device("meta"):
            module = cls(text_dim, file.training, n_tokens, width, frequencies)
        expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        check_tensors(file.tensors, expected, str(file.path))
        module.load_state_dict({name: tensor.float() for name, tensor in file.tensors.items()}, assign=True)
        module.name, module.sha256 = file.path.name, file.sha256
        module.train(False)
        return module.requires_grad_(False)


def _frequencies_of(file: TrainedFile) -> tuple[float, ...]:
    found = file.sizes.get("frequencies")
    are_numbers = isinstance(found, list) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) and 0.0 < item < 100.0 for item in found
    )
    frequencies = tuple(map(float, found)) if isinstance(found, list) and are_numbers else ()
    if not frequencies or file.sizes.get("n_features") != n_fourier_features(frequencies):
        raise ModelError(
            str(file.path),
            f"its card has frequencies {found!r} and n_features {file.sizes.get('n_features')!r},"
            " which do not go together",
            "use the file as it was trained",
        )
    return frequencies
