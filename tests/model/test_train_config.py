"""Run files: every shipped one is valid, every mistake is told with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import model.configs as shipped
from model.cli import COMMANDS, main
from model.training.config import load_run, parse_run
from pathkg.errors import InputError

pytest.importorskip("trl", reason="trainer options are TRL's")
yaml = pytest.importorskip("yaml", reason="run files are YAML")

CONFIGS = sorted(Path(next(iter(shipped.__path__))).glob("*.yaml"))
BASE = {"output": "out", "model": {"path": "m"}, "data": {"train": "t.jsonl"}}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.stem)
def test_shipped_runs_are_valid(file):
    run = load_run(file, file.stem.split("-")[0])
    assert run.output.startswith("runs/")


def test_there_is_a_run_for_one_cpu_one_gpu_and_several():
    stems = {f.stem for f in CONFIGS}
    assert {f"{k}-{m}" for k in ("sft", "grpo") for m in ("cpu", "gpu", "multi")} <= stems


@pytest.mark.parametrize("file", sorted((CONFIGS[0].parent / "accelerate").glob("*.yaml")), ids=lambda f: f.stem)
def test_accelerate_files_are_read_by_accelerate(file):
    config = pytest.importorskip("accelerate.commands.config.config_args")
    assert config.load_config_from_file(str(file)).num_processes == 8


@pytest.mark.parametrize(("kind", "change", "told"), [
    ("sft", {"modle": {}}, r"no option 'modle'.*did you mean 'model'"),
    ("sft", {"model": {"path": "m", "lroa": {}}}, r"'model\.lroa'.*did you mean 'lora'"),
    ("sft", {"model": {"path": "m", "lora": {"rank": 3}}}, r"'model\.lora\.rank'.*options there: .*alpha"),
    ("sft", {"augment": {"pseudo": {"clusers": 3}}}, r"did you mean 'clusters'"),
    ("sft", {"stages": [{"name": "a", "trian": []}]}, r"stages\.0\.trian.*did you mean 'train'"),
    ("sft", {"trainer": {"learning_rte": 1}}, r"SFTConfig has no option 'learning_rte'.*did you mean 'learning_rate'"),
    ("grpo", {"trainer": {"num_generation": 4}}, r"GRPOConfig has no option.*did you mean 'num_generations'"),
    ("grpo", {"rewards": {"entitty": 1}}, r"did you mean 'entity'"),
    ("grpo", {"rewards": {"entity_variant": "soft_dise"}}, r"soft_dice"),
    ("sft", {"trainer": {"seed": 1}}, r"trainer\.seed is set elsewhere"),
    ("sft", {"model": {"lm": "x", "encoder": {"feature_dmi": 3}}}, r"did you mean 'feature_dim'"),
    ("sft", {"model": {"path": "a", "lm": "b"}}, r"exactly one of"),
    ("sft", {"augment": {"mix": {"masked": 0, "full": 0, "pseudo": 0}}}, r"all shares are zero"),
    ("sft", {"augment": {"mask_share": 1.5}}, r"augment\.mask_share"),
    ("sft", {"stages": [{"name": "a"}, {"name": "a"}]}, r"a name of its own"),
])
def test_mistakes_are_told(kind, change, told):
    with pytest.raises(InputError, match=f"(?s){told}"):
        parse_run({**BASE, **change}, kind)


def test_bundled_runs_go_by_name_and_near_names_are_told():
    assert load_run("sft-cpu", "sft").output == "runs/demo/sft"
    with pytest.raises(InputError, match="did you mean 'sft-cpu'"):
        load_run("sft-cpus", "sft")


def test_overrides_reach_into_sections(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(BASE))
    run = load_run(file, "sft", ["trainer.learning_rate=1e-3", "model.max_patches=7"])
    assert (run.trainer["learning_rate"], run.model.max_patches) == (pytest.approx(1e-3), 7)
    with pytest.raises(InputError, match="no '='"):
        load_run(file, "sft", ["trainer.learning_rate"])


@pytest.mark.parametrize(("text", "told"), [("a: [", "is not YAML"), ("- 1", "not named sections")])
def test_files_that_are_no_runs(tmp_path, text, told):
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        load_run(file, "sft")


def test_the_program_checks_a_run_and_exits_2_for_a_typo(tmp_path, capsys):
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(BASE))
    assert main(["sft", "--config", str(file), "--check"]) == 0
    file.write_text(yaml.safe_dump({**BASE, "sed": 1}))
    assert main(["sft", "--config", str(file), "--check"]) == 2
    assert "did you mean 'seed'" in capsys.readouterr().err


def test_every_command_can_say_what_it_does(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            main([name, "--help"])
        assert caught.value.code == 0
    assert main([]) == 0
    overview = capsys.readouterr().out
    assert all(name in overview for name in COMMANDS)
