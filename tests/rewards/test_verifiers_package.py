"""verifiers itself scores a trace with the adapter (where the package is installed)."""

from __future__ import annotations

import asyncio

import pytest

vf = pytest.importorskip("verifiers.v1")

from pathkg.rewards import CompositeReward, build_reference  # noqa: E402
from pathkg.rewards.adapters.verifiers import PathkgRewards  # noqa: E402
from pathkg.rewards.redteam import gold_cases  # noqa: E402


class Data(vf.TaskData):  # type: ignore[misc, name-defined]
    ground_truth: str


class SlideTask(PathkgRewards, vf.Task[Data, vf.State, vf.TaskConfig]):  # type: ignore[misc, name-defined]
    pass


def trace_of(task: SlideTask, reply: str) -> object:
    """A finished trace as the framework stores it: a user turn and a sampled reply."""
    from verifiers.v1.graph import MessageNode
    from verifiers.v1.trace import TraceTask
    from verifiers.v1.types import AssistantMessage, UserMessage

    nodes = [MessageNode(message=UserMessage(content="Describe the slide.")),
             MessageNode(parent=0, message=AssistantMessage(content=reply), sampled=True)]
    # the agent and its runtime play no part in scoring
    return vf.Trace.model_construct(task=TraceTask.model_construct(type="SlideTask", data=task.data), nodes=nodes,
                                    rewards={}, metrics={}, root_reply=None)


@pytest.mark.parametrize("reply", ["gold", "half", "junk", ""])
def test_the_framework_scores_with_the_adapter(reply: str) -> None:
    case = gold_cases()[0]
    text = {"gold": case.gold.render(), "half": case.gold.replace(steps=case.gold.steps[:1]).render()}.get(reply, reply)
    reference = build_reference(case.gold).to_json()
    task = SlideTask(Data(idx=0, prompt="Describe the slide.", ground_truth=reference))
    trace = trace_of(task, text)
    asyncio.run(task.score(trace))
    assert trace.rewards["pathkg"].value == CompositeReward()(text, reference)  # type: ignore[attr-defined]
    assert trace.metrics["pathkg_scored"] == 1.0  # type: ignore[attr-defined]
    assert "pathkg_entity" in trace.metrics  # type: ignore[attr-defined]
