"""The part of a MusicGen that training changes: decoder and projection, as transformers computes them."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from transformers import MusicgenDecoderConfig, MusicgenForCausalLM

from generation.musicgen.weights.checkpoint import Checkpoint
from generation.musicgen.weights.layout import parsed_config, quiet_transformers


class LanguageModel(nn.Module):
    """The part of MusicgenForConditionalGeneration that is ours to change, under the same names.

    Its weights are random, or none at all under ``torch.device("meta")``, until they are loaded.

    Args:
        checkpoint: gives the configuration; there is no `enc_to_dec_proj` where its text states are as wide
            as the decoder.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.decoder = MusicgenForCausalLM(
            cast(MusicgenDecoderConfig, parsed_config(checkpoint.config).decoder)
        )
        self.enc_to_dec_proj: nn.Linear | None = None
        if "enc_to_dec_proj.weight" in checkpoint.tensors:
            self.enc_to_dec_proj = nn.Linear(checkpoint.shape.text_dim, checkpoint.shape.hidden_size)

    @classmethod
    def loaded(cls, checkpoint: Checkpoint) -> LanguageModel:
        """A model with the checkpoint's weights, float32, which may be changed without changing them."""
        with quiet_transformers(), torch.device("meta"):
            model = cls(checkpoint)
        own = {name: tensor.float().clone() for name, tensor in checkpoint.tensors.items()}
        model.load_state_dict(own, assign=True)
        # The one tensor that no file holds.
        positions = model.decoder.model.decoder.embed_positions
        positions.weights = positions.get_embedding(positions.num_positions, positions.embedding_dim)
        return model
