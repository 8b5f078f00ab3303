"""MusicGen's decoder: tokens of every codebook in, logits of every codebook out.

A transformer with causal self-attention, cross-attention to the text, and a
sum of codebook embeddings at its input (Copet et al. 2023, arXiv:2306.05284).
It computes what transformers' ``MusicgenForConditionalGeneration`` computes,
laid out for one position at a time: projections are fused, and the codebooks'
embeddings and heads are single tensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from generation.musicgen.decoding.attention import TextMemory
from generation.musicgen.decoding.cache import Reader, WholeReader
from generation.musicgen.shape import DecoderShape
from study.errors import ModelError

_DECODER = "decoder.model.decoder"


def sinusoids(n_positions: int, width: int) -> Tensor:
    """Position embeddings, float32, shape [n_positions, width]: cosines, then sines.

    Source: Vaswani et al. (2017), section 3.5, in the arrangement of tensor2tensor.
    """
    half = width // 2
    rates = torch.exp(torch.arange(half).float() * -(math.log(10000) / (half - 1)))
    angles = torch.arange(n_positions).float()[:, None] * rates[None, :]
    return torch.cat((angles.cos(), angles.sin(), torch.zeros(n_positions, width % 2)), dim=1)


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention and feed-forward, each after a layer norm, each added."""

    def __init__(self, shape: DecoderShape, device: torch.device | str, dtype: torch.dtype) -> None:
        super().__init__()
        self._heads, self._head_dim = shape.n_heads, shape.head_dim
        hidden = shape.hidden_size

        def weight(*sizes: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(sizes, device=device, dtype=dtype))

        def norm() -> nn.LayerNorm:
            return nn.LayerNorm(hidden, device=device, dtype=dtype)

        self.self_norm, self.cross_norm, self.feed_norm = norm(), norm(), norm()
        self.query_key_value = weight(3 * hidden, hidden)
        self.self_out = weight(hidden, hidden)
        self.cross_query = weight(hidden, hidden)
        self.cross_key_value = weight(2 * hidden, hidden)
        self.cross_out = weight(hidden, hidden)
        self.feed_in = weight(shape.ffn_dim, hidden)
        self.feed_out = weight(hidden, shape.ffn_dim)

    def forward(self, states: Tensor, layer: int, reader: Reader, text: TextMemory) -> Tensor:
        """One layer over states of shape [rows, n, hidden_size]."""
        heads = self._split(linear(self.self_norm(states), self.query_key_value), 3)
        states = states + linear(self._merge(reader.attend(layer, heads[0], heads[1:])), self.self_out)
        n_rows = text.n_rows
        query = self._split(linear(self.cross_norm(states[:n_rows]), self.cross_query), 1)[0]
        heard = linear(self._merge(text.attend(layer, query)), self.cross_out)
        hearing = states[:n_rows] + heard
        states = hearing if n_rows == len(states) else torch.cat((hearing, states[n_rows:]))
        return states + linear(gelu(linear(self.feed_norm(states), self.feed_in)), self.feed_out)

    def text_heads(self, text: Tensor) -> Tensor:
        """Keys and values [2, rows, heads, tokens, head_dim] of projected text [rows, tokens, hidden]."""
        return self._split(linear(text, self.cross_key_value), 2)

    def named_storage(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        """Every tensor under transformers' name, as a view of where it is kept."""
        attentions = (
            ("self_attn", self.query_key_value.chunk(3), self.self_out),
            ("encoder_attn", (self.cross_query, *self.cross_key_value.chunk(2)), self.cross_out),
        )
        for attention, projections, out in attentions:
            for name, projection in zip("qkv", projections, strict=True):
                yield f"{prefix}.{attention}.{name}_proj.weight", projection
            yield f"{prefix}.{attention}.out_proj.weight", out
        yield f"{prefix}.fc1.weight", self.feed_in
        yield f"{prefix}.fc2.weight", self.feed_out
        norms = ("self_attn_layer_norm", self.self_norm), ("encoder_attn_layer_norm", self.cross_norm)
        for name, norm in (*norms, ("final_layer_norm", self.feed_norm)):
            yield f"{prefix}.{name}.weight", norm.weight
            yield f"{prefix}.{name}.bias", norm.bias

    def _split(self, states: Tensor, n_parts: int) -> Tensor:
        """[rows, n, n_parts × hidden_size] to [n_parts, rows, heads, n, head_dim], without copying."""
        parts = states.view(*states.shape[:2], n_parts, self._heads, self._head_dim)
        return parts.permute(2, 0, 3, 1, 4)

    def _merge(self, heads: Tensor) -> Tensor:
        """[rows, heads, n, head_dim] to [rows, n, hidden_size]."""
        return heads.transpose(1, 2).flatten(2)


class Decoder(nn.Module):
    """The decoder of one MusicGen; its weights are zero until `load`.

    Args:
        shape: its sizes.
        device, dtype: where and in which precision the weights are kept.
    """

    position_table: Tensor
    token_offsets: Tensor

    def __init__(
        self, shape: DecoderShape, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.shape = shape
        self.device = torch.device(device)
        self.dtype = dtype
        hidden, size = shape.hidden_size, shape.codebook_size
        self.embeddings = nn.Parameter(
            torch.zeros((shape.n_codebooks, size + 1, hidden), device=device, dtype=dtype)
        )
        self.heads = nn.Parameter(torch.zeros((shape.n_codebooks, size, hidden), device=device, dtype=dtype))
        self.layers = nn.ModuleList(DecoderLayer(shape, device, dtype) for _ in range(shape.n_layers))
        self.norm = nn.LayerNorm(hidden, device=device, dtype=dtype)
        self.text_projection: nn.Linear | None = None
        if shape.text_dim != hidden:
            self.text_projection = nn.Linear(shape.text_dim, hidden, device=device, dtype=dtype)
        positions = sinusoids(shape.max_positions, hidden).to(device=device, dtype=dtype)
        self.register_buffer("position_table", positions, persistent=False)
        offsets = torch.arange(shape.n_codebooks, device=device) * (size + 1)
        self.register_buffer("token_offsets", offsets, persistent=False)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy weights in place, cast to this decoder's precision; the storage stays the same.

        Args:
            tensors: exactly the ``decoder.*`` and ``enc_to_dec_proj.*`` of transformers' model.

        Raises:
            ModelError: a tensor is missing, unknown or of another shape; nothing was copied.
        """
        storage = dict(self.named_storage())
        remedy = "load the weights of a model with this decoder's sizes"
        for name, kept in storage.items():
            if name not in tensors:
                raise ModelError(name, "is missing from the weights", remedy)
            if tensors[name].shape != kept.shape:
                found, expected = list(tensors[name].shape), list(kept.shape)
                raise ModelError(name, f"has shape {found}, not {expected}", remedy)
        for name in tensors:
            if name not in storage:
                raise ModelError(name, "is no tensor of this decoder", remedy)
        with torch.no_grad():
            for name, kept in storage.items():
                kept.copy_(tensors[name])

    def named_storage(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor under transformers' name, as a view of where it is kept."""
        for codebook in range(self.shape.n_codebooks):
            yield f"{_DECODER}.embed_tokens.{codebook}.weight", self.embeddings[codebook]
            yield f"decoder.lm_heads.{codebook}.weight", self.heads[codebook]
        for number, layer in enumerate(self._layers()):
            yield from layer.named_storage(f"{_DECODER}.layers.{number}")
        yield f"{_DECODER}.layer_norm.weight", self.norm.weight
        yield f"{_DECODER}.layer_norm.bias", self.norm.bias
        if self.text_projection is not None:
            yield "enc_to_dec_proj.weight", self.text_projection.weight
            yield "enc_to_dec_proj.bias", self.text_projection.bias

    def hear(self, memory: TextMemory, text: Tensor, is_token: Tensor) -> None:
        """Compute, in place, what every layer attends to in the text.

        Args:
            memory: as many rows and tokens as `text`.
            text: shape [rows, tokens, text_dim], padded with anything.
            is_token: bool, shape [rows, tokens]; a row without tokens hears nothing.
        """
        states = text.to(device=self.device, dtype=self.dtype)
        if self.text_projection is not None:
            states = self.text_projection(states)
        is_token = is_token.to(self.device)
        states = states * is_token[..., None]
        for number, layer in enumerate(self._layers()):
            memory.keys_values[number] = layer.text_heads(states)
        # Softmax over nothing is not a number; over zeros, it weighs values that are zero.
        visible = is_token | ~is_token.any(-1, keepdim=True)
        memory.mask.zero_().masked_fill_(~visible[:, None, None, :], -math.inf)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Input states [rows, n, hidden_size] of tokens [rows, n, codebooks] at positions [n], int64."""
        table = self.embeddings.view(-1, self.shape.hidden_size)
        embedded = table[tokens + self.token_offsets].sum(dim=2)
        return embedded + self.position_table.index_select(0, positions)

    def run(self, states: Tensor, reader: Reader, text: TextMemory, steering: Tensor | None = None) -> Tensor:
        """All layers over states [rows, n, hidden_size].

        Args:
            steering: shape [layers, r, 1, hidden_size], added after each layer to the first r rows.
        """
        for number, layer in enumerate(self._layers()):
            states = layer(states, number, reader, text)
            if steering is not None:
                states[: steering.shape[1]].add_(steering[number])
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Logits [rows, n, codebooks, codebook_size] of the states after the last layer."""
        flat = linear(self.norm(states), self.heads.view(-1, self.shape.hidden_size))
        return flat.view(*states.shape[:2], self.shape.n_codebooks, self.shape.codebook_size)

    def forward(self, tokens: Tensor, text: Tensor, is_token: Tensor) -> Tensor:
        """Logits of a whole sequence given its own tokens.

        Args:
            tokens: int64, shape [rows, codebooks, positions], delayed, special tokens included.
            text, is_token: as in `hear`.

        Returns:
            Shape [rows, codebooks, positions, codebook_size].
        """
        positions = torch.arange(tokens.shape[2], device=self.device)
        states = self.embed(tokens.transpose(1, 2), positions)
        memory = TextMemory.empty(self.shape, text.shape[0], text.shape[1], self.device, self.dtype)
        self.hear(memory, text, is_token)
        states = self.run(states, WholeReader(), memory)
        return self.logits(states).transpose(1, 2)

    def _layers(self) -> Iterator[DecoderLayer]:
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            yield layer
