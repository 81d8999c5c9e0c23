# SPDX-License-Identifier: Apache-2.0
"""Bending bundles: with and without the exporter's key; and the second verifier's verdict on what came out."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.bundle import MANIFEST
from wideberth.core.seal.keys import Signer
from wideberth.verifier import verify

NODE = shutil.which("node")
JS = Path(__file__).resolve().parents[1] / "verifier-js" / "verify.mjs"


def strand_file(files: dict[str, bytes], party: str) -> str:
    return next(f for f in sorted(files) if f.startswith(f"strands/{party}/"))


def lines(files: dict[str, bytes], party: str) -> list[bytes]:
    return files[strand_file(files, party)].splitlines(keepends=True)


def with_lines(files: dict[str, bytes], party: str, wanted: Sequence[bytes]) -> dict[str, bytes]:
    return {**files, strand_file(files, party): b"".join(wanted)}


def resealed(files: dict[str, bytes], node: Signer, **changes: Any) -> bytes:
    """A dishonest exporter: reports written anew as far as that goes, and the manifest signed over what is there."""
    payload = json.loads(base64.b64decode(json.loads(files["manifest.json"])["payload"]))
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    payload.update(changes)
    payload["files"] = {name: [verify.sha256(data), len(data)] for name, data in rest.items()}
    sealed = envelope.seal(MANIFEST, canonical.encode(payload), node).encoded()
    return verify.pack({**rest, "manifest.json": sealed})


def sidecar_line(files: dict[str, bytes], kind: str) -> int:
    """Where the first envelope of this kind stands in `sidecars.jsonl`, from 0."""
    rows = files["sidecars.jsonl"].splitlines()
    return next(n for n, row in enumerate(rows) if json.loads(row).get("payloadType", "")[26:-5] == kind)


def with_sidecar(files: dict[str, bytes], at: int, row: bytes) -> dict[str, bytes]:
    rows = files["sidecars.jsonl"].splitlines(keepends=True)
    return {**files, "sidecars.jsonl": b"".join([*rows[:at], row + b"\n", *rows[at + 1 :]])}


def renamed(files: dict[str, bytes], old: str, new: str, data: bytes | None = None) -> dict[str, bytes]:
    """One file under another name, or with other bytes, too."""
    return {**{n: d for n, d in files.items() if n != old}, new: files[old] if data is None else data}


def stamp_name(on: str, token: bytes) -> str:
    """What a stamp on the checkpoint file `on` is called."""
    return f"stamps/{on.removeprefix('checkpoints/').removesuffix('.txt')}-{verify.sha256(token)[:16]}.der"


def second_verdicts(folder: Path, bundles: Sequence[bytes], *options: str) -> list[dict[str, Any]]:
    """What the verifier in JavaScript says about each."""
    assert NODE is not None
    paths = []
    for n, data in enumerate(bundles):
        path = folder / f"{n}.zip"
        path.write_bytes(data)
        paths.append(str(path))
    done = subprocess.run([NODE, str(JS), *options, *paths], capture_output=True, text=True, check=True)
    return [json.loads(row) for row in done.stdout.splitlines()]


def brief(verdict: dict[str, Any]) -> tuple[Any, ...]:
    """What both verifiers must agree on."""
    if verdict["verdict"] == "refused":
        return "refused", verdict["file"]
    return tuple(json.dumps(verdict[k]) for k in ("verdict", "exported_by", "entries", "files", "later", "marks"))
