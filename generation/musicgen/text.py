"""Words as the decoder reads them: T5's states, one prompt at a time.

T5 runs in float32 and without padding, so a clip's states depend on its own
words alone. A session has few prompts; each is encoded once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, T5EncoderModel

from study.errors import OutOfRange

T5_LONGEST_TOKENS = 512
"""What T5 was trained on; for tokenizers that state no length of their own."""

_NO_LENGTH = 10**9
_QUOTED = 40


class TextEncoder:
    """T5 with its tokenizer.

    Args:
        model: moved to `device` and float32, for inference only.
        tokenizer: T5's; it ends each prompt with ``</s>``.
    """

    def __init__(
        self, model: T5EncoderModel, tokenizer: PreTrainedTokenizerBase, device: torch.device
    ) -> None:
        self._model = model
        self._model.train(False)
        self._model.requires_grad_(False)
        nn.Module.to(self._model, device, torch.float32)
        self._tokenizer, self._device = tokenizer, device
        # transformers writes 10^30 where a tokenizer states nothing.
        stated = tokenizer.model_max_length
        self._longest = stated if stated < _NO_LENGTH else T5_LONGEST_TOKENS
        self._known: dict[str, Tensor] = {}

    def states(self, prompt: str) -> Tensor:
        """The last layer's states of a prompt, ``</s>`` included. Not to be written to.

        Returns:
            float32, shape [n_tokens, text_dim], on the CPU.

        Raises:
            OutOfRange: the prompt is longer than T5 reads; nothing is cut off.
        """
        if prompt not in self._known:
            self._known[prompt] = self._encoded(prompt)
        return self._known[prompt]

    @torch.no_grad()
    def _encoded(self, prompt: str) -> Tensor:
        # verbose: the tokenizer would log what is refused here.
        tokens: list[int] = self._tokenizer(prompt, verbose=False)["input_ids"]
        if len(tokens) > self._longest:
            raise OutOfRange(
                f"prompt {prompt[:_QUOTED]!r}…",
                f"{len(tokens)} tokens, T5 reads {self._longest}",
                "shorten the prompt",
            )
        ids = torch.tensor([tokens], dtype=torch.int64, device=self._device)
        states: Tensor = self._model(input_ids=ids).last_hidden_state
        return states[0].cpu()
