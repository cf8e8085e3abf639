"""GRPO on TRL's own trainer, with the slide in the rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the trainer needs torch")
pytest.importorskip("trl", reason="the trainer needs trl")

import torch
from safetensors.torch import load_file

from model.data.samples import read_samples
from model.training.config import LoraSection, RewardSection, parse_run
from model.training.dynamic import dull_groups, replace_groups
from model.training.grpo import grpo_rows, run_grpo
from model.training.rewards import RewardFunction, UnscoredWatch, build_rewards
from model.vlm import build_vlm
from pathkg.errors import EndpointError, InputError


@pytest.fixture
def grpo_run(tiny, tmp_path):
    def make(**changes):
        trainer = {"per_device_train_batch_size": 4, "num_generations": 4, "max_completion_length": 12,
                   "max_steps": 2, "learning_rate": 1e-3, "save_strategy": "steps", "save_steps": 1,
                   **changes.pop("trainer", {})}
        raw = {"output": str(tmp_path / changes.pop("name", "grpo")), "log_to": "none",
               "model": {"path": tiny["vlm"]}, "data": {"train": tiny["train"], "max_samples": 4},
               "trainer": trainer, **changes}
        return parse_run(raw, "grpo")

    return make


def count_xs(reward):
    """A reward with a signal that a random model can follow in two steps: the share of one frequent letter."""
    class Letters:
        @staticmethod
        def score_batch(texts, references):
            from pathkg.rewards import RewardBreakdown

            return [RewardBreakdown(t.count("e") / max(1, len(t)), {}) for t in texts]

    return RewardFunction(Letters(), reward)


@pytest.fixture
def lively(monkeypatch):
    """Rewards with variance: an untrained model earns zero on all the real ones."""
    monkeypatch.setattr("model.training.grpo.build_rewards",
                        lambda section: ([count_xs("format"), count_xs("entity")], [1.0, 0.5]))


def moved(before, after):
    old, new = (load_file(Path(p) / "model.safetensors") for p in (before, after))
    return {n for n in old if not torch.equal(old[n], new[n])}


def test_the_rollout_sees_the_slide_and_every_part_learns(grpo_run, tiny, lively, monkeypatch):
    from model.vlm.modeling import SlideVLM

    seen = []
    original = SlideVLM.generate
    monkeypatch.setattr(SlideVLM, "generate", lambda self, *a, **k: seen.append(k["pixel_values"].shape) or
                        original(self, *a, **k))
    figures = run_grpo(grpo_run())
    assert seen
    assert all(shape[0] == 4 and shape[2] == 35 for shape in seen)
    parts = {n.split(".")[1] for n in moved(tiny["vlm"], figures["model"])}
    assert parts == {"slide_encoder", "projector", "language_model"}
    logged = next(e for e in figures["history"] if "reward" in e)
    assert {"rewards/format/mean", "rewards/entity/mean"} <= set(logged)
    assert logged["reward"] == pytest.approx(logged["rewards/format/mean"] + 0.5 * logged["rewards/entity/mean"])


@pytest.mark.parametrize("options", [{"loss_type": "grpo", "beta": 0.05}, {"loss_type": "dr_grpo", "scale_rewards": "none"},
                                     {"importance_sampling_level": "sequence", "scale_rewards": "batch"}])
def test_loss_types_scales_and_the_reference_are_reachable(grpo_run, lively, options):
    figures = run_grpo(grpo_run(trainer={**options, "save_strategy": "no", "max_steps": 1}))
    logged = next(e for e in figures["history"] if "reward" in e)
    assert ("kl" in logged) == ("beta" in options)


def test_an_interrupted_run_that_resumes_equals_one_that_was_not(grpo_run, lively):
    from transformers import TrainerCallback, trainer

    whole = run_grpo(grpo_run(name="whole"))

    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **kwargs):
            if state.global_step == 1:
                raise KeyboardInterrupt

    original = trainer.DEFAULT_CALLBACKS.copy()
    trainer.DEFAULT_CALLBACKS.append(Stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_grpo(grpo_run(name="cut"))
    finally:
        trainer.DEFAULT_CALLBACKS[:] = original
    resumed = run_grpo(grpo_run(name="cut"))
    assert resumed["resumed_from"].endswith("checkpoint-1")
    assert moved(whole["model"], resumed["model"]) == set()


def test_lora_keeps_the_reference_without_the_adapter(grpo_run, tiny, lively):
    figures = run_grpo(grpo_run(model={"path": tiny["vlm"], "lora": {"r": 2}}, trainer={"beta": 0.1, "max_steps": 1,
                                                                                       "save_strategy": "no"}))
    logged = next(e for e in figures["history"] if "kl" in e)
    assert logged["kl"] == pytest.approx(0.0, abs=1e-4)  # before the first step policy and reference are one
    assert any("language_model" in n for n in moved(tiny["vlm"], figures["model"]))


def test_adapters_in_the_last_layers_only(tmp_path):
    from peft import get_peft_model

    from model.language_models import tiny_lm
    from model.training.parts import depth, lora_config

    vlm, _ = build_vlm(tiny_lm(["a b c"] * 4, vocab_size=300, hidden_size=32, num_layers=12), encoder={"feature_dim": 4, "hidden_size": 16, "num_heads": 2})
    section = LoraSection(r=2, targets=["o_proj", "down_proj"], last_layers=2)
    with pytest.raises(InputError, match="the language model has 12 layers"):
        lora_config(section.model_copy(update={"last_layers": 13}), ["lm"], layers=depth(vlm))
    adapted = get_peft_model(vlm, lora_config(section, ["lm"], layers=depth(vlm)))
    learning = {name.split(".lora_")[0].split("layers.")[1] for name, p in adapted.named_parameters() if p.requires_grad}
    assert learning == {f"{layer}.{part}" for layer in (10, 11) for part in ("self_attn.o_proj", "mlp.down_proj")}


def test_dynamic_sampling_replaces_groups_that_teach_nothing(grpo_run, monkeypatch):
    asked = []

    class Picky:
        @staticmethod
        def score_batch(texts, references):
            from pathkg.rewards import RewardBreakdown

            asked.append(len(texts))
            # the first group is all equal, those drawn for it are not
            return [RewardBreakdown(0.0 if len(asked) == 1 else float(i), {}) for i, _ in enumerate(texts)]

    monkeypatch.setattr("model.training.grpo.build_rewards",
                        lambda section: ([RewardFunction(Picky(), "format")], [1.0]))
    figures = run_grpo(grpo_run(dynamic_sampling={"enabled": True}, trainer={"max_steps": 1, "save_strategy": "no"}))
    assert figures["resampled_groups"] == 1
    assert asked == [4, 4]


def test_groups_are_replaced_row_for_row_and_padding_grows():
    batch = {"prompt_ids": torch.tensor([[9, 1], [9, 1], [2, 3], [2, 3]]), "advantages": torch.tensor([0., 0., 1., -1.]),
             "completion_ids": torch.tensor([[5], [5], [6], [7]]), "num_items_in_batch": torch.tensor(4),
             "num_images": [1, 1, 1, 1]}
    fresh = {"prompt_ids": torch.tensor([[4, 4, 4]] * 2), "advantages": torch.tensor([2., -2.]),
             "completion_ids": torch.tensor([[8, 8], [8, 0]]), "num_items_in_batch": torch.tensor(3),
             "num_images": [1, 1]}
    assert dull_groups(batch["advantages"], 2) == [0]
    merged = replace_groups(batch, fresh, [(0, 0)], 2, pad_token_id=0)
    assert merged["prompt_ids"].tolist() == [[4, 4, 4], [4, 4, 4], [0, 2, 3], [0, 2, 3]]
    assert merged["completion_ids"].tolist() == [[8, 8], [8, 0], [6, 0], [7, 0]]
    assert merged["advantages"].tolist() == [2, -2, 1, -1]


@pytest.mark.parametrize(("trainer", "told"), [
    ({"scale_rewards": "batch"}, "within their group"),
])
def test_dynamic_sampling_says_what_it_cannot_do(grpo_run, trainer, told):
    with pytest.raises(InputError, match=told):
        run_grpo(grpo_run(dynamic_sampling={"enabled": True}, trainer=trainer))


# --- rewards --------------------------------------------------------------------------------------------------

def test_the_gold_earns_the_maximum_and_weights_are_as_configured(tiny):
    functions, weights = build_rewards(RewardSection())
    assert [(f.__name__, w) for f, w in zip(functions, weights, strict=True)] == [
        ("format", 1.0), ("semantic", 1.0), ("entity", 0.5)]
    samples = read_samples(tiny["train"])
    for function in functions:
        scores = function(completions=[[{"role": "assistant", "content": s.text}] for s in samples],
                          reference=[s.reference for s in samples])
        assert scores == pytest.approx([1.0] * len(samples))
        junk = function(completions=["junk"] * 2, reference=[s.reference for s in samples[:2]])
        assert max(junk) < 0.2


def test_path_is_optional_and_nothing_at_all_is_refused():
    assert [f.__name__ for f in build_rewards(RewardSection(path=0.2))[0]] == ["format", "semantic", "entity", "path"]
    with pytest.raises(InputError, match="every reward has weight 0"):
        build_rewards(RewardSection(format=0, semantic=0, entity=0))


class Dying:
    """A reward whose endpoint answers for a while and is then gone."""

    def __init__(self, alive):
        self.alive = alive

    def score_batch(self, texts, references):
        from pathkg.rewards import RewardBreakdown

        self.alive -= 1
        if self.alive < 0:
            raise EndpointError("the judge does not answer")
        return [RewardBreakdown(0.5, {}) for _ in texts]


def test_a_reward_that_dies_is_none_and_counted():
    logged = {}
    function = RewardFunction(Dying(1), "semantic")
    call = lambda: function(completions=["a", "b"], reference=["", ""], log_metric=logged.__setitem__)  # noqa: E731
    assert call() == [0.5, 0.5]
    assert call() == [None, None]
    assert logged == {"unscored/semantic": 1.0}
    assert (function.scored, function.unscored, dict(function.reasons)) == (2, 2, {"EndpointError": 2})


def test_a_judge_that_dies_in_mid_run_is_counted_over_a_real_socket(tiny):
    """A small server that answers twice and is then gone."""
    openai = pytest.importorskip("openai", reason="the judge speaks through the openai package")
    assert openai
    import http.server
    import json
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            reply = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [
                {"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": '{"reason": "r", "grade": 3}'}}]}
            body = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    from pathkg.rewards import SemanticReward
    from pathkg.rewards.judge import Judge

    judge = Judge(base_url=f"http://127.0.0.1:{server.server_port}/v1", model="m", retries=0, timeout_s=2.0)
    function = RewardFunction(SemanticReward(judge=judge), "semantic")
    sample = read_samples(tiny["train"])[0]
    answers = [sample.text.replace(sample.answer.capitalize(), f"Tumour {i}") for i in range(2)]
    assert function(completions=answers, reference=[sample.reference] * 2) == [0.75, 0.75]
    server.shutdown()
    server.server_close()
    other = [a.replace("Tumour", "Lesion") for a in answers]
    assert function(completions=other, reference=[sample.reference] * 2) == [None, None]
    assert function.unscored == 2
    assert sum(function.reasons.values()) == 2


def test_a_fallback_scores_what_the_judge_could_not():
    function = RewardFunction(Dying(0), "semantic", fallback=Dying(5))
    assert function(completions=["a"], reference=[""]) == [0.5]
    assert (function.fallen_back, function.unscored) == (1, 0)


def test_training_goes_on_without_the_dead_reward(grpo_run, monkeypatch):
    monkeypatch.setattr("model.training.grpo.build_rewards",
                        lambda section: ([count_xs("format"), RewardFunction(Dying(1), "semantic")], [1.0, 1.0]))
    figures = run_grpo(grpo_run(trainer={"save_strategy": "no"}))
    assert figures["unscored"] == {"format": 0, "semantic": 4}
    assert figures["metrics"]["train_loss"] == figures["metrics"]["train_loss"]


def test_a_run_whose_reward_stays_away_stops_with_a_checkpoint(grpo_run, monkeypatch):
    monkeypatch.setattr("model.training.grpo.build_rewards",
                        lambda section: ([count_xs("format"), RewardFunction(Dying(0), "semantic")], [1.0, 1.0]))
    run = grpo_run(rewards={"unscored_window": 2}, trainer={"max_steps": 9, "save_strategy": "no"})
    figures = run_grpo(run)
    assert figures["stopped_for"] == "semantic"
    assert figures["metrics"]["epoch"] < 9
    assert (Path(run.output) / "checkpoint-2").is_dir()
    assert not (Path(run.output) / "done.json").exists()


def test_the_watch_waits_for_a_full_window():
    function = RewardFunction(Dying(0), "semantic")
    watch = UnscoredWatch([function], share=0.5, window=3)
    from transformers import TrainerControl

    for step in range(3):
        function(completions=["a"], reference=[""])
        control = watch.on_step_end(None, None, TrainerControl())
        assert control.should_training_stop == (step == 2)


def test_rows_need_references(tiny):
    from dataclasses import replace

    samples = read_samples(tiny["train"])[:2]
    rows = grpo_rows(samples, system_prompt="S")
    assert rows[0]["prompt"] == [{"role": "system", "content": "S"}, {"role": "user", "content": samples[0].ask()}]
    assert rows[0]["images"] == [samples[0].image]
    with pytest.raises(InputError, match=r"1 of 2 samples have no reference; first 'train-0001'"):
        grpo_rows([samples[0], replace(samples[1], reference="")], system_prompt="S")


