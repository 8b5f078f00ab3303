"""A tokenizer of our own words that behaves like T5's: unigram pieces, `</s>` at the end."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import Unigram

LONGEST_TOKENS = 512
"""As T5-base."""

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_WORDS = """
    a an and at in is of on the to with without very slightly slowly quickly
    music piece song track clip sound melody harmony rhythm beat tempo bass drums percussion
    piano guitar violin cello strings flute harp synth pad choir organ horn bells
    calm relaxed peaceful gentle soft warm quiet slow serene tender hopeful content happy joyful
    bright excited energetic fast loud driving intense tense anxious angry dark sad
    melancholic tired sleepy neutral ambient acoustic electronic classical jazz folk rock
    cinematic solo minor major key bpm low high instrumental vocals no
"""


@dataclass(frozen=True)
class _Vocabulary:
    pieces: tuple[tuple[str, float], ...]
    pad_id: int = 0
    eos_id: int = 1
    unknown_id: int = 2


def _vocabulary() -> _Vocabulary:
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words = [(_SPACE + word, -4.0) for word in dict.fromkeys(_WORDS.split())]
    letters = [(letter, -10.0) for letter in _SPACE + string.ascii_letters + string.digits + ".,;:!?'()-/%"]
    return _Vocabulary((*special, *words, *letters))


VOCABULARY = _vocabulary()


def write_tokenizer(folder: Path) -> None:
    """Write ``tokenizer.json``, ``tokenizer_config.json`` and ``special_tokens_map.json``."""
    tokenizer = Tokenizer(Unigram(list(VOCABULARY.pieces), VOCABULARY.unknown_id, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_SPACE)
    tokenizer.decoder = decoders.Metaspace(replacement=_SPACE)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", VOCABULARY.eos_id)]
    )
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    tokens = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    settings = {
        **tokens,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LONGEST_TOKENS,
        "clean_up_tokenization_spaces": False,
        "processor_class": "MusicgenProcessor",
    }
    for file, value in (("tokenizer_config.json", settings), ("special_tokens_map.json", tokens)):
        (folder / file).write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
