"""Downloads against a real HTTP server on loopback that misbehaves as told."""

import hashlib
import http.server
import threading

import pytest

from pathkg.errors import DownloadError, InputError
from pathkg.sources.download import download, fetch
from pathkg.sources.registry import SOURCES, Asset

BODY = bytes(range(256)) * 4096
SHA = hashlib.sha256(BODY).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves BODY; ``script`` is a list of what to do with each request in turn (then: behave)."""

    def __init__(self):
        self.script, self.seen = [], []
        self.body, self.ranges, self.etag = BODY, True, '"v1"'
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/file.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server = self.server
        server.seen.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        todo = server.script.pop(0) if server.script else "serve"
        if isinstance(todo, int):
            self.send_response(todo)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and server.ranges and self.headers.get("If-Range", server.etag) == server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(server.body):
                self.send_response(416)
                self.end_headers()
                return
        body = server.body[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", server.etag)
        self.end_headers()
        if todo == "break":
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            self.connection.close()
        else:
            self.wfile.write(body)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("PATHKG_RETRY_SECONDS", "0.01")
    monkeypatch.delenv("PATHKG_OFFLINE", raising=False)
    monkeypatch.delenv("PATHKG_MIRROR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def asset(server, **known):
    return Asset("file.bin", server.url, **known)


def leftovers(tmp_path):
    return sorted(p.name for p in tmp_path.iterdir())


def test_a_plain_download(server, tmp_path):
    seen = []
    result = fetch(asset(server, sha256=SHA, bytes=len(BODY)), tmp_path / "file.bin",
                   progress=lambda *a: seen.append(a))
    assert result.path.read_bytes() == BODY
    assert (result.sha256, result.cached) == (SHA, False)
    assert seen[-1] == ("file.bin", len(BODY), len(BODY))
    assert leftovers(tmp_path) == ["file.bin"]


def test_a_second_call_needs_no_network(server, tmp_path):
    fetch(asset(server), tmp_path / "file.bin")
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").cached
    assert len(server.seen) == 1


def test_it_goes_on_where_the_connection_broke(server, tmp_path):
    server.script = ["break", "break"]
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").path.read_bytes() == BODY
    starts = [r for _, r, _ in server.seen]
    assert starts[0] is None
    assert starts[1] == f"bytes={len(BODY) // 2}-"
    assert server.seen[1][2] == '"v1"'


def test_it_goes_on_at_the_next_call(server, tmp_path):
    server.script = ["break"] + [503] * 10
    with pytest.raises(DownloadError, match=r"503.*have arrived"):
        fetch(asset(server, sha256=SHA), tmp_path / "file.bin")
    assert leftovers(tmp_path) == ["file.bin.part", "file.bin.part.json"]
    server.script = []
    before = len(server.seen)
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").path.read_bytes() == BODY
    assert server.seen[before][1] == f"bytes={len(BODY) // 2}-"


def test_it_starts_again_when_the_file_has_changed_meanwhile(server, tmp_path):
    server.script = ["break"] + [503] * 10
    with pytest.raises(DownloadError):
        fetch(asset(server), tmp_path / "file.bin")
    server.script, server.body, server.etag = [], b"new" * 1000, '"v2"'
    assert fetch(asset(server), tmp_path / "file.bin").path.read_bytes() == b"new" * 1000


def test_a_server_without_ranges(server, tmp_path):
    server.ranges, server.script = False, ["break"]
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").path.read_bytes() == BODY


def test_busy_servers_are_asked_again(server, tmp_path):
    server.script = [503, 429, 500]
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").bytes == len(BODY)
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_final(server, tmp_path, status):
    server.script = [status]
    with pytest.raises(DownloadError, match=f"answered {status}"):
        fetch(asset(server), tmp_path / "file.bin")
    assert len(server.seen) == 1
    assert leftovers(tmp_path) == []


def test_a_wrong_length_is_refused_before_it_is_fetched(server, tmp_path):
    with pytest.raises(DownloadError, match="not the 5 of the pinned version"):
        fetch(asset(server, bytes=5), tmp_path / "file.bin")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"md5": "0" * 32}])
def test_a_wrong_checksum_leaves_nothing(server, tmp_path, known):
    with pytest.raises(DownloadError, match="expected 0000"):
        fetch(asset(server, **known), tmp_path / "file.bin")
    assert "file.bin" not in leftovers(tmp_path)
    assert "file.bin.part" not in leftovers(tmp_path)


def test_a_cached_file_with_another_checksum_is_not_used(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"stale")
    with pytest.raises(DownloadError, match="--force"):
        fetch(asset(server, sha256=SHA), tmp_path / "file.bin")
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin", force=True).bytes == len(BODY)


def test_nobody_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PATHKG_RETRY_SECONDS", "0.001")
    monkeypatch.delenv("PATHKG_OFFLINE", raising=False)
    with pytest.raises(DownloadError, match="not reachable"):
        fetch(Asset("f", "http://127.0.0.1:9/f"), tmp_path / "f")


def test_offline(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PATHKG_OFFLINE", "1")
    with pytest.raises(DownloadError, match="PATHKG_OFFLINE"):
        fetch(asset(server), tmp_path / "file.bin")
    (tmp_path / "file.bin").write_bytes(BODY)
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").cached
    assert server.seen == []


def test_mirror_and_cache_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PATHKG_HOME", str(tmp_path))
    base = server.url.rsplit("/", 1)[0]
    (result,) = download("hpo", mirror=base)
    assert result.path == tmp_path / "downloads" / "hpo" / SOURCES["hpo"].version / "hp.obo"
    assert server.seen[0][0] == "/hpo/hp.obo"
    assert (result.path.parent / "download.json").is_file()


def test_what_was_fetched_to_a_folder_is_a_mirror_and_builds(tmp_path, monkeypatch, capsys):
    """Fetched where there is a network, carried over, built from as it lies: with the record beside the files."""
    from pathkg.cli import main

    term = b"format-version: 1.2\n\n[Term]\nid: HP:0000001\nname: blue dots\n"
    usb = tmp_path / "usb"
    (usb / "hpo").mkdir(parents=True)
    (usb / "hpo" / "hp.obo").write_bytes(term)
    monkeypatch.setenv("PATHKG_OFFLINE", "1")
    monkeypatch.setenv("PATHKG_MIRROR", usb.as_uri())
    assert main(["download", "hpo", "--to", str(tmp_path / "sources")]) == 0
    assert (tmp_path / "sources" / "hpo" / "hp.obo").read_bytes() == term
    assert (tmp_path / "sources" / "hpo" / "download.json").is_file()
    capsys.readouterr()
    assert main(["build", "--no-core", "--no-lexicon", "--ontology", str(tmp_path / "sources" / "hpo"),
                 "--out", str(tmp_path / "store"), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "1 nodes" in out
    assert "download.json" not in out


def test_a_mirror_on_the_network_stays_forbidden_offline(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PATHKG_OFFLINE", "1")
    with pytest.raises(DownloadError, match="PATHKG_OFFLINE"):
        download("hpo", folder=tmp_path, mirror=server.url.rsplit("/", 1)[0])
    assert server.seen == []


def test_the_pinned_checksum_of_primekg_is_checked_and_can_be_overridden(server, tmp_path):
    with pytest.raises(DownloadError, match="981,751,236"):
        download("primekg", folder=tmp_path, mirror=server.url.rsplit("/", 1)[0])
    (result,) = download("primekg", folder=tmp_path, url=server.url, sha256=SHA)
    assert result.path.name == "kg.csv"


def test_sources_without_a_lasting_address_say_what_to_do(tmp_path):
    with pytest.raises(DownloadError, match=r"--url"):
        download("optimuskg", folder=tmp_path)


def test_unknown_source():
    with pytest.raises(InputError, match="did you mean 'mondo'"):
        download("mondoo")


def test_a_full_disk_keeps_what_has_arrived(server, tmp_path, monkeypatch):
    from pathkg.sources import download as module

    real_open = module.Path.open

    class Full:
        def __init__(self, out):
            self.out = out

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.out.close()

        def write(self, block):
            if self.out.tell() > 300_000:
                raise OSError(28, "No space left on device")
            return self.out.write(block)

    monkeypatch.setattr(module.Path, "open", lambda self, *a, **k: Full(real_open(self, *a, **k)) if a and a[0] in (
        "wb", "ab") else real_open(self, *a, **k))
    with pytest.raises(DownloadError, match="No space left"):
        fetch(asset(server), tmp_path / "file.bin")
    monkeypatch.undo()
    assert (tmp_path / "file.bin.part").stat().st_size > 0
    assert fetch(asset(server, sha256=SHA), tmp_path / "file.bin").bytes == len(BODY)
