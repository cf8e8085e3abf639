"""Every prediction scored, one record each; then summed up, overall and by organ and question kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.data.samples import TrainingSample
from model.evaluation.closed import answer_part, chosen_option, plain
from model.evaluation.predict import Prediction
from model.evaluation.statistics import Estimate, calibration_error, mean, proportion
from model.evaluation.text_metrics import ROUGE, bleu, embedding_scores, rouge
from pathkg.errors import InputError, PathkgError

VERDICTS = ("supported", "unsupported", "contradicted")

MEANS = ("format", "semantic", "entity_reward", "entity_precision", "entity_recall", "entity_f1", "judge",
         *ROUGE, "embedding", "token", "supported_steps")
"""Per-case numbers whose means are reported."""


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    """What is measured.

    Args:
        store: graph store; the bundled core when empty.
        embedding: measure embedding and token similarity.
        embedding_model: folder of a sentence encoder; the packaged MiniLM when ``None``.
        certificates: verify every trajectory.
        judge: a :class:`pathkg.rewards.SemanticReward` with a judge, or ``None``.
        seed: of the bootstrap.
    """

    store: str = ""
    embedding: bool = True
    embedding_model: str | None = None
    certificates: bool = True
    judge: Any = None
    seed: int = 0


@dataclass(slots=True)
class Scored:
    """One prediction and what it earned. A value that could not be made is ``None``."""

    id: str
    organ: str
    question_kind: str
    closed: bool
    answer: str
    gold: str
    text: str
    correct: bool | None = None
    confidence: float | None = None
    verdict: str = ""
    steps: dict[str, int] = field(default_factory=dict)
    values: dict[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "organ": self.organ, "question_kind": self.question_kind, "closed": self.closed,
                "answer": self.answer, "gold": self.gold, "text": self.text, "correct": self.correct,
                "confidence": self.confidence, "verdict": self.verdict, "steps": self.steps,
                "values": {k: None if v is None else round(v, 6) for k, v in self.values.items()}}


def score_predictions(samples: Sequence[TrainingSample], predictions: Sequence[Prediction],
                      settings: ScoringSettings | None = None) -> list[Scored]:
    """Score each prediction against its sample.

    Raises:
        InputError: a prediction for no sample, or a sample without a prediction.
    """
    settings = settings or ScoringSettings()
    by_id = {p.id: p for p in predictions}
    missing = [s.id for s in samples if s.id not in by_id]
    strange = sorted(set(by_id) - {s.id for s in samples})
    if missing or strange:
        raise InputError(f"{len(missing)} samples have no prediction"
                         + (f" (first {missing[0]!r})" if missing else "")
                         + f" and {len(strange)} predictions no sample" + (f" (first {strange[0]!r})" if strange else ""),
                         hint="evaluate the file the predictions were made for")
    scored = [_start(s, by_id[s.id]) for s in samples]
    _add_rewards(scored, samples, settings)
    if settings.certificates:
        _add_certificates(scored, samples, settings)
    _add_text(scored, settings)
    return scored


def _start(sample: TrainingSample, prediction: Prediction) -> Scored:
    item = Scored(sample.id, sample.organ or "not stated", sample.question_kind or "not stated", bool(sample.options),
                  answer_part(prediction.text), sample.answer or (answer_part(sample.text) if sample.text else ""),
                  prediction.text, confidence=prediction.confidence)
    if sample.options:
        gold = chosen_option(item.gold, sample.options)
        if gold is None:
            raise InputError(f"{sample.id}: the answer {item.gold!r} is none of its options",
                             hint="the answer must be the text of one option, or its letter")
        item.correct = chosen_option(prediction.text, sample.options) == gold
    elif item.gold:
        item.correct = plain(item.answer) == plain(item.gold)
    return item


def _add_rewards(scored: Sequence[Scored], samples: Sequence[TrainingSample], settings: ScoringSettings) -> None:
    from pathkg.rewards import EntityReward, FormatReward, SemanticReward

    rewards = {"format": FormatReward(store=settings.store), "semantic": SemanticReward(store=settings.store),
               "entity_reward": EntityReward(store=settings.store)}
    for item, sample in zip(scored, samples, strict=True):
        for name, reward in rewards.items():
            usable = sample.reference or name == "format"
            item.values[name] = reward.score(item.text, sample.reference or "{\"v\":1,\"e\":[]}").total if usable else None
        if settings.judge is not None and sample.reference:
            item.values["judge"] = settings.judge.score(item.text, sample.reference).total
        if not item.closed and not item.correct and item.values.get("semantic") is not None:
            # a synonym, or the same node in other words, is right as well
            item.correct = bool(item.values["semantic"] >= 1.0 - 1e-9)  # type: ignore[operator]
        _add_entities(item, sample, rewards["entity_reward"])


def _add_entities(item: Scored, sample: TrainingSample, reward: Any) -> None:
    """Precision, recall and F1 over (node, polarity), exact matches only."""
    if not sample.reference:
        return
    from pathkg.linking import linker_for
    from pathkg.rewards import Reference

    gold = {str(s) for s in Reference.coerce(sample.reference).entities}
    if not gold:
        return
    said = {m.id + m.polarity for m in linker_for(reward.graph).link(item.text).with_results() if m.polarity is not None}
    hits = len(gold & said)
    precision = hits / len(said) if said else 0.0
    recall = hits / len(gold)
    item.values["entity_precision"], item.values["entity_recall"] = precision, recall
    item.values["entity_f1"] = 2 * precision * recall / (precision + recall) if hits else 0.0


def _add_certificates(scored: Sequence[Scored], samples: Sequence[TrainingSample], settings: ScoringSettings) -> None:
    from pathkg import load
    from pathkg.trajectory import parse, verify

    graph = load(settings.store or None)
    for item, sample in zip(scored, samples, strict=True):
        try:
            certificate = verify(parse(item.text, "auto"), report=sample.report or None, graph=graph)
        except PathkgError:
            item.verdict = "unreadable"
            continue
        item.verdict = certificate.verdict
        item.steps = dict(Counter(s.verdict for s in certificate.steps if s.checked))
        item.values["supported_steps"] = certificate.supported_share


def _add_text(scored: Sequence[Scored], settings: ScoringSettings) -> None:
    opened = [item for item in scored if not item.closed and item.gold]
    if not opened:
        return
    answers, golds = [i.answer for i in opened], [i.gold for i in opened]
    found = rouge(answers, golds)
    if settings.embedding:
        found.update(embedding_scores(answers, golds, folder=settings.embedding_model))
    for name, values in found.items():
        for item, value in zip(opened, values, strict=True):
            item.values[name] = value


def summarize(scored: Sequence[Scored], *, seed: int = 0, strata: bool = True) -> dict[str, Any]:
    """Figures over scored predictions: overall, and with ``strata`` by organ and by question kind."""
    closed, opened = [s for s in scored if s.closed], [s for s in scored if not s.closed]
    figures: dict[str, Any] = {
        "n": len(scored),
        "accuracy": _dict(proportion([bool(s.correct) for s in scored if s.correct is not None])),
        "closed": {"n": len(closed), "accuracy": _dict(proportion([bool(s.correct) for s in closed]))},
        "open": {"n": len(opened),
                 "accuracy": _dict(proportion([bool(s.correct) for s in opened if s.correct is not None]))},
        "means": {}, "unscored": {}}
    comparable = [s for s in opened if s.gold]
    if comparable:
        figures["open"]["bleu"] = bleu([s.answer for s in comparable], [s.gold for s in comparable])
    for name in MEANS:
        values = [s.values[name] for s in scored if name in s.values]
        kept = [v for v in values if v is not None]
        if values:
            figures["means"][name] = _dict(mean(kept, seed=seed))
            figures["unscored"][name] = len(values) - len(kept)
    verdicts = Counter(s.verdict for s in scored if s.verdict)
    if verdicts:
        figures["certificates"] = {v: _dict(proportion([s.verdict == v for s in scored]))
                                   for v in (*VERDICTS, "unreadable")}
        steps: Counter[str] = Counter()
        for s in scored:
            steps.update(s.steps)
        figures["steps"] = {v: steps.get(v, 0) for v in VERDICTS}
    sure = [(s.confidence, bool(s.correct)) for s in scored if s.confidence is not None and s.correct is not None]
    figures["calibration"] = calibration_error([c for c, _ in sure], [k for _, k in sure])
    if strata:
        figures["by_organ"] = _strata(scored, "organ", seed)
        figures["by_question_kind"] = _strata(scored, "question_kind", seed)
    return figures


def _strata(scored: Sequence[Scored], name: str, seed: int) -> Mapping[str, Any]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for item in scored:
        groups[getattr(item, name)].append(item)
    return {key: summarize(groups[key], seed=seed, strata=False) for key in sorted(groups)}


def _dict(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else estimate.to_dict()


def packaged_minilm() -> Path | None:
    """The packaged encoder's folder, or ``None`` where it is not installed."""
    from model.evaluation.text_metrics import minilm_folder

    try:
        return minilm_folder()
    except PathkgError:
        return None
