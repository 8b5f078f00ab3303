"""A prompt's states are its own, whole, and computed once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from generation.musicgen.text import TextEncoder
from study.errors import OutOfRange

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
CALM = "calm piano with soft strings, slow"
LONG = "a tense fast driving rock song with loud drums, bass and electric guitar, minor key"


def tokenizer(longest: int | None = 64) -> PreTrainedTokenizerBase:
    """Whole words and a `</s>` at the end, which is what matters of T5's."""
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<pad>", "</s>", "<unk>"]
    words.train_from_iterator([CALM, LONG], trainers.WordLevelTrainer(special_tokens=special))
    words.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    stated = {} if longest is None else {"model_max_length": longest}
    make: Callable[..., PreTrainedTokenizerBase] = PreTrainedTokenizerFast
    return make(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", **stated)


def t5() -> T5EncoderModel:
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=128, d_model=48, d_kv=12, d_ff=96, num_layers=2, num_heads=4, dropout_rate=0.5
    )
    return T5EncoderModel(config)


def test_states_are_those_of_transformers_for_the_prompt_alone() -> None:
    model, words = t5(), tokenizer()
    ids = torch.tensor([words(CALM)["input_ids"]])

    states = TextEncoder(model, words, CPU).states(CALM)

    with torch.no_grad():
        expected = model(input_ids=ids).last_hidden_state[0]
    assert ids[0, -1] == 1
    assert states.shape == (ids.shape[1], 48)
    assert states.dtype == torch.float32
    assert torch.equal(states, expected)


def test_states_do_not_depend_on_what_was_encoded_before() -> None:
    alone = TextEncoder(t5(), tokenizer(), CPU).states(CALM)
    after = TextEncoder(t5(), tokenizer(), CPU)
    after.states(LONG)

    assert torch.equal(after.states(CALM), alone)


def test_a_model_stored_in_two_bytes_runs_in_four() -> None:
    halved = t5()
    nn.Module.to(halved, torch.bfloat16)

    states = TextEncoder(halved, tokenizer(), CPU).states(CALM)

    assert states.dtype == torch.float32
    assert not torch.equal(states, states.to(torch.bfloat16).float())


def test_a_prompt_is_encoded_once_and_other_words_are_another_prompt() -> None:
    encoder = TextEncoder(t5(), tokenizer(), CPU)

    first, again, other = encoder.states(CALM), encoder.states(CALM), encoder.states(CALM + " ")

    assert again is first
    assert other is not first


def test_dropout_is_off_and_nothing_is_kept_for_training() -> None:
    training = t5()
    training.train(True)

    encoder = TextEncoder(training, tokenizer(), CPU)
    states = encoder.states(CALM)

    assert not states.requires_grad
    assert torch.equal(states, TextEncoder(t5(), tokenizer(), CPU).states(CALM))


def test_a_prompt_longer_than_the_tokenizer_states_is_refused_whole() -> None:
    words = tokenizer(longest=8)
    n_tokens = len(words(LONG, verbose=False)["input_ids"])

    with pytest.raises(OutOfRange) as refused:
        TextEncoder(t5(), words, CPU).states(LONG)

    assert str(refused.value) == (
        f"prompt 'a tense fast driving rock song with loud'…: {n_tokens} tokens, T5 reads 8; "
        "shorten the prompt"
    )


def test_where_the_tokenizer_states_no_length_it_is_512() -> None:
    encoder = TextEncoder(t5(), tokenizer(longest=None), CPU)
    n_tokens = len(tokenizer()(CALM)["input_ids"]) - 1
    repeats = 600 // n_tokens + 1

    with pytest.raises(OutOfRange, match="T5 reads 512; shorten the prompt"):
        encoder.states(" ".join([CALM] * repeats))


def test_a_prompt_of_exactly_the_longest_length_is_read() -> None:
    n_tokens = len(tokenizer()(CALM)["input_ids"])

    states = TextEncoder(t5(), tokenizer(longest=n_tokens), CPU).states(CALM)

    assert states.shape[0] == n_tokens


def test_an_empty_prompt_is_the_end_of_a_sentence() -> None:
    assert TextEncoder(t5(), tokenizer(), CPU).states("").shape == (1, 48)
