"""The MCP server, spoken to over standard input and output as an agent does."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from pathkg.rewards import build_reference
from pathkg.rewards.redteam import gold_cases

pytest.importorskip("mcp")


def _value(result: Any) -> Any:
    structured = getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)
    return structured if structured is not None else json.loads(result.content[0].text)


def test_an_agent_can_use_every_tool() -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    case = gold_cases()[0]
    gold, reference = case.gold.render(), build_reference(case.gold).to_json()

    async def talk() -> dict[str, Any]:
        parameters = StdioServerParameters(command=sys.executable, args=["-m", "pathkg.cli", "mcp"])
        async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            names = {tool.name for tool in (await session.list_tools()).tools}
            calls = {
                "link_report": {"text": "No necrosis."},
                "find_paths": {"a": "keratin pearl", "b": "squamous cell carcinoma"},
                "look_up": {"id": "keratin pearl"},
                "verify_trajectory": {"trajectory": gold, "report": case.report},
                "score_completion": {"text": gold, "reference": reference},
                "make_reference": {"gold": gold},
            }
            assert names == set(calls)
            found = {name: _value(await session.call_tool(name, arguments)) for name, arguments in calls.items()}
            found["wrong"] = _value(await session.call_tool("look_up", {"id": "keratine perl"}))
            return found

    found = asyncio.run(asyncio.wait_for(talk(), 60))
    assert found["link_report"]["mentions"][0]["assertion"] == "absent"
    assert found["find_paths"]["paths"][0]["edges"][0]["relation"] == "supports"
    assert found["look_up"]["id"] == "PATHKG:keratin-pearl"
    assert found["verify_trajectory"]["verdict"] == "supported"
    assert found["score_completion"]["total"] == 2.5
    assert json.loads(found["make_reference"]["ground_truth"])["v"] == 1
    assert "keratine perl" in found["wrong"]["error"]
