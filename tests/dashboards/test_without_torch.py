"""Where torch is not installed, a protocol is still checked, and an engine that needs it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dashboards.test_engine_options import with_options

#: The command line of an environment that lacks the extra `musicgen`.
WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder

LEFT_OUT = ("torch", "transformers", "peft", "safetensors")

class Missing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in LEFT_OUT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in LEFT_OUT else found(name, package)
sys.meta_path.insert(0, Missing())
from dashboards.cli.main import main
main()
"""


def without_torch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("engine", ["musicgen", "musicgen-hf", "audiocraft"])
def test_an_engine_names_the_extra_it_needs(engine: str, tmp_path: Path) -> None:
    out = tmp_path / "out.flac"

    done = without_torch("compose", "--engine", engine, "--model", tmp_path, "-o", out)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (
        f"engine {engine}: torch and transformers and peft and safetensors are not installed" in done.stderr
    )
    assert "pip install 'isopath[musicgen]'" in done.stderr
    assert not out.exists()


def test_a_protocol_that_names_musicgen_is_valid_without_it(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"model": "facebook/musicgen-small"}, "musicgen")

    done = without_torch("check", protocol)

    assert done.returncode == 0, done.stderr
