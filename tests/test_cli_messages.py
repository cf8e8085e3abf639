"""What a command says to input it cannot use: the message, the hint, exit code 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pathkg.cli import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("arguments", "says", "hint"), [
    (["view", "file", "-o", "folder"], "folder is a folder", "page.html"),
    (["view", "file", "-o", "."], ". is a folder", "page.html"),
    (["explore", "--port", "99999"], "there is no port 99999", "0 to 65535"),
    (["explore", "--port", "-1"], "there is no port -1", "0 to 65535"),
    (["serve", "--port", "99999"], "there is no port 99999", "0 to 65535"),
    (["serve", "--store", "nostore", "--port", "0"], "there is no graph store", "pathkg build"),
    (["serve", "--store", "nostore", "--port", "0", "--workers", "2"], "there is no graph store", "pathkg build"),
    (["quickstart", "--out", "file"], "file is a file", "a folder"),
    (["reward", "redteam", "--family", "nosuch"], "there is no attack family 'nosuch'", "the families are "),
    (["reward", "redteam", "--family", "tag_ordre"], "no attack family 'tag_ordre'", "did you mean 'tag_order'"),
])
def test_unusable_input_gets_a_message_and_a_hint(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str,
                                                  hint: str) -> None:
    if arguments[0] == "serve":
        pytest.importorskip("uvicorn")
        pytest.importorskip("fastapi")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    message, _, advice = err.partition("what to do: ")
    assert out == ""
    assert says in message
    assert hint in advice


def test_serve_names_a_used_port(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"port {port} is in use\n  what to do: give another with --port" in err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_opens_the_bundled_core_and_tells_the_port_it_found(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: str) -> None:
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    from pathkg.serve.server import Server

    served: list[int] = []

    def serves(server: Server) -> None:
        served.append(server.config.port)
        server.started = True

    monkeypatch.setenv("PATHKG_SERVE_SETTINGS", "{}")  # put back afterwards
    monkeypatch.setattr(Server, "run", serves)  # one worker
    # it would close the handlers of other libraries, and one of them the stream that the test runner reads
    monkeypatch.setattr(uvicorn.Config, "configure_logging", lambda _: None)
    monkeypatch.setattr(uvicorn, "run", lambda *_, port, **__: served.append(port))  # several
    assert main(["serve", "--port", "0", "--workers", workers]) == 0
    assert served[0] > 0
    assert f"http://127.0.0.1:{served[0]} " in capsys.readouterr().out


@pytest.mark.parametrize(("text", "hinted"), [("nofile.txt", True), ("Report.MD", True), ("pT1c.", False),
                                              ("see nofile.txt", False), ("carcinoma", False)])
def test_link_takes_a_file_name_as_text_and_says_so(capsys: pytest.CaptureFixture[str], text: str,
                                                    hinted: bool) -> None:
    assert main(["link", text]) == 0
    assert (f"to read a file: pathkg link --file {text}" in capsys.readouterr().err) is hinted


def test_reference_without_its_field_names_the_option(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "s.jsonl").write_text('{"id": 1, "gold": "x"}\n', encoding="utf-8")
    assert main(["reward", "reference", "s.jsonl"]) == 1
    err = capsys.readouterr().err
    assert "line 1: no field 'trajectory'" in err
    assert "--field; line 1 has id, gold" in err


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.json"])
@pytest.mark.parametrize(("text", "says"), [('{"text": "abc', "starting at character 9"),
                                            ('{"text": "a\x01"}', "control character at character 11")])
def test_broken_json_is_told_in_plain_words(tmp_path: Path, name: str, text: str, says: str) -> None:
    from datagen.cases import read_cases
    from pathkg.errors import InputError

    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        list(read_cases(tmp_path / name))
