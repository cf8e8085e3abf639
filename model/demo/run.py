"""The whole way on generated data, on a CPU: model, SFT, GRPO, evaluation with controls.

Every part is written to its own folder and skipped when it is there, so an interrupted demo goes on.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.data.samples import TrainingSample, read_samples
from model.demo.figures import line_chart
from model.demo.world import WorldSettings, write_world

log = logging.getLogger("model.demo")

SYSTEM = "You are a pathologist."
"""Short: every token costs on a CPU."""

LOSS_FALL = 0.4
SLIDE_MARGIN = 0.2
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Sizes of the demo, for one kind of language model.

    Args:
        train: cases for SFT and GRPO.
        validation: cases whose loss is measured.
        test: cases for evaluation.
        align_steps: steps of the alignment by words, before SFT.
        warm_up_steps: SFT steps of encoder and projector alone.
        sft_steps: SFT steps of everything.
        batch: rows of an SFT step.
        sft_rate: learning rate of the language model in SFT.
        slide_rate: learning rate of encoder and projector in SFT.
        grpo_steps: GRPO steps.
        prompts: prompts of a GRPO step.
        generations: completions of a prompt.
        grpo_rate: learning rate of GRPO.
        max_new_tokens: of a completion.
        draws: sampled answers per held-back prompt when two models are compared.
        grpo_lora: rank of GRPO's adapter on the language model; 0 trains all weights.
        grpo_layers: layers with an adapter, counted from the top; 0 for all.
    """

    train: int
    validation: int
    test: int
    align_steps: int
    warm_up_steps: int
    sft_steps: int
    batch: int
    sft_rate: float
    slide_rate: float
    grpo_steps: int
    prompts: int
    generations: int
    grpo_rate: float
    max_new_tokens: int
    draws: int
    grpo_lora: int = 0
    grpo_layers: int = 0

    def scaled(self, scale: float) -> DemoSettings:
        """Counts of cases and SFT steps times ``scale``; GRPO steps stay."""
        def grown(n: int) -> int:
            return max(4, round(n * scale))

        return replace(self, train=grown(self.train), validation=grown(self.validation), test=grown(self.test),
                       sft_steps=grown(self.sft_steps))


SIZES: Mapping[str, DemoSettings] = {
    "smollm2": DemoSettings(train=240, validation=16, test=40, align_steps=120, warm_up_steps=0, sft_steps=56, batch=4,
                            sft_rate=3e-4, slide_rate=3e-4, grpo_steps=20, prompts=2, generations=8, grpo_rate=5e-4,
                            max_new_tokens=100, draws=2, grpo_lora=16, grpo_layers=10),
    "tiny": DemoSettings(train=240, validation=24, test=60, align_steps=200, warm_up_steps=0, sft_steps=200, batch=8,
                         sft_rate=3e-3, slide_rate=3e-3, grpo_steps=20, prompts=4, generations=4, grpo_rate=1e-4,
                         max_new_tokens=120, draws=2),
}

CARELESS = 0.4
"""Share of the training trajectories that are written carelessly, as real ones are."""

ENCODER: Mapping[str, Any] = {"hidden_size": 128, "num_heads": 4, "num_layers": 1, "num_tokens": None}
"""The slide encoder of the demo, whose bags hold a dozen patches."""


def run_demo(out: str | Path, *, lm: str = "smollm2", scale: float = 1.0, threads: int | None = None, seed: int = 0,
             ablations: bool = False, sizes: DemoSettings | None = None, slides: bool = True, real_slide: str = "") -> int:
    """Run the demo, print its figures as JSON, write them with charts to ``out``.

    Args:
        out: folder of everything.
        lm: ``smollm2``, ``tiny`` or a language-model folder.
        scale: see :meth:`DemoSettings.scaled`.
        threads: of torch.
        seed: of everything.
        ablations: also run without masking, without pseudo-bags, without the entity reward.
        sizes: other sizes than those of :data:`SIZES`.
        slides: draw, tile and encode slides; otherwise features are random prototypes.
        real_slide: a slide whose patches join those that say nothing.

    Returns:
        0 when every claim of the demo holds, else 1.
    """
    from model.training.parts import use_threads

    use_threads(threads)
    root = Path(out)
    settings = (sizes or SIZES.get(lm, SIZES["smollm2"])).scaled(scale)
    clock = _Clock(root / "seconds.json")
    with clock("data"):
        files = _world(root, settings, WorldSettings(seed=seed, patches=(8, 12), copies=2, slides=slides,
                                                     real_slide=real_slide, careless=CARELESS))
    with clock("language model"):
        lm_folder = _language_model(root, lm, files["train"])
    with clock("sft"):
        sft = _sft(root / "sft", lm_folder, files, settings, lm=lm, seed=seed)
    test = read_samples(files["test"])
    with clock("evaluate sft"):
        before = _measure(root / "evaluation" / "sft", sft["model"], test, settings, seed, controls=False)
    with clock("grpo"):
        grpo = _grpo(root / "grpo", sft["model"], files, settings, seed=seed)
    with clock("evaluate grpo"):
        after = _measure(root / "evaluation" / "grpo", grpo["model"], test, settings, seed)
    figures = _figures(sft, grpo, before, after)
    figures["grpo_gains"]["measured"] = f"{len(test)} held-back prompts, mean of {settings.draws} answers at temperature 1"
    figures["settings"] = {"lm": lm, "scale": scale, "seed": seed, "threads": threads, **_as_dict(settings)}
    if ablations:
        with clock("ablations"):
            figures["ablations"] = _ablations(root, lm_folder, files, settings, sft, test, lm=lm, seed=seed)
    figures["seconds"] = clock.seconds
    (root / "figures.json").write_text(json.dumps(figures, indent=1, sort_keys=True), encoding="utf-8")
    _charts(root, sft, grpo)
    print(json.dumps({k: v for k, v in figures.items() if k != "settings"}, indent=1))
    return 0 if all(figures["claims"].values()) else 1


class _Clock:
    """Seconds of each part, kept over interruptions."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seconds: dict[str, float] = json.loads(file.read_text()) if file.is_file() else {}
        self._name = ""
        self._start = 0.0

    def __call__(self, name: str) -> _Clock:
        self._name = name
        return self

    def __enter__(self) -> None:
        log.info("%s …", self._name)
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._start
        # a part that was skipped on a second run keeps the time it took
        self.seconds[self._name] = max(round(spent, 1), self.seconds.get(self._name, 0.0))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.seconds), encoding="utf-8")


def _as_dict(settings: DemoSettings) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(settings)


def _world(root: Path, settings: DemoSettings, world: WorldSettings) -> dict[str, Path]:
    folder = root / "data"
    files = {split: folder / f"{split}.jsonl" for split in ("train", "validation", "test")}
    if not all(f.is_file() for f in files.values()):
        write_world(folder, train=settings.train, validation=settings.validation, test=settings.test, settings=world)
    return files


def _language_model(root: Path, lm: str, train: Path) -> Path:
    from model.language_models import from_gguf, smollm_gguf, tiny_lm

    if lm not in SIZES:
        return Path(lm)
    folder = root / "lm"
    if not (folder / "model.safetensors").is_file():
        if lm == "tiny":
            texts = [t for s in read_samples(train) for t in (s.ask(), s.text)]
            model, tokenizer = tiny_lm(texts, vocab_size=512, hidden_size=128, num_layers=2)
        else:
            model, tokenizer = from_gguf(smollm_gguf())
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    return folder


def _sft(folder: Path, lm_folder: Path, files: Mapping[str, Path], settings: DemoSettings, *, lm: str, seed: int,
         mix: Mapping[str, float] | None = None) -> dict[str, Any]:
    from model.training.config import parse_run
    from model.training.sft import run_sft

    stages: list[dict[str, Any]] = [{"name": "all", "trainer": {"max_steps": settings.sft_steps},
                                     "rates": {"encoder": settings.slide_rate, "projector": settings.slide_rate}}]
    if settings.warm_up_steps:
        stages.insert(0, {"name": "projector", "train": ["encoder", "projector"],
                          "trainer": {"max_steps": settings.warm_up_steps, "learning_rate": settings.slide_rate}})
    run = parse_run({
        "output": str(folder), "seed": seed + 1, "log_to": "tensorboard",
        "model": {"lm": str(lm_folder), "init_seed": seed, "encoder": dict(ENCODER)},
        "data": {"train": str(files["train"]), "validation": str(files["validation"]), "system_prompt": SYSTEM},
        "augment": {"mix": dict(mix or {"masked": 1, "full": 5, "pseudo": 1}), "mask_share": 0.5,
                    "rows": settings.sft_steps * settings.batch, "pseudo": {"clusters": 4, "batch_size": 5}},
        "align": {"steps": settings.align_steps} if settings.align_steps else None,
        "stages": stages,
        "trainer": {"per_device_train_batch_size": settings.batch, "learning_rate": settings.sft_rate,
                    "lr_scheduler_type": "cosine", "warmup_steps": 4, "logging_steps": 2,
                    "eval_strategy": "no", "eval_on_start": False, "save_steps": max(10, settings.sft_steps // 2)}}, "sft")
    figures: dict[str, Any] = run_sft(run)
    figures["held_back_loss"] = _held_back(folder, lm_folder, figures["model"], files["validation"], seed)
    return figures


def _held_back(folder: Path, lm_folder: Path, trained: str, validation: Path, seed: int) -> dict[str, float]:
    """The loss on held-back trajectories of the model as built and as trained."""
    file = folder / "held-back-loss.json"
    if file.is_file():
        known: dict[str, float] = json.loads(file.read_text())
        return known
    from model.training.parts import load_vlm
    from model.vlm import build_vlm

    samples = read_samples(validation)
    after = load_vlm(trained)
    fresh = build_vlm(lm_folder, seed=seed, encoder={**ENCODER, "feature_dim": after[1].feature_dim})
    losses = {"before": mean_loss(*fresh, samples), "after": mean_loss(*after, samples)}
    file.write_text(json.dumps(losses), encoding="utf-8")
    return losses


def mean_loss(vlm: Any, processor: Any, samples: Sequence[TrainingSample], *, batch: int = 6) -> float:
    """Mean negative log-likelihood per token of the reference trajectories."""
    import torch

    from model.data.prompts import completion_text, prompt_text

    total, count = 0.0, 0
    for start in range(0, len(samples), batch):
        rows = samples[start:start + batch]
        prompts = [prompt_text(processor, s, system_prompt=SYSTEM) for s in rows]
        texts = [p + completion_text(processor, s.text) for p, s in zip(prompts, rows, strict=True)]
        options: dict[str, Any] = {"padding": True, "padding_side": "left", "return_tensors": "pt",
                                   "add_special_tokens": False}
        images = [[s.image] for s in rows]
        inputs = processor(images=images, text=texts, **options)
        tails = [len(processor.tokenizer(completion_text(processor, s.text), add_special_tokens=False)["input_ids"])
                 for s in rows]
        labels = inputs["input_ids"].clone()
        for row, tail in enumerate(tails):
            labels[row, :-tail] = -100
        with torch.no_grad():
            logits = vlm.eval()(**inputs).logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2).float(), labels[:, 1:], reduction="sum")
        total, count = total + float(losses), count + sum(tails)
    return total / count


def _grpo(folder: Path, model: str, files: Mapping[str, Path], settings: DemoSettings, *, seed: int,
          rewards: Mapping[str, float] | None = None) -> dict[str, Any]:
    from model.training.config import parse_run
    from model.training.grpo import run_grpo

    policy: dict[str, Any] = {"model": {"path": model}}
    if settings.grpo_lora:
        # a dozen completions a step are a noisy guide: all weights at once, the whole vocabulary among them, drift apart
        lora = {"r": settings.grpo_lora, "alpha": 2 * settings.grpo_lora, "targets": ["o_proj", "down_proj"],
                "last_layers": settings.grpo_layers or None}
        policy = {"model": {"path": model, "lora": lora}, "train": ["lm"]}
    run = parse_run({
        "output": str(folder), "seed": seed + 2, **policy,
        "data": {"train": str(files["train"]), "system_prompt": SYSTEM},
        "rewards": dict(rewards or {"format": 1.0, "semantic": 1.0, "entity": 0.5}),
        "trainer": {"max_steps": settings.grpo_steps,
                    "per_device_train_batch_size": settings.prompts * settings.generations,
                    "num_generations": settings.generations, "max_completion_length": settings.max_new_tokens,
                    # most tokens leave no choice; those that decide (a tag, a finding) are few and of high entropy
                    "top_entropy_quantile": 0.2,
                    # once most completions are right, a group's few failures must not count as much as half of it did;
                    # with a constant rate and scaled groups the rewards fell again after ten steps
                    "scale_rewards": "none", "lr_scheduler_type": "linear", "warmup_steps": 2,
                    "learning_rate": settings.grpo_rate, "save_steps": 10}}, "grpo")
    return run_grpo(run)


def _measure(folder: Path, model: str, samples: Sequence[TrainingSample], settings: DemoSettings,
             seed: int, *, controls: bool = True) -> dict[str, Any]:
    """Greedy answers, with the shuffled control or without, and sampled answers scored by the rewards, per prompt."""
    file = folder / "measured.json"
    if file.is_file():
        known: dict[str, Any] = json.loads(file.read_text())
        return known
    from model.evaluation.predict import Condition, predict
    from model.evaluation.run import evaluate, predict_all
    from model.evaluation.scoring import ScoringSettings, packaged_minilm
    from model.training.parts import best_device, load_vlm

    vlm, processor = load_vlm(model)
    vlm = vlm.to(best_device())
    options: dict[str, Any] = {"batch_size": 24, "max_new_tokens": settings.max_new_tokens, "system_prompt": SYSTEM}
    conditions: list[Condition] = ["slide", "shuffled"] if controls else ["slide"]
    predictions = predict_all(vlm, processor, samples, conditions, folder, seed=seed, **options)
    scoring = ScoringSettings(embedding=packaged_minilm() is not None)
    report = evaluate(samples, predictions, folder, settings=scoring, title=folder.name)
    sampled: dict[str, list[float]] = {"format": [], "entity": []}
    draws = [predict(vlm, processor, samples, temperature=1.0, seed=seed + 100 + d, confidence=False, **options)
             for d in range(settings.draws)]
    scorers = _scorers()
    for i, sample in enumerate(samples):
        for name, score in scorers.items():
            values = [score(rows[i].text, sample) for rows in draws]
            sampled[name].append(sum(values) / len(values))
    measured = {"sampled": sampled, "accuracy": {c: f["accuracy"] for c, f in report["conditions"].items()},
                "controls": report["controls"], "slide_used": report["slide_used"],
                "means": report["conditions"]["slide"]["means"],
                "certificates": report["conditions"]["slide"].get("certificates"),
                "calibration": report["conditions"]["slide"]["calibration"], "files": report["files"]}
    file.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    return measured


def _scorers() -> dict[str, Callable[[str, TrainingSample], float]]:
    from pathkg.rewards import EntityReward, FormatReward

    def scorer(reward: Any) -> Callable[[str, TrainingSample], float]:
        return lambda text, sample: float(reward.score(text, sample.reference).total or 0.0)

    return {"format": scorer(FormatReward()), "entity": scorer(EntityReward())}


def _figures(sft: Mapping[str, Any], grpo: Mapping[str, Any], before: Mapping[str, Any],
             after: Mapping[str, Any]) -> dict[str, Any]:
    from model.evaluation.statistics import paired

    loss = sft["held_back_loss"]
    fall = 1 - loss["after"] / loss["before"]
    gains = {name: {"sft": sum(before["sampled"][name]) / len(before["sampled"][name]),
                    "grpo": sum(after["sampled"][name]) / len(after["sampled"][name]),
                    **paired(after["sampled"][name], before["sampled"][name])} for name in ("format", "entity")}
    gap = after["controls"]["shuffled"]["accuracy"]
    claims = {
        f"held-back SFT loss falls by at least {LOSS_FALL:.0%}": fall >= LOSS_FALL,
        "format reward after GRPO above SFT (p < 0.05)": gains["format"]["difference"] > 0
        and gains["format"]["p"] < SIGNIFICANT,
        "entity reward after GRPO above SFT (p < 0.05)": gains["entity"]["difference"] > 0
        and gains["entity"]["p"] < SIGNIFICANT,
        f"right slide beats another case's by at least {SLIDE_MARGIN:.0%}": gap["difference"] >= SLIDE_MARGIN}
    return {"held_back_loss": {**loss, "fall": round(fall, 4)}, "grpo_gains": gains,
            "accuracy": {"sft": before["accuracy"], "grpo": after["accuracy"]},
            "right_slide_minus_shuffled": gap,
            "entity_f1": {"sft": before["means"].get("entity_f1"), "grpo": after["means"].get("entity_f1")},
            "certificates": {"sft": before["certificates"], "grpo": after["certificates"]},
            "unscored": grpo["unscored"], "unscored_reasons": grpo["unscored_reasons"], "claims": claims}


def _ablations(root: Path, lm_folder: Path, files: Mapping[str, Path], settings: DemoSettings, sft: Mapping[str, Any],
               test: Sequence[TrainingSample], *, lm: str, seed: int) -> dict[str, Any]:
    """The same runs without one thing each."""
    found = {}
    for name, changed, mix in (("no masking", settings, {"full": 5, "masked": 0, "pseudo": 1}),
                               ("no pseudo-bag", settings, {"full": 5, "masked": 1, "pseudo": 0}),
                               ("no alignment", replace(settings, align_steps=0), None)):
        folder = root / "ablations" / name.replace(" ", "-")
        trained = _sft(folder, lm_folder, files, changed, lm=lm, seed=seed, mix=mix)
        measured = _measure(folder / "evaluation", trained["model"], test, settings, seed)
        found[name] = {"held_back_loss": trained["held_back_loss"]["after"], "accuracy": measured["accuracy"]["slide"],
                       "entity_f1": measured["means"].get("entity_f1")}
    folder = root / "ablations" / "no-entity-reward"
    trained = _grpo(folder, sft["model"], files, settings, seed=seed,
                    rewards={"format": 1.0, "semantic": 1.0, "entity": 0.0})
    measured = _measure(folder / "evaluation", trained["model"], test, settings, seed)
    found["no entity reward"] = {"accuracy": measured["accuracy"]["slide"],
                                 "sampled_entity": sum(measured["sampled"]["entity"]) / len(test),
                                 "entity_f1": measured["means"].get("entity_f1")}
    return found


def _charts(root: Path, sft: Mapping[str, Any], grpo: Mapping[str, Any]) -> None:
    losses = {name: [(e["step"], e["loss"]) for e in stage["history"] if "loss" in e]
              for name, stage in sft["stages"].items()}
    line_chart(root / "sft-loss.svg", losses, title="SFT loss", x="step", y="loss per token")
    history = grpo["history"]
    rewards = {name: [(e["step"], e[f"rewards/{name}/mean"]) for e in history if f"rewards/{name}/mean" in e]
               for name in ("format", "semantic", "entity")}
    line_chart(root / "grpo-rewards.svg", rewards, title="GRPO rewards of the rollouts", x="step", y="mean reward")
