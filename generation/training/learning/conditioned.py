"""The decoder as it is trained: told words and affect, changed by an adapter or as a whole.

It computes what `generation.musicgen.decoding.decoder.Decoder` computes, by transformers' own modules, with
gradients: text states and affect tokens are projected together, and a row that is told nothing hears
states of zero.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from peft.tuners.lora import Embedding, Linear
from torch import Tensor, nn

from generation.musicgen.shape import DecoderShape
from generation.musicgen.trained.adapter_folder import WEIGHTS
from generation.musicgen.trained.affect_tokens import AffectTokens
from generation.musicgen.trained.language_model import LanguageModel
from generation.musicgen.trained.trained_file import Training
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.training.learning.loss import delay_inputs, delay_loss
from generation.training.recipe import LoraRecipe, Recipe
from study.errors import ModelError, UnknownName

METHODS = ("lora", "full")
_PROJECTION = "enc_to_dec_proj"


class ConditionedDecoder(nn.Module):
    """Decoder, projection and affect tokens; `of_recipe` makes one.

    Text encoder and codec are no part of it: they stay as they are.

    Args:
        language: the base, with its weights.
        shape: its sizes.
        base: name of the base, as adapters are known by.
        lora: what peft adds; None trains the base itself.
        affect_tokens: trained along; None trains without affect.
        models: the base's files, each with its SHA-256: what a training can be told by.
        notes: what the log should say of how it was made.
    """

    def __init__(
        self,
        language: LanguageModel,
        shape: DecoderShape,
        base: str,
        lora: LoraConfig | None,
        affect_tokens: AffectTokens | None,
        models: Mapping[str, str],
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.shape, self.base, self.models, self.notes = shape, base, dict(models), notes
        self.affect_tokens = affect_tokens
        self.language = language
        self._lora = lora
        # peft puts its layers into `language` itself; its wrapper is only asked for their names.
        self._adapted: tuple[PeftModel, ...] = ()
        if lora is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._adapted = (PeftModel(language, lora),)

    @classmethod
    def of_recipe(cls, checkpoint: Checkpoint, recipe: Recipe) -> ConditionedDecoder:
        """A new one, on the CPU in float32; what is drawn at random is a function of the recipe's seed.

        Raises:
            UnknownName: no such method, or a target module that the decoder does not have.
        """
        if recipe.method not in METHODS:
            raise UnknownName(
                "method", f"{recipe.method!r} is no way of training", "write " + " or ".join(METHODS)
            )
        language, notes = LanguageModel.loaded(checkpoint), tuple[str, ...]()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            affect_tokens = None
            if recipe.conditioning.affect:
                training = Training(checkpoint.name, f"trained with {recipe.name}", recipe.licence)
                affect_tokens = AffectTokens(
                    checkpoint.shape.text_dim,
                    training,
                    recipe.conditioning.n_tokens,
                    recipe.conditioning.width,
                )
                affect_tokens.begin_at(_text_size(checkpoint))
            config = None
            if recipe.method == "lora":
                config, notes = _lora_config(language, recipe.lora, checkpoint.name)
            return cls(
                language, checkpoint.shape, checkpoint.name, config, affect_tokens, checkpoint.models, notes
            )

    def forward(
        self, codes: Tensor, text: Tensor, is_text: Tensor, affect: Tensor, hears_affect: Tensor
    ) -> Tensor:
        """Mean cross-entropy of each codebook: `generation.training.learning.loss.delay_loss`.

        Args:
            codes: int64, shape [rows, codebooks, frames], without delay; the special token pads.
            text, is_text, affect, hears_affect: as in `logits`.

        Returns:
            float32, shape [codebooks].
        """
        tokens = delay_inputs(codes, self.shape)
        logits = self.logits(tokens, text, is_text, affect, hears_affect)
        return delay_loss(logits, codes, self.shape)

    def logits(
        self, tokens: Tensor, text: Tensor, is_text: Tensor, affect: Tensor, hears_affect: Tensor
    ) -> Tensor:
        """Logits of a delayed sequence given its own tokens.

        Args:
            tokens: int64, shape [rows, codebooks, positions], special tokens included.
            text: float32, shape [rows, n, text_dim], n from 1, padded with zeros.
            is_text: bool, shape [rows, n].
            affect: float32, shape [rows, 2]: valence, arousal; any finite number where it is not heard.
            hears_affect: bool, shape [rows].

        Returns:
            Shape [rows, codebooks, positions, codebook_size].
        """
        rows, codebooks, positions = tokens.shape
        states, visible = self._heard(text, is_text, affect, hears_affect)
        logits: Tensor = self.language.decoder(
            input_ids=tokens.view(rows * codebooks, positions),
            encoder_hidden_states=states,
            encoder_attention_mask=visible.long(),
            use_cache=False,
        ).logits
        return logits.view(rows, codebooks, positions, -1)

    def _heard(
        self, text: Tensor, is_text: Tensor, affect: Tensor, hears_affect: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Projected states [rows, n + m, hidden_size], and which of them are attended to."""
        if self.affect_tokens is not None:
            # In float32, as decoding does: affect differs in more places than bfloat16 has.
            with torch.autocast(text.device.type, enabled=False):
                tokens = self.affect_tokens(affect)
            text = torch.cat((text, tokens), dim=1)
            is_text = torch.cat((is_text, hears_affect[:, None].expand(-1, tokens.shape[1])), dim=1)
        projection = self.language.enc_to_dec_proj
        states = text if projection is None else projection(text)
        states = states * is_text[..., None]
        # Softmax over nothing is not a number; over zeros, it weighs values that are zero.
        return states, is_text | ~is_text.any(-1, keepdim=True)

    def trained(self) -> dict[str, nn.Parameter]:
        """What training changes, by name."""
        return {name: weight for name, weight in self.named_parameters() if weight.requires_grad}

    @torch.no_grad()
    def decoder_tensors(self) -> dict[str, Tensor]:
        """Decoder and projection with the adapter in them, float32, on the CPU, under transformers' names.

        The model itself stays as it is, to the bit.
        """
        changes: dict[str, Tensor] = {}
        for name, module in self.language.named_modules():
            if isinstance(module, Linear | Embedding):
                (adapter,) = module.active_adapters
                changes[f"{name}.weight"] = module.get_delta_weight(adapter)
        tensors: dict[str, Tensor] = {}
        for name, tensor in self.language.state_dict().items():
            if ".lora_" not in name:
                plain = name.replace(".base_layer.", ".")
                changed = tensor + changes[plain] if plain in changes else tensor
                tensors[plain] = changed.float().cpu().clone()
        return tensors

    def save_adapter(self, folder: Path) -> None:
        """Write the adapter as peft reads it: the same weights make the same bytes.

        Raises:
            ModelError: the method is not ``lora``.
        """
        if self._lora is None:
            raise ModelError(self.base, "was trained as a whole", "save its tensors as a model")
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = get_peft_model_state_dict(self._adapted[0], save_embedding_layers=False)
        safetensors.torch.save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(state.items())},
            folder / WEIGHTS,
        )
        config = copy.copy(self._lora)
        config.inference_mode = True
        # peft keeps a set, whose order changes from run to run.
        config.target_modules = sorted(self._lora.target_modules or ())
        config.save_pretrained(str(folder))

    def save_affect_tokens(self, path: Path) -> None:
        """Write the affect tokens' weights and card.

        Raises:
            ModelError: it was trained without affect.
            StorageError: the folder cannot be written.
        """
        if self.affect_tokens is None:
            raise ModelError(self.base, "was trained without affect tokens", "set conditioning.affect")
        self.affect_tokens.save(path)


def _text_size(checkpoint: Checkpoint) -> float:
    """Root mean square of the text encoder's states: that of the weights of T5's last layer norm, which
    brings every state to a root mean square of 1 before it."""
    return float(checkpoint.text_tensors["encoder.final_layer_norm.weight"].float().square().mean().sqrt())


def _lora_config(language: LanguageModel, lora: LoraRecipe, base: str) -> tuple[LoraConfig, tuple[str, ...]]:
    """peft's configuration, and what the log should say of it."""
    modules = [
        name for name, module in language.named_modules() if isinstance(module, nn.Linear | nn.Embedding)
    ]
    targets, notes = list[str](), list[str]()
    for asked in lora.target_modules:
        # A codebook's embedding or head is a number under the name.
        pattern = re.compile(rf"(?:.*\.)?({re.escape(asked)}(?:\.\d+)?)")
        found = {matched[1] for name in modules if (matched := pattern.fullmatch(name))}
        if not found and asked == _PROJECTION:
            notes.append(
                f"the adapter leaves out {_PROJECTION}: text states are as wide as the decoder, it has none"
            )
        elif not found:
            known = sorted({re.sub(r"\.\d+$", "", name).rpartition(".")[2] for name in modules})
            raise UnknownName(
                "lora.target_modules",
                f"the decoder has no {asked!r} that an adapter can change",
                "write some of " + ", ".join(known),
            )
        targets += sorted(found)
    if not targets:
        raise UnknownName("lora.target_modules", "it names nothing", "write q_proj and v_proj, or more")
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.lora_alpha,
        lora_dropout=lora.lora_dropout,
        use_rslora=lora.use_rslora,
        target_modules=targets,
        bias="none",
        base_model_name_or_path=base,
    )
    return config, tuple(notes)


def training_dtype(name: str) -> torch.dtype:
    """The precision a recipe names.

    Raises:
        UnknownName: another one.
    """
    known: Mapping[str, torch.dtype] = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if name not in known:
        raise UnknownName(
            "optimiser.dtype", f"{name!r} is no precision to train in", "write bfloat16 or float32"
        )
    return known[name]
