"""Ctrl-C on the commands that serve: they end soon and without a traceback, also when it is pressed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
         "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}
ENDS_WITHIN_S = 15.0


def answers_at(process: subprocess.Popen[str]) -> None:
    """Wait for the line that names the address, then for the server behind it."""
    import urllib.error
    import urllib.request

    assert process.stdout is not None
    line = process.stdout.readline()
    address = next(word for word in line.split() if word.startswith("http://")).partition("/explore")[0]
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/explore", timeout=5).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")


def answers_on_its_output(process: subprocess.Popen[str]) -> None:
    """Greet an MCP server and wait for its answer; its input stays open, as a terminal's does."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(HELLO) + "\n")
    process.stdin.flush()
    assert '"result"' in process.stdout.readline()


@pytest.mark.parametrize("presses", [1, 2, 3])
@pytest.mark.parametrize(("command", "needs", "ready"), [
    (("serve", "--port", "0"), ("uvicorn", "fastapi"), answers_at),
    (("explore", "--port", "0"), (), answers_at),
    (("mcp",), ("mcp",), answers_on_its_output),
], ids=["serve", "explore", "mcp"])
def test_ctrl_c_ends_quietly(command: tuple[str, ...], needs: tuple[str, ...],
                             ready: Callable[[subprocess.Popen[str]], None], presses: int) -> None:
    for package in needs:
        if find_spec(package) is None:
            pytest.skip(f"without {package}")
    with subprocess.Popen([sys.executable, "-m", "pathkg.cli", *command], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            ready(process)
            for _ in range(presses):
                process.send_signal(signal.SIGINT)
                time.sleep(0.03)
            code = process.wait(ENDS_WITHIN_S)  # stdin is open all the while
        except BaseException:
            process.kill()
            raise
        assert process.stderr is not None
        told = process.stderr.read()
    assert "Traceback" not in told, told
    assert code in (0, 130), (code, told)
