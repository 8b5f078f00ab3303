"""One thread: shared cores are left to others."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
