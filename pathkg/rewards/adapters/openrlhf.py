"""OpenRLHF: ``--remote_rm_url <this file>`` (older) or ``--reward.remote_url <this file>``; labels from ``--input.label_key``.

``queries`` are prompt and response in one string, special tokens included; the prompt is cut off before scoring, since
it usually shows the tags by way of example. Over HTTP the same request goes to ``/get_reward`` of ``pathkg serve``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pathkg.rewards.adapters.scoring import numbers, reward_from, score_many

_SPECIAL = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|<(?:bos|eos|pad|unk|end_of_turn)>|\[(?:PAD|/?INST)\]")
_ASSISTANT = re.compile(r"<\|im_start\|>assistant\n?|<\|start_header_id\|>assistant<\|end_header_id\|>\s*|<\|assistant\|>\n?"
                        r"|\[/INST\]|<start_of_turn>model\n?")


def response_of(query: Any, prompt: Any = None) -> Any:
    """The response inside a query.

    The prompt is removed where the query begins with it; else what follows the last assistant marker counts; special
    tokens are removed.

    Example:
        >>> response_of("<s>Describe <observe>…</observe>: <observe>a</observe></s>", "Describe <observe>…</observe>:")
        '<observe>a</observe>'
    """
    if not isinstance(query, str):
        return query
    rest = query
    plain_prompt = _SPECIAL.sub("", prompt).strip() if isinstance(prompt, str) else ""
    if isinstance(prompt, str) and prompt and query.startswith(prompt):
        rest = query[len(prompt):]
    else:
        markers = list(_ASSISTANT.finditer(query))
        if markers:
            rest = query[markers[-1].end():]
    rest = _SPECIAL.sub("", rest).strip()
    if plain_prompt and rest.startswith(plain_prompt):
        rest = rest[len(plain_prompt):].strip()
    return rest


def score_queries(queries: Sequence[Any], prompts: Sequence[Any] | None, labels: Sequence[Any] | None,
                  **options: Any) -> dict[str, Any]:
    """``rewards``, ``scores`` and ``extra_logs`` as plain lists (this is what the HTTP endpoint returns)."""
    n = len(queries)
    given_prompts = list(prompts) if prompts else [None] * n
    given_labels = list(labels) if labels else [None] * n
    responses = [response_of(q, p) for q, p in zip(queries, given_prompts, strict=True)]
    reward = reward_from(**options)
    results = score_many(responses, given_labels, reward, options.get("workers", 1))
    most = sum(reward.weights.values())
    logs: dict[str, list[float]] = {}
    for result in results:
        for name, value in numbers(result).items():
            logs.setdefault(name, []).append(value)
    rewards = [result.partial for result in results]
    # scores are used for filtering and are expected in [0, 1]
    return {"rewards": rewards, "scores": [r / most for r in rewards], "extra_logs": logs}


def reward_func(queries: Sequence[Any], prompts: Sequence[Any] | None = None, labels: Sequence[Any] | None = None,
                **options: Any) -> dict[str, Any]:
    """Score a batch; tensors, as OpenRLHF expects of a reward file."""
    import torch

    known = {k: v for k, v in options.items() if k not in ("action_mask", "sampling_params")}
    result = score_queries(queries, prompts, labels, **known)
    return {"rewards": torch.tensor(result["rewards"]), "scores": torch.tensor(result["scores"]),
            "extra_logs": {name: torch.tensor(values) for name, values in result["extra_logs"].items()}}
