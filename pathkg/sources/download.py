"""Checked, resumable downloads into the cache folder, with the standard library alone.

A file arrives as ``NAME.part`` and is renamed when its length and checksum are right. A download that breaks off
goes on from where it stopped (HTTP ``Range``, guarded by the server's ``ETag``), by itself a few times and at the
next call. ``PATHKG_OFFLINE`` forbids the network; ``PATHKG_MIRROR`` or ``mirror=`` names another server that holds
the same files.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathkg.errors import DownloadError
from pathkg.sources.core import home
from pathkg.sources.registry import Asset, find_source

Progress = Callable[[str, int, int], None]
"""Called with the file's name, bytes so far and bytes in all (0: unknown)."""

DOWNLOAD_RECORD = "download.json"
"""Beside the files: what they are, where they came from, under which licence."""
PART = ".part"
"""Ending of a file that is still arriving."""
ATTEMPTS = 5
_BLOCK = 1 << 18
_TIMEOUT_S = 30.0
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_AGENT = "pathkg"
_MAX_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file in the cache: where it is, what it is, and whether it was there already."""

    path: Path
    url: str
    bytes: int
    sha256: str
    cached: bool

    def to_dict(self) -> dict[str, Any]:
        return {"path": str(self.path), "url": self.url, "bytes": self.bytes, "sha256": self.sha256,
                "cached": self.cached}


def download(name: str, *, folder: str | os.PathLike[str] | None = None, mirror: str = "",
             url: str | Sequence[str] = (), sha256: str = "", md5: str = "", force: bool = False, progress: Progress | None = None
             ) -> list[Downloaded]:
    """Fetch the files of a named source.

    Args:
        name: ``primekg``, ``mondo``, …; see :data:`pathkg.sources.registry.SOURCES`.
        folder: where to; ``PATHKG_HOME/downloads/NAME/VERSION`` when ``None``.
        mirror: base address to take the files from instead: ``MIRROR/NAME/FILE``.
        url: addresses of the source's files, in their order, instead of the registered ones.
        sha256, md5: expected checksum of the first file, instead of the registered one.
        force: fetch again even if a checked file is there.
        progress: called while data arrives.

    Raises:
        InputError: no such source.
        DownloadError: offline, unreachable, refused, cut short, wrong length or wrong checksum.
    """
    source = find_source(name)
    place = Path(folder) if folder is not None else home() / "downloads" / source.name / source.version
    base = mirror or os.environ.get("PATHKG_MIRROR", "")
    done = []
    given = (url,) if isinstance(url, str) else tuple(url)
    for number, registered in enumerate(source.assets):
        asset = registered
        if number < len(given) and given[number]:
            asset = Asset(asset.file, given[number])
        if number == 0 and (sha256 or md5):
            asset = Asset(asset.file, asset.url, 0, md5, sha256)
        if base:
            asset = Asset(asset.file, f"{base.rstrip('/')}/{source.name}/{urllib.parse.quote(asset.file)}",
                          asset.bytes, asset.md5, asset.sha256)
        if not asset.url:
            raise DownloadError(f"no lasting address of {source.name}'s {asset.file} is known",
                                hint=f"{source.note} ({source.home})")
        done.append(fetch(asset, place / asset.file, force=force, progress=progress))
    record = {"source": source.name, "version": source.version, "licence": source.licence, "home": source.home,
              "files": [{**d.to_dict(), "path": d.path.name} for d in done]}
    (place / DOWNLOAD_RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return done


def fetch(asset: Asset, target: Path, *, force: bool = False, progress: Progress | None = None) -> Downloaded:
    """Fetch one file.

    Raises:
        DownloadError: offline, unreachable, refused, cut short, wrong length or wrong checksum.
    """
    if target.is_file() and not force:
        return _checked(asset, target, cached=True)
    offline = os.environ.get("PATHKG_OFFLINE", "").lower() not in ("", "0", "false")
    if offline and not asset.url.startswith("file:"):  # a mirror in a folder is no network
        raise DownloadError(f"{target.name} is not in the cache and PATHKG_OFFLINE forbids the network",
                            hint=f"put the file at {target}, or unset PATHKG_OFFLINE")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    if force:
        part.unlink(missing_ok=True)
    try:
        _receive(asset, part, progress)
    except OSError as error:
        raise DownloadError(f"cannot write {part}: {error.strerror or error}",
                            hint="check free disk space and permissions; what has arrived is kept") from error
    result = _checked(asset, part, cached=False)
    os.replace(part, target)
    part.with_name(part.name + ".json").unlink(missing_ok=True)
    return Downloaded(target, result.url, result.bytes, result.sha256, False)


class _Interrupted(Exception):
    """The connection broke, or the server asked to come back later (then ``wait`` is how long)."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def _receive(asset: Asset, part: Path, progress: Progress | None) -> None:
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _receive_once(asset, part, progress)
            return
        except _Interrupted as broken:
            arrived = part.stat().st_size if part.exists() else 0
            failures = 1 if arrived > before else failures + 1
            if failures >= ATTEMPTS:
                raise DownloadError(
                    f"{asset.url}: {broken}; {arrived:,} bytes have arrived",
                    hint="call it again to go on from there, or name a mirror with --mirror") from broken
            time.sleep(min(broken.wait or _first_wait() * 2 ** (failures - 1), _MAX_WAIT_S))


def _first_wait() -> float:
    return float(os.environ.get("PATHKG_RETRY_SECONDS", "1"))


def _receive_once(asset: Asset, part: Path, progress: Progress | None) -> None:
    note = part.with_name(part.name + ".json")
    start, validator = _resume_point(part, note, asset.url)
    request = urllib.request.Request(asset.url, headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        if validator:
            request.add_header("If-Range", validator)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            resumed = response.status == 206 and _range_start(response) == start
            total = _total(response, start if resumed else 0)
            if asset.bytes and total and total != asset.bytes:
                raise DownloadError(
                    f"{asset.url} is {total:,} bytes long, not the {asset.bytes:,} of the pinned version",
                    hint="upstream may have a new version: check it and pass --sha256 or --md5")
            note.write_text(json.dumps({"url": asset.url, "validator": _validator(response)}), encoding="utf-8")
            arrived = start if resumed else 0
            with part.open("ab" if resumed else "wb") as out:
                while block := response.read(_BLOCK):
                    out.write(block)
                    arrived += len(block)
                    if progress is not None:
                        progress(asset.file, arrived, total)
            if total and arrived != total:
                raise _Interrupted(f"the connection broke after {arrived:,} of {total:,} bytes")
    except urllib.error.HTTPError as error:
        _refused(error, asset, part, start)
    except urllib.error.URLError as error:
        raise _Interrupted(f"not reachable ({error.reason})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _Interrupted(f"the connection broke ({type(error).__name__})") from error


def _refused(error: urllib.error.HTTPError, asset: Asset, part: Path, start: int) -> None:
    if error.code == 416 and start:
        # nothing is left to send: complete, or a stale part; the checksum decides
        if asset.bytes and start != asset.bytes:
            part.unlink(missing_ok=True)
            raise _Interrupted("the partial file did not fit; it starts again") from error
        return
    if error.code in _RETRY_STATUS:
        given = error.headers.get("Retry-After", "")
        raise _Interrupted(f"the server answered {error.code}", float(given) if given.isdigit() else 0.0) from error
    raise DownloadError(f"{asset.url}: the server answered {error.code} {error.reason}",
                        hint="the address may have changed: pass the new one with --url, or use --mirror") from error


def _resume_point(part: Path, note: Path, url: str) -> tuple[int, str]:
    """Bytes already there, and the server's validator for them; 0 if they came from another address."""
    if not part.exists():
        return 0, ""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if known.get("url") != url:
        return 0, ""
    return part.stat().st_size, str(known.get("validator", ""))


def _validator(response: Any) -> str:
    tag = str(response.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _range_start(response: Any) -> int:
    text = str(response.headers.get("Content-Range", ""))
    first = text.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else -1


def _total(response: Any, start: int) -> int:
    length = str(response.headers.get("Content-Length", ""))
    return start + int(length) if length.isdigit() else 0


def _checked(asset: Asset, path: Path, *, cached: bool) -> Downloaded:
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as data:
        while block := data.read(1 << 22):
            sha.update(block)
            if asset.md5:
                md5.update(block)
    size = path.stat().st_size
    wrong = ""
    if asset.bytes and size != asset.bytes:
        wrong = f"has {size:,} bytes instead of {asset.bytes:,}"
    elif asset.sha256 and sha.hexdigest() != asset.sha256.lower():
        wrong = f"has SHA-256 {sha.hexdigest()}, expected {asset.sha256}"
    elif asset.md5 and md5.hexdigest() != asset.md5.lower():
        wrong = f"has MD5 {md5.hexdigest()}, expected {asset.md5}"
    if wrong and not cached:
        path.unlink()  # a complete file with the wrong content: going on from it would never help
        raise DownloadError(f"{asset.file} from {asset.url} {wrong}",
                            hint="try again; if it stays so, upstream has changed: check it and pass --sha256")
    if wrong:
        raise DownloadError(f"{path} {wrong}", hint="fetch it again with --force, or pass the right --sha256")
    return Downloaded(path, asset.url, size, sha.hexdigest(), cached)
