"""Affect as a push on the decoder's states: two directions a layer, and their file.

After every layer, a multiple of the valence and of the arousal direction is added
to the residual stream of the conditional row. Directions are found with probes
on a model's states (MusicRFM, arXiv 2510.19127, after Radhakrishnan et al., 2024);
no published work did so for valence and arousal, so their effect has to be measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torch import Tensor

from generation.musicgen.shape import DecoderShape
from generation.musicgen.trained.trained_file import (
    Training,
    check_made_for,
    need_file,
    read_trained,
    write_trained,
)
from generation.musicgen.weights.tensor_check import check_tensors
from study.affect import Affect

KIND = "steering"


@dataclass(frozen=True)
class Steering:
    """Directions of the residual stream, one pair a layer.

    Args:
        valence, arousal: float32, shape [n_layers, hidden_size]: what one unit of each adds.
        provenance: what they were found with.
        name, sha256: of the file they were read from; empty for new ones.
    """

    valence: Tensor
    arousal: Tensor
    provenance: Training
    name: str = KIND
    sha256: str = ""

    @property
    def licence(self) -> str:
        """Of the directions, as their card states it."""
        return self.provenance.licence

    def vectors(self, affect: Affect, strength: float = 1.0) -> Tensor:
        """What is added after each layer: strength × (v × valence + a × arousal).

        Neutral affect adds nothing.

        Returns:
            float32, shape [n_layers, hidden_size].
        """
        return strength * (affect.valence * self.valence + affect.arousal * self.arousal)

    def save(self, path: Path) -> None:
        """Write both directions and their card as one safetensors file.

        Raises:
            StorageError: the folder cannot be written.
        """
        n_layers, hidden_size = self.valence.shape
        sizes = {"n_layers": n_layers, "hidden_size": hidden_size}
        tensors = {"valence": self.valence, "arousal": self.arousal}
        write_trained(path, KIND, tensors, sizes, self.provenance)

    @classmethod
    def load(cls, path: str | Path | None, shape: DecoderShape, base_model: str | None = None) -> Self:
        """Read what `save` wrote.

        Args:
            path: as ``steering`` of the engine's options names it.
            base_model: the model in use; None does not compare.

        Raises:
            ModelError: no file; another kind, base model or size; tensors that are missing,
                extra, misshapen or not finite.
        """
        file = read_trained(need_file(path, "steering", "steering"), KIND)
        if base_model is not None:
            check_made_for("it", file.training.base_model, base_model, str(file.path))
        size = (shape.n_layers, shape.hidden_size)
        check_tensors(file.tensors, {"valence": size, "arousal": size}, str(file.path))
        return cls(
            file.tensors["valence"].float(),
            file.tensors["arousal"].float(),
            file.training,
            file.path.name,
            file.sha256,
        )
