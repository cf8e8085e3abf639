"""Run configuration: YAML in, checked values out. A mistyped name is an error that says what was meant."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.data.prompts import SYSTEM_PROMPT
from model.extras import require
from pathkg.errors import InputError, did_you_mean

Part = Literal["encoder", "projector", "lm"]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class LoraSection(Section):
    """LoRA on the language model; encoder and projector are trained in full beside it."""

    r: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: Share = 0.0
    targets: list[str] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    last_layers: int | None = Field(default=None, ge=1, description="adapters in so many layers, counted from the top; "
                                    "the backward pass ends below them")
    merge: bool = Field(default=True, description="save one plain model at the end instead of an adapter")


class ModelSection(Section):
    """Where the model comes from: a built one (``path``), or a language model to build around (``lm``)."""

    path: str | None = None
    lm: str | None = None
    encoder: dict[str, Any] = {}
    projector_hidden_size: int | None = None
    tag_tokens: bool = True
    missing_coords: Literal["error", "grid"] = "error"
    order: Literal["morton", "given"] = "morton"
    max_patches: int | None = Field(default=None, ge=1)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    attn_implementation: str | None = None
    lora: LoraSection | None = None
    init_seed: int = 0

    @model_validator(mode="after")
    def _one_source(self) -> ModelSection:
        if (self.path is None) == (self.lm is None):
            raise ValueError("give exactly one of model.path (a built model) and model.lm (a language model)")
        if self.path is not None and self.encoder:
            raise ValueError("model.encoder belongs to model.lm; a built model (model.path) has its encoder")
        return self


class DataSection(Section):
    """What is trained and validated on."""

    train: str
    validation: str | None = None
    image_root: str | None = None
    system_prompt: str = SYSTEM_PROMPT
    question: str | None = Field(default=None, description="ask this instead of each sample's own question")
    max_samples: int | None = Field(default=None, ge=1)
    max_validation_samples: int | None = Field(default=None, ge=1)


class MixSection(Section):
    """Shares of the sample kinds; they are normalised."""

    masked: float = Field(default=1.0, ge=0)
    full: float = Field(default=1.0, ge=0)
    pseudo: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _something(self) -> MixSection:
        if self.masked + self.full + self.pseudo <= 0:
            raise ValueError("all shares are zero")
        return self


class PseudoSection(Section):
    """Pseudo-bags; see :mod:`model.data.pseudobags`."""

    clusters: int = Field(default=8, ge=2)
    mu: Share = 0.7
    tau: float = Field(default=1.0, gt=0)
    epsilon: Share = 0.02
    estimator: Literal["loglik", "entity_score"] = "loglik"
    batch_size: int = Field(default=8, ge=1)
    max_new_tokens: int = Field(default=256, ge=1)
    cache: str | None = Field(default=None, description="folder; <output>/priors when not given")


class AugmentSection(Section):
    """How trajectories become rows."""

    mix: MixSection = MixSection()
    mask_share: Share = 0.5
    rows: int | None = Field(default=None, ge=1, description="rows per epoch; one per sample and kind when not given")
    pseudo: PseudoSection = PseudoSection()


class AlignSection(Section):
    """Alignment by words before the first stage; see :mod:`model.training.align`."""

    steps: int = Field(default=200, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup_steps: int = Field(default=20, ge=0)
    logging_steps: int = Field(default=25, ge=1)
    top: int = Field(default=4, ge=1, description="how many of a bag's best words are compared with its caption")


class StageSection(Section):
    """One stage: which parts learn, and trainer options of its own."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    train: list[Part] = ["encoder", "projector", "lm"]
    rates: dict[Part, Annotated[float, Field(gt=0)]] = Field(default={}, description="learning rate by part; the rest "
                                                             "take trainer.learning_rate")
    trainer: dict[str, Any] = {}


class JudgeSection(Section):
    """The LLM judge of the semantic reward; offline comparison in the graph when absent."""

    base_url: str
    model: str
    api_key_env: str | None = None
    timeout_s: float = Field(default=30.0, gt=0)
    cache: str = Field(default="", description="folder for the judge's answers; none when empty")
    on_failure: Literal["skip", "offline"] = "skip"


class RewardSection(Section):
    """Weights of the rewards; zero leaves one out."""

    format: float = Field(default=1.0, ge=0)
    semantic: float = Field(default=1.0, ge=0)
    entity: float = Field(default=0.5, ge=0)
    path: float = Field(default=0.0, ge=0)
    entity_variant: Literal["soft_dice", "recall"] = "soft_dice"
    judge: JudgeSection | None = None
    store: str | None = Field(default=None, description="graph store; the bundled core graph when not given")
    max_unscored_share: Share = Field(default=0.5, description="stop when more than this share of a reward's scores is "
                                                       "missing over unscored_window steps")
    unscored_window: int = Field(default=20, ge=1)


class DynamicSamplingSection(Section):
    """DAPO's dynamic sampling: a group whose rewards are all equal is drawn again with other prompts."""

    enabled: bool = False
    max_rounds: int = Field(default=3, ge=1)


class RunSection(Section):
    """What all commands share."""

    output: str
    seed: int = 42
    threads: int | None = Field(default=None, ge=1)
    log_to: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    resume: bool = True
    model: ModelSection
    data: DataSection
    trainer: dict[str, Any] = {}


class SFTRun(RunSection):
    """``pathkg-train sft`` and ``pathkg-train pretrain``."""

    align: AlignSection | None = None
    augment: AugmentSection = AugmentSection()
    stages: list[StageSection] = [StageSection(name="all")]
    store: str | None = None

    @model_validator(mode="after")
    def _names(self) -> SFTRun:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise ValueError("give each stage a name of its own")
        if self.align is not None and "align" in names:
            raise ValueError("no stage may be called 'align': that is the folder of the alignment")
        return self


class GRPORun(RunSection):
    """``pathkg-train grpo``."""

    rewards: RewardSection = RewardSection()
    dynamic_sampling: DynamicSamplingSection = DynamicSamplingSection()
    train: list[Part] = ["encoder", "projector", "lm"]
    rates: dict[Part, Annotated[float, Field(gt=0)]] = {}


RUNS: Mapping[str, type[RunSection]] = {"sft": SFTRun, "pretrain": SFTRun, "grpo": GRPORun}


def bundled_runs() -> dict[str, Path]:
    """The run files that come with the package, by name."""
    folder = Path(__file__).resolve().parent.parent / "configs"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def load_run(path: str | Path, kind: str, overrides: list[str] | None = None) -> Any:
    """Read a run file and check every name and value in it.

    Args:
        path: a YAML file, or the name of a bundled one (``sft-cpu``); relative paths in it are relative to the
            working folder.
        kind: ``sft``, ``pretrain`` or ``grpo``.
        overrides: ``dotted.name=value`` from the command line, values in YAML.

    Raises:
        InputError: no such file, not YAML, a name that does not exist (with "did you mean"), a value out of range.
    """
    yaml = require("yaml", "datagen")
    file = bundled_runs().get(str(path), Path(path))
    if not file.is_file():
        raise InputError(f"no run file {file}", hint=did_you_mean(str(path), bundled_runs())
                         or f"a YAML file, or one of the bundled runs: {', '.join(bundled_runs())}")
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{file} is not YAML: {error}", hint="check the indentation at the line it names") from error
    if not isinstance(raw, dict):
        raise InputError(f"{file} holds a {type(raw).__name__}, not named sections",
                         hint="start from a file in model/configs")
    raw = _numbers(raw)
    for override in overrides or []:
        name, mark, value = override.partition("=")
        if not mark:
            raise InputError(f"--set {override}: no '='", hint="write --set trainer.learning_rate=1e-4")
        _set(raw, name.split("."), _numbers(yaml.safe_load(value)))
    return parse_run(raw, kind, source=str(file))


def parse_run(raw: Mapping[str, Any], kind: str, *, source: str = "the run") -> Any:
    """Check a run given as plain values; see :func:`load_run`."""
    run_class = RUNS[kind]
    try:
        run = run_class.model_validate(raw)
    except ValidationError as error:
        message, hint = _explained(error, run_class, source)
        raise InputError(message, hint=hint) from error
    _check_trainer(run.trainer, kind, f"{source}: trainer")
    for stage in getattr(run, "stages", []):
        _check_trainer(stage.trainer, kind, f"{source}: stages.{stage.name}.trainer")
    _check_encoder(run.model.encoder, source)
    return run


_SHORT_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


def _numbers(value: Any) -> Any:
    """YAML 1.1 reads ``1e-4`` as text; everybody who writes it means the number."""
    if isinstance(value, dict):
        return {k: _numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return float(value) if isinstance(value, str) and _SHORT_FLOAT.fullmatch(value) else value


def _set(raw: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        raw = raw.setdefault(name, {})
        if not isinstance(raw, dict):
            raise InputError(f"--set: {name} is not a section", hint="check the dotted name")
    raw[names[-1]] = value


def _explained(error: ValidationError, run_class: type[BaseModel], source: str) -> tuple[str, str]:
    lines, hints = [], []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = _fields_at(run_class, problem["loc"][:-1])
            lines.append(f"there is no option {where!r}")
            near = did_you_mean(str(problem["loc"][-1]), known)
            hints.append(near or f"options there: {', '.join(sorted(known))}")
        else:
            lines.append(f"{where or 'the run'}: {problem['msg'].removeprefix('Value error, ')}")
    return f"{source}: " + "; ".join(lines), "; ".join(hints) or "see docs/training.md for every option"


def _fields_at(section: Any, location: tuple[Any, ...]) -> list[str]:
    for part in location:
        if isinstance(part, int):
            continue
        section = _section_of(section.model_fields[part].annotation) if part in section.model_fields else section
    return list(section.model_fields)


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation) if get_origin(annotation) is not None else ():
        found = _section_of(inner)
        if found is not None:
            return found
    return next((_section_of(a) for a in getattr(annotation, "__args__", ()) if _section_of(a)), None)


def trainer_config_class(kind: str) -> Any:
    """TRL's configuration class for this kind of run."""
    trl = require("trl")
    return trl.GRPOConfig if kind == "grpo" else trl.SFTConfig


MANAGED = {"output_dir": "output", "seed": "seed", "report_to": "log_to", "reward_weights": "rewards",
           "use_cpu": "(found by itself)", "data_seed": "seed", "logging_dir": "output"}
"""Options of TRL's classes that the run file says elsewhere."""


def _check_trainer(options: Mapping[str, Any], kind: str, where: str) -> None:
    if not options:
        return
    known = {f.name for f in dataclasses.fields(trainer_config_class(kind)) if f.init}
    for name in options:
        if name in MANAGED:
            raise InputError(f"{where}.{name} is set elsewhere", hint=f"use {MANAGED[name]} at the top of the file")
        if name not in known:
            raise InputError(f"{where}: {trainer_config_class(kind).__name__} has no option {name!r}",
                             hint=did_you_mean(name, known) or "every option of TRL's class can stand here")


def _check_encoder(options: Mapping[str, Any], source: str) -> None:
    import inspect

    from model.vlm.config import SlideEncoderConfig

    known = [n for n in inspect.signature(SlideEncoderConfig.__init__).parameters if n not in ("self", "kwargs")]
    for name in options:
        if name not in known:
            raise InputError(f"{source}: model.encoder has no option {name!r}",
                             hint=did_you_mean(name, known) or f"options: {', '.join(known)}")
