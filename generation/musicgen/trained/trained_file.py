"""Files of small trained parts: safetensors with a card that says what they are.

The card is one JSON text under the metadata key ``card``: ``kind``, ``version``,
``base_model``, ``note``, ``licence`` and the part's own sizes. One key, so that
the same part always makes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from study.errors import ModelError
from study.folder import write_whole

VERSION = 1


@dataclass(frozen=True)
class Training:
    """How a part came to be.

    Args:
        base_model: the model whose states it was trained on, e.g. ``facebook/musicgen-small``.
        note: data, adapters, steps and seed, in a sentence.
        licence: of the part.
    """

    base_model: str
    note: str = ""
    licence: str = "not stated"


@dataclass(frozen=True)
class TrainedFile:
    """A part as read.

    Args:
        tensors: by name, on the CPU, as stored; unchecked.
        sizes: the part's own entries of the card.
        sha256: of the file's bytes.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, Any]
    training: Training
    sha256: str

    def whole_number(self, name: str, highest: int) -> int:
        """A size of the card.

        Raises:
            ModelError: missing, or not from 1 to `highest`.
        """
        value = self.sizes.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
            raise ModelError(
                str(self.path),
                f"its card has {name} = {value!r}, not a whole number from 1 to {highest}",
                "use the file as it was trained",
            )
        return value


def write_trained(
    path: Path, kind: str, tensors: Mapping[str, Tensor], sizes: Mapping[str, Any], training: Training
) -> str:
    """Write a part, whole or not at all.

    Returns:
        The SHA-256 of the file.

    Raises:
        StorageError: the folder cannot be written.
    """
    card = {"kind": kind, "version": VERSION, **asdict(training), **sizes}
    content = safetensors.torch.save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())},
        {"card": json.dumps(card, sort_keys=True)},
    )
    write_whole(path, content)
    return hashlib.sha256(content).hexdigest()


def read_trained(path: Path, kind: str) -> TrainedFile:
    """Read a part and its card.

    Raises:
        ModelError: no such file, damaged, or something else than a `kind`.
    """
    if not path.is_file():
        raise ModelError(str(path), "there is no such file", "check the path, or copy the trained file there")
    try:
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
        with safe_open(path, framework="pt") as opened:
            card = json.loads((opened.metadata() or {}).get("card", "null"))
    except (OSError, SafetensorError, ValueError) as problem:
        raise ModelError(str(path), f"it cannot be read ({problem})", "copy or train it again") from problem
    found = card.get("kind") if isinstance(card, dict) else None
    if not isinstance(card, dict) or found != kind:
        told = "has no card of isopath's" if found is None else f"holds {found!r}, not {kind!r}"
        raise ModelError(str(path), f"it {told}", f"name a file that was trained as {kind}")
    if card.pop("version", None) != VERSION:
        raise ModelError(
            str(path), "it is of another version of isopath's", f"train or convert it to version {VERSION}"
        )
    training = Training(*(str(card.pop(name, "")) for name in ("base_model", "note", "licence")))
    del card["kind"]
    return TrainedFile(path, tensors, card, training, hashlib.sha256(content).hexdigest())


def need_file(path: str | Path | None, conditioning: str, option: str) -> Path:
    """The path of a trained file.

    Raises:
        ModelError: none is named.
    """
    if path is None:
        raise ModelError(
            f"engine.options.{option}",
            f'conditioning "{conditioning}" needs a trained file, and none is named',
            f'write its path as "{option}", or take "{conditioning}" out of conditioning',
        )
    return Path(path)


def check_made_for(what: str, made_for: str, model: str, where: str) -> None:
    """Refuse what was trained for another base model.

    Only the last parts of the names count: the same model may lie in another folder.

    Raises:
        ModelError: naming both.
    """
    if made_for.rstrip("/").rpartition("/")[2] != model.rstrip("/").rpartition("/")[2]:
        raise ModelError(
            where,
            f"{what} was made for {made_for or 'a model it does not name'}, the model is {model}",
            "name that model in the protocol (a folder is known by its name), or train for this one",
        )
