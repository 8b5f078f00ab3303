"""The kernel is plain attention, whatever the length, the layout and the dtype."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from generation.musicgen.decoding import attention_kernel
from study.errors import DeviceError
from tests.generation.musicgen.decoding.attention_cases import DTYPES, LENGTHS

pytestmark = pytest.mark.torch

ROOT = Path(__file__).parents[4]
# Of values of about 1. Measured: 2e-7, 2e-3 and 2e-4; half a unit in the last place is 4e-3 and 5e-4.
TOLERANCE = {"float32": 1e-6, "bfloat16": 8e-3, "float16": 1e-3}
H100 = GPUTarget("cuda", 90, 32)
POINTERS = ("queries", "keys", "values", "length", "mixed", "scales", "out")


@pytest.fixture(scope="module")
def differences() -> dict[str, float]:
    # Triton decides at its import whether it interprets, so the cases have a process of their own.
    run = subprocess.run(
        [sys.executable, "-m", "tests.generation.musicgen.decoding.attention_cases"],
        cwd=ROOT,
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, float] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_the_kernel_equals_plain_attention_in_float64(
    differences: dict[str, float], dtype: str, length: int
) -> None:
    assert differences[f"{dtype}-{length}"] <= TOLERANCE[dtype]


@pytest.mark.parametrize("width", [16, 24, 128])
def test_heads_may_have_any_width(differences: dict[str, float], width: int) -> None:
    assert differences[f"width-{width}"] <= TOLERANCE["float32"]


def test_queries_keys_and_values_may_be_views_of_larger_tensors(differences: dict[str, float]) -> None:
    assert differences["strided"] <= TOLERANCE["float32"]


def test_what_lies_behind_the_length_is_never_read(differences: dict[str, float]) -> None:
    assert differences["stale-memory"] <= TOLERANCE["float32"]


def test_scores_of_thousands_do_not_overflow(differences: dict[str, float]) -> None:
    assert differences["large-scores"] <= 1e-4


def test_a_row_does_not_depend_on_the_rows_beside_it(differences: dict[str, float]) -> None:
    assert differences["neighbours"] == 0.0


def test_the_length_is_read_anew_at_every_launch(differences: dict[str, float]) -> None:
    assert differences["grown"] <= TOLERANCE["float32"]


def test_the_decode_loop_s_cache_is_read_alike_by_the_kernel_and_by_torch(
    differences: dict[str, float],
) -> None:
    assert differences["reader"] <= TOLERANCE["float32"]


def test_tensors_on_the_cpu_are_refused() -> None:
    queries, cache = torch.zeros(1, 1, 64), torch.zeros(1, 1, 128, 64)

    with pytest.raises(DeviceError, match="Triton has no kernel for cpu; use plain attention there"):
        attention_kernel.decode_attention(queries, cache, cache, torch.ones(1, dtype=torch.int32))


@pytest.mark.parametrize("dtype", ["bf16", "fp16", "fp32"])
@pytest.mark.parametrize(
    ("kernel", "constants"),
    [
        ("_PART_KERNEL", {"HEADS": 16, "HEAD_DIM": 64, "WIDTH": 64, "POSITIONS": 128}),
        ("_JOIN_KERNEL", {"HEAD_DIM": 64, "WIDTH": 64, "POSITIONS": 128, "PARTS": 16}),
    ],
)
def test_the_kernels_compile_for_an_h100_with_loads_of_16_bytes(
    kernel: str, constants: dict[str, int], dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    function = getattr(attention_kernel, kernel)
    names = [parameter.name for parameter in function.params]
    kinds = dict.fromkeys(("queries", "keys", "values", "out"), f"*{dtype}")
    kinds |= {"scale": "fp32", "length": "*i32", "mixed": "*fp32", "scales": "*fp32"}
    signature = {name: "constexpr" if name in constants else kinds.get(name, "i32") for name in names}
    source = ASTSource(
        function,
        signature,
        {(names.index(name),): value for name, value in constants.items()},
        # What a launch finds out by itself: addresses and strides are multiples of 16.
        {
            (place,): [["tt.divisibility", 16]]
            for place, name in enumerate(names)
            if name in POINTERS or name.startswith(("query_", "key_", "value_"))
        },
    )

    compiled = triton.compile(source, target=H100, options={"num_warps": 4, "enable_fp_fusion": True})

    assert "ld.global.v4.b32" in compiled.asm["ptx"]
    assert len(compiled.asm["cubin"]) > 1_000
