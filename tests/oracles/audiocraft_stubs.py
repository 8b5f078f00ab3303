"""Stand-ins for libraries that audiocraft imports and its language model never calls.

They read sound files, find lemmas and make spectrograms: hundreds of megabytes, and
torchaudio's wheel loads CUDA. Calling anything of them is an error.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

UNCALLED = ("av", "librosa", "librosa.filters", "spacy", "torchaudio", "torchaudio.transforms")


class MelSpectrogram:
    """The one name that audiocraft takes out of these modules when it is imported."""


def stand_in() -> None:
    """Put the stand-ins where ``import`` finds them, for this process."""
    for name in UNCALLED:
        module = ModuleType(name, __doc__)
        # Others ask whether a library is there by its specification.
        module.__spec__ = ModuleSpec(name, None)
        sys.modules[name] = module
        owner, _, part = name.rpartition(".")
        if owner:
            setattr(sys.modules[owner], part, module)
    vars(sys.modules["torchaudio.transforms"])["MelSpectrogram"] = MelSpectrogram
