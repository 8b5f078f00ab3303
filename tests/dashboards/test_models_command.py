"""`isopath models` as a person uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from dashboards.cli.main import app
from study.errors import IsopathError, ModelError, OutOfRange, StorageError, UnknownName
from tests.dashboards.command_line import isopath, refusal

if TYPE_CHECKING:
    from torch import Tensor

WITHOUT_TORCH = """
import sys
for library in ("torch", "transformers", "huggingface_hub", "safetensors", "tokenizers"):
    sys.modules[library] = None
from dashboards.cli.main import main
sys.argv = ["isopath", *sys.argv[1:]]
main()
"""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOPATH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "store"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    result = models("random", folder, "--size", "tiny", "--seed", "5")
    assert result.exit_code == 0, result.output
    return folder


def models(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, arguments)])


def refused(*arguments: str | Path) -> IsopathError:
    result = models(*arguments)
    assert isinstance(result.exception, IsopathError), result
    return result.exception


def without_torch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "models", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_list_says_what_is_pinned_licensed_and_here(store: Path) -> None:
    facts = json.loads(models("list", "--json").stdout)

    by_name = {model["name"]: model for model in facts["models"]}
    assert facts["models_dir"] == str(store)
    assert {f"facebook/musicgen-{kind}" for kind in ("small", "medium", "large")} <= by_name.keys()
    assert {f"facebook/musicgen-stereo-{kind}" for kind in ("small", "medium", "large")} <= by_name.keys()
    assert by_name["facebook/musicgen-small"]["licence"] == "CC-BY-NC-4.0"
    assert by_name["facebook/encodec_32khz"]["pinned_revision"] is None
    assert all(model["here"] is None for model in by_name.values())


def test_the_list_tells_people_which_is_pinned_and_which_is_not() -> None:
    done = isopath("models", "list")

    lines = {line.split()[0]: line for line in done.out.splitlines() if line}
    assert "4c8334b0" in lines["facebook/musicgen-small"]
    assert "not pinned" in lines["facebook/encodec_32khz"]
    assert "none yet" in lines["facebook/musicgen-large"]


def test_the_list_works_without_torch() -> None:
    done = without_torch("list", "--json")

    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["models"]) >= 8


@pytest.mark.parametrize(
    "arguments",
    [("fetch", "facebook/musicgen-small"), ("random", "new"), ("export", "anything", "new")],
)
def test_without_torch_a_command_names_the_extra_to_install(arguments: tuple[str, ...]) -> None:
    done = without_torch(*arguments)

    assert done.returncode == 2
    assert "is not installed; run pip install 'isopath[musicgen]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_is_not_here_is_one_message_with_the_files_and_the_folder(store: Path) -> None:
    said = refusal(isopath("models", "verify", "facebook/musicgen-small"))

    assert "config.json, tokenizer.json, tokenizer_config.json and model.safetensors" in said
    assert f"into {store / 'facebook' / 'musicgen-small'}" in said
    assert len(said.splitlines()) == 1


def test_an_unknown_model_is_refused() -> None:
    assert isinstance(refused("verify", "facebook/musicgen-huge"), UnknownName)


@pytest.mark.torch
def test_fetching_offline_is_one_message_with_the_files_and_the_folder(store: Path) -> None:
    said = refusal(isopath("models", "fetch", "facebook/musicgen-small"))

    assert "HF_HUB_OFFLINE" in said
    assert f"into {store / 'facebook' / 'musicgen-small'}" in said


@pytest.mark.torch
def test_fetch_verify_and_the_list_agree_on_a_fetched_model(
    tiny: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.generation.musicgen.store.hub import serving

    name, commit = "facebook/musicgen-small", "4c8334b02c6ec4e8664a91979669a501ec497792"
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with serving(tiny, name, commit) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        fetched = isopath("models", "fetch", name, "--json")
    assert fetched.code == 0, fetched.err

    verified = json.loads(models("verify", name, "--json").stdout)
    listed = json.loads(models("list", "--json").stdout)["models"][0]

    assert fetched.facts["here"]["revision"] == commit
    assert verified["files"].items() <= listed["here"]["sha256"].items()
    assert verified["compared"] == sorted(verified["files"])
    assert listed["here"]["folder"] == str(store / name)


@pytest.mark.torch
def test_a_changed_byte_is_named_with_both_digests(tiny: Path, store: Path) -> None:
    folder = store / "facebook" / "musicgen-small"
    shutil.copytree(tiny, folder)
    (folder / "state_dict.bin").write_bytes(b"not what is pinned")

    said = str(refused("verify", "facebook/musicgen-small"))

    assert "state_dict.bin has SHA-256 " in said
    assert "not 830fe5771e2835cb" in said


@pytest.mark.torch
def test_a_random_model_says_what_it_is(tmp_path: Path) -> None:
    result = models("random", tmp_path / "noise", "--size", "tiny", "--stereo", "--json")

    assert json.loads(result.stdout) == {
        "folder": str(tmp_path / "noise"),
        "size": "tiny",
        "seed": 0,
        "stereo": True,
    }
    assert (tmp_path / "noise" / "model.safetensors").is_file()


@pytest.mark.torch
@pytest.mark.parametrize("layout", ["transformers", "audiocraft"])
def test_an_export_can_be_exported_again(layout: str, tiny: Path, tmp_path: Path) -> None:
    first = models("export", tiny, tmp_path / "first", "--format", layout, "--json")
    second = models("export", tmp_path / "first", tmp_path / "second", "--json")

    assert first.exit_code == second.exit_code == 0
    assert json.loads(first.stdout)["base"] == "isopath/random-tiny"
    first_bytes = (tiny / "model.safetensors").read_bytes()
    assert (tmp_path / "second" / "model.safetensors").read_bytes() == first_bytes


@pytest.mark.torch
def test_an_exported_adapter_is_merged_as_peft_merges_it(tiny: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    merged = _train_lora(tiny, tmp_path / "my-lora")

    result = models("export", tiny, tmp_path / "out", "--adapter", tmp_path / "my-lora", "--json")

    exported = load_file(tmp_path / "out" / "model.safetensors")
    base = load_file(tiny / "model.safetensors")
    changed = {name for name in base if not torch.equal(base[name], exported[name])}
    assert list(json.loads(result.stdout)["adapters"]) == ["my-lora"]
    assert len(changed) == 4
    assert all("_attn.q_proj.weight" in name for name in changed)
    assert all(torch.allclose(exported[name], merged[name], rtol=0.0, atol=1e-6) for name in base)


@pytest.mark.torch
def test_nan_in_weights_is_one_clear_message(tiny: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(tiny, tmp_path / "spoilt"))
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    tensors["decoder.lm_heads.3.weight"][7, 7] = torch.nan
    save_file(tensors, folder / "model.safetensors")

    said = refusal(isopath("models", "export", folder, tmp_path / "out"))

    problem = "decoder.lm_heads.3.weight holds 1 value(s) that are NaN or infinite"
    remedy = "use the files of one model, unchanged, or fetch them again"
    assert said == f"{folder / 'model.safetensors'}: {problem}; {remedy}"
    assert not (tmp_path / "out").exists()


@pytest.mark.torch
def test_what_cannot_be_exported_is_refused_before_the_work(tiny: Path, tmp_path: Path) -> None:
    assert isinstance(refused("export", tiny, tmp_path / "out", "--format", "onnx"), UnknownName)
    assert isinstance(refused("export", tiny, tmp_path / "out", "--adapter", "lora=much"), OutOfRange)
    assert isinstance(refused("export", tiny, tmp_path / "out", "--adapter", tmp_path / "none"), ModelError)
    assert isinstance(refused("export", tiny, tiny), StorageError)
    assert not (tmp_path / "out").exists()


def _train_lora(base: Path, folder: Path) -> dict[str, Tensor]:
    """Write a LoRA whose weights are all random; gives the tensors of peft's own merge."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import MusicgenForConditionalGeneration

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole: Any = MusicgenForConditionalGeneration.from_pretrained(base)
        adapted: Any = get_peft_model(whole, LoraConfig(r=2, lora_alpha=4, target_modules=r"decoder.*q_proj"))
        generator = torch.Generator().manual_seed(1)
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.data.normal_(0.0, 0.1, generator=generator)
        adapted.peft_config["default"].base_model_name_or_path = "isopath/random-tiny"
        adapted.save_pretrained(str(folder))
        state: dict[str, Tensor] = adapted.merge_and_unload().state_dict()
    return state
