# SPDX-License-Identifier: Apache-2.0
"""Check a wideberth evidence bundle: `python verify.py BUNDLE [--trust FINGERPRINT]... [--json]`.

This one file needs Python 3.11 and nothing else; it opens no connection. It checks every file, signature, hash, chain
and proof, writes the report anew and compares it. Without --trust that proves integrity, not identity: anybody can make
keys. FINGERPRINT is the hex SHA-256 of a party's root key (its base64 text), which came to you by another way than the
bundle. The format: spec/5 and spec/6 of wideberth. Exit codes: 0 it verifies; 1 refused; 2 unreadable, or wrong usage.
"""

# To be read in one sitting: under 500 lines, with blank lines between its parts only.
# fmt: off
# ruff: noqa: E401, I001, SIM905
from __future__ import annotations
import argparse, base64, concurrent.futures, datetime, hashlib, html, json, os, re, struct, sys, unicodedata, zlib
from collections.abc import Callable, Iterable
from functools import reduce
from itertools import pairwise
from typing import Any
try:
    from nacl.bindings import crypto_sign_open
except ImportError:
    crypto_sign_open = None  # type: ignore[assignment]

TYPE, REPORT_ENTRIES_MAX, SHA256 = "application/vnd.wideberth.{}+json", 2_000, bytes.fromhex("0609608648016503040201")
LONG, CONTROL = re.compile(rb"[0-9]{16}"), re.compile("[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# The fields of every object: i integer, s text, b boolean, d object, l list, else a pattern; a `?` may be missing.
KINDS: dict[str, Any] = {"i": int, "s": str, "b": bool, "d": dict, "l": list, "h": "[0-9a-f]{64}", "e": "[0-9a-f]{32}",
    "n": "[A-Z][A-Z0-9-]{1,15}", "o": "REDACTED|ANCHOR", "r": "stored|shown"}
SHAPES = {shape.split(":")[0].strip(): dict(f.split("=") for f in shape.split(":")[1].split()) for shape in """
envelope: payload=s payloadType=s signatures=l; signature: keyid=s sig=s; equivocation: first=d second=d; later: from=n epoch=e seq=i hash=h type=s ref=s; post: key=s supervisor=b?; member: party=n root=s speaks_for=l?;
terms: purpose=s members=l; line: body=s? entry=d left_out=o? proof=l?; outer: body=d salt=s; inner: said=d sig=d?; said: by=s ch=s t_ms=i what=d; entry: v=i type=s ch=h agr=h from=n by=s epoch=e seq=i prev=h seen=d t_ms=i body_sha256=h;
receipt: v=i level=r ch=h from=n of=n epoch=e seq=i head=h t_ms=i; linecheck-ask: v=i ch=h from=n to=n nonce=e t1_ms=i heads=d; linecheck-answer: v=i ch=h from=n to=n ask=h nonce=e t1_ms=i t2_ms=i t3_ms=i heads=d;
linecheck-close: v=i ch=h from=n to=n answer=h nonce=e t1_ms=i t2_ms=i t3_ms=i t4_ms=i; heads: v=i ch=h from=n nonce=e answers=s restored=b holds=d t_ms=i;
card: v=i party=n root=s version=i node=s sealing=s url=s tls_sha256=s tls_pem=s posts=d contact=s? time_zone=s? languages=l?; manifest: v=i ch=h from=n t_ms=i selection=d note=s release=s scope=s later=l files=d;
agreement: v=i mechanism=s version=i mode=s members=l lines=l rules=d from_ms=i nonce=s previous=s? clauses=l? scope=s? see_also=l?""".split(";")}  # noqa: E501
Tell = Callable[[int, int], Any] | None  # entries checked so far, of how many
class Bad(Exception):
    """Refused: `args` are the file (with a line where it has lines) and why."""
def need(held: Any, file: str, why: str) -> None:
    if not held:
        raise Bad(file, why)

# --- Ed25519 by libsodium's rules: no small-order or non-canonical key, no small-order R, the scalar reduced ---
P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:  # RFC 8032 §5.1.4, complete: it doubles too
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P
def decoded(data: bytes) -> tuple[int, ...] | None:  # a point of large order in its one encoding, or None
    y = int.from_bytes(data, "little") & 2**255 - 1
    x = pow(xx := (y * y - 1) * pow(D * y * y + 1, -1, P) % P, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * ROOT % P
    p: tuple[int, ...] = (x, y, 1, x * y % P) if x & 1 == data[31] >> 7 else (P - x, y, 1, -x * y % P)
    q = reduce(lambda n, _: add(n, n), range(3), p)
    return None if y >= P or x * x % P != xx or (q[0] == 0 and q[1] == q[2]) else p
def ed25519_in_python(key: bytes, message: bytes, sig: bytes) -> bool:  # RFC 8032 §5.1.7; over public data only
    a, base, s = decoded(key), decoded(bytes.fromhex("58" + "66" * 31)), int.from_bytes(sig[32:], "little")
    if a is None or base is None or s >= Q or decoded(sig[:32]) is None:
        return False
    h = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % Q
    r, minus = tuple[int, ...]((0, 1, 1, 0)), (P - a[0], a[1], 1, P - a[3])
    table = (r, base, minus, add(base, minus))
    for bit in range(252, -1, -1):
        r = add(add(r, r), table[(s >> bit & 1) | (h >> bit & 1) << 1])
    x, y = (n * pow(r[2], -1, P) % P for n in r[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little") == sig[:32]
def ed25519(key: bytes, message: bytes, sig: bytes) -> bool:
    try:
        fits, slow = len(key) == 32 and len(sig) == 64, crypto_sign_open is None
        return fits and bool(ed25519_in_python(key, message, sig) if slow else crypto_sign_open(sig + message, key))
    except Exception:  # BadSignatureError of PyNaCl; an empty message is none that anybody signs
        return False

# --- one spelling: base64, JSON, envelopes, the zip ---
def b64(text: Any, file: str, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    need(base64.b64encode(data).decode() == text and length in (None, len(data)), file, "not base64 of that length")
    return data
DECODER = json.JSONDecoder(parse_float=int, parse_constant=int)  # `int` refuses the texts of both
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
def inside(value: Any, depth: int = 0) -> bool:  # on the domain of spec/2
    if isinstance(value, dict | list):
        keys, inner = (value, value.values()) if isinstance(value, dict) else ((), value)
        return depth <= 24 and all(k.isascii() for k in keys) and all(inside(v, depth + 1) for v in inner)
    return unicodedata.is_normalized("NFC", value) if isinstance(value, str) else abs(value or 0) < 2**53
def canon(data: bytes, file: str) -> Any:  # the value that `data` spells in the one spelling of spec/2
    plain = data.isascii() and not LONG.search(data) and data.count(b"{") + data.count(b"[") <= 24
    try:
        value = DECODER.decode(text := data.decode("utf-8"))
        need(ENCODER.encode(value) == text and (plain or inside(value)), file, "not in the one spelling of JSON")
        return value
    except (ValueError, RecursionError):
        raise Bad(file, "not JSON of integers and texts") from None
def shaped(value: Any, file: str, name: str) -> dict[str, Any]:  # of exactly its fields
    shape = SHAPES[name]
    need(isinstance(value, dict) and value.keys() <= shape.keys(), file, f"it should have {', '.join(shape)}")
    for field, kind in shape.items():
        have, wanted = value.get(field), KINDS[kind[0]]
        good = isinstance(have, str) and re.fullmatch(wanted, have) if isinstance(wanted, str) else type(have) is wanted
        need(good or (kind[-1] == "?" and field not in value), file, f"{field} is missing or not of the right form")
    return dict(value)
def are_places(value: Any) -> bool:  # a list of [epoch, seq, hash]
    return isinstance(value, list) and all(isinstance(p, list) and [type(x) for x in p] == [str, int, str] and p[1] >= 1
                                           and len(p[0]) == 32 and re.fullmatch(KINDS["h"], p[2]) for p in value)
def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
def pae(kind: str, payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(name := TYPE.format(kind).encode()), name, len(payload), payload)
def signed_by(keys: Iterable[str], signatures: list[Any], message: bytes, file: str) -> str:  # which of these keys
    named = {s["keyid"]: s["sig"] for s in reversed([shaped(s, file, "signature") for s in signatures])}
    found = [(key, named[i]) for key in keys if (i := sha256(key.encode())[:16]) in named]
    return next((key for key, sig in found if ed25519(b64(key, file, 32), message, b64(sig, file, 64))), "")
def opened(value: Any, kind: str, file: str, keys: Callable[[Any], Iterable[list[str]]]) -> dict[str, Any]:
    env = shaped(value, file, "envelope")
    payload = b64(env["payload"], file)
    need(env["payloadType"] == TYPE.format(kind) and 1 <= len(env["signatures"]) <= 32, file, f"not a signed {kind}")
    read = shaped(canon(payload, file), file, kind)
    found = [signed_by(group, env["signatures"], pae(kind, payload), file) for group in keys(read)]
    need(all(found), file, "not signed by whom it should be")  # by one of each list of keys
    return {**read, "hash": sha256(payload), "signer": found[-1]}
def pack(files: dict[str, bytes]) -> bytes:  # stored, manifest first, the rest by name, dated 1980
    local, central, at = [], [], 0
    for name in sorted(files, key=lambda n: (n != "manifest.json", n)):
        body, raw = files[name], name.encode("ascii")
        facts = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(body), len(body), len(body), len(raw), 0)
        local += [b"PK\3\4", facts, raw, body]
        central.append(b"PK\1\2\x14\0" + facts + struct.pack("<HHHII", 0, 0, 0, 0, at) + raw)
        at += 30 + len(raw) + len(body)
    size = sum(map(len, central))
    return b"".join([*local, *central, struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(files), len(files), size, at, 0)])
def unpack(data: bytes) -> dict[str, bytes]:  # what `pack` would write otherwise is refused, by name
    files, at, spans = dict[str, bytes](), 0, [(0, "zip")]
    while data[at : at + 4] == b"PK\3\4" and at + 30 <= len(data):
        crc, size, length = struct.unpack("<14xII4xH", data[at : at + 28])
        name = data[at + 30 : at + 30 + length].decode("ascii", "replace")
        body = data[at + 30 + length : at + 30 + length + size]
        need(zlib.crc32(body) == crc and name.isascii() and name not in files, name, "not the bytes that were packed")
        spans.append((at, name))
        files[name], at = body, at + 30 + length + len(body)
    need(data[at : at + 4] == b"PK\1\2", spans[-1][1], "what follows it in the zip is damaged")
    again = pack(files)
    for (start, name), (end, _) in pairwise([*spans, (at, ""), (max(len(data), len(again)), "")]):
        need(again[start:end] == data[start:end], name or "zip", "the zip is not in its one spelling here")
    return files

# --- the record ---
class Members:  # who may sign what: roots and cards by party; all of it signed by the roots
    def __init__(self, files: dict[str, bytes], ch: str) -> None:
        self.agreements, self.roots, self.lines = set[str](), dict[str, str](), dict[str, str]()
        self.ch, self.cards = ch, dict[str, list[Any]]()
        for file in sorted(f for f in files if f.startswith("agreements/")):
            value = canon(files[file], file)
            a = opened(value, "agreement", file, lambda a: [[m["root"]] for m in a["members"] if m["root"]])
            roots = {m["party"]: m["root"] for m in (shaped(m, file, "member") for m in a["members"])}
            self.roots = {**{party: root for party, root in roots.items() if root}, **self.roots}
            same = all(root in ("", self.roots.get(party)) for party, root in roots.items())
            need(same and file == f"agreements/{a['version']}.json", file, "another root key or version than expected")
            self.agreements.add(a["hash"])
            self.founding: dict[str, Any] = getattr(self, "founding", a)
            for line in (shaped(x, file, "terms") for x in a["lines"]):
                named = {"founding": self.founding["hash"], "mode": a["mode"], "purpose": line["purpose"]}
                named["roots"] = [roots.get(party, "") for party in line["members"]]
                self.lines[sha256(ENCODER.encode(named).encode())] = line["purpose"]
        for file in sorted(f for f in files if f.startswith("cards/")):
            c = opened(canon(files[file], file), "card", file, lambda c: [[c["root"]]])
            names = [f"cards/{c['party']}-{c['version']}{end}.json" for end in ("", "-" + c["hash"][:8])]
            need(file in names and c["root"] == self.roots.get(c["party"]), file, "another card, or root, than agreed")
            posts = {post: shaped(facts, file, "post") for post, facts in c["posts"].items()}
            self.cards.setdefault(c["party"], []).append({**c, "posts": posts, "text": files[file].decode()})
    def newer(self, text: Any, old: dict[str, Any]) -> dict[str, Any]:  # the card in a text, if it may follow that one
        return next((c for c in self.cards[old["party"]] if c["text"] == text and c["version"] > old["version"]), old)
    def keys(self, party: str, by: str | None = None) -> list[str]:  # of its node or of a post, on any card
        return [c["node"] if by is None else c["posts"].get(by, {"key": ""})["key"] for c in self.cards.get(party, [])]
    def said(self, value: Any, kind: str, file: str) -> dict[str, Any]:
        read = opened(value, kind, file, lambda read: [self.keys(read["from"])])
        need(read["ch"] == self.ch and read["v"] == 1, file, "signed for another channel")
        return read
    def header(self, value: Any, file: str) -> dict[str, Any]:  # a header by the rules of spec/2
        h = self.said(value, "entry", file)
        fits = h["seq"] >= 1 and h["t_ms"] >= 0 and len(h["by"]) <= 48 and len(h["type"]) <= 24 and len(h["seen"]) <= 15
        fits = fits and (h["seq"] == 1) == (h["prev"] == "0" * 64) and h["from"] not in h["seen"]
        need(fits and are_places([*h["seen"].values()]), file, "values that no header has")
        return h
    def body(self, raw: bytes, h: dict[str, Any]) -> tuple[Any, str, str]:  # what it says; "" or why not; by which key
        what, key, (party, _, post) = dict[str, Any](), "", h["by"].partition("/")
        try:
            outer = canon(raw, "")
            what = {**outer["body"]["said"]["what"]}
            inner = shaped(shaped(outer, "", "outer")["body"], "", "inner")
            said, sig = shaped(inner["said"], "", "said"), inner.get("sig")
            b64(outer["salt"], "", 16)
            message = pae("statement", ENCODER.encode(said).encode())
            key = signed_by(self.keys(party, post), [] if sig is None else [sig], message, "")
            node = sig is None and h["type"] in ("remark", "epoch", "card") and post == "node"
            same = (said["ch"], said["by"], what.get("kind"), party) == (h["ch"], h["by"], h["type"], h["from"])
            return what, "" if same and (key or node) else "NOT UNDERSTOOD", key
        except (Bad, LookupError, TypeError):
            return what, "NOT UNDERSTOOD", ""
def lines_of(data: bytes, file: str) -> list[tuple[str, Any]]:
    need(data.endswith(b"\n"), file, "its last line is cut off")
    return [(at, canon(t, at)) for n, t in enumerate(data[:-1].split(b"\n"), 1) for at in [f"{file}, line {n}"]]
def read_strand(task: tuple[str, bytes, Members, bool]) -> list[Any]:  # a file of entries, each checked by itself
    file, data, members, keep = task
    out = list[dict[str, Any]]()
    for at, value in lines_of(data, file):
        line = shaped(value, at, "line")
        h = members.header(line["entry"], at)
        need(("body" in line) != ("left_out" in line), at, "either a body, or why it was left out")
        place = file.startswith(f"strands/{h['from']}/{h['epoch']}/") and h["agr"] in members.agreements
        need(place, at, "an entry of another strand, or under an agreement that is not in the bundle")
        what, mark, key = None, line.get("left_out", ""), ""
        need(not mark or h["type"] not in ("card", "revoke"), at, "it changes keys, and is left out")
        if "body" in line:
            need(sha256(raw := b64(line["body"], at)) == h["body_sha256"], at, "not the body that its header binds")
            what, mark, key = members.body(raw, h)
        opens = what if h["type"] == (what or {}).get("kind") == "epoch" and h["seq"] == 1 else {}
        path = [b64(p, at, 32) for p in line["proof"]] if "proof" in line else None
        out.append({**h, "what": what if keep or h["type"] in ("card", "revoke") else None, "mark": mark, "post": key,
                    "opens": opens, "shown": "body" in line, "proof": path, "at": at})
    need(file.endswith(f"/{out[0]['seq']:08}.jsonl"), file, "its name is not the place of its first entry")
    return out
def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
def root_of(hash_: bytes, at: int, size: int, path: list[bytes]) -> bytes:  # RFC 9162 §2.1.3.2; b"" if it is no path
    if size == 1 or not path:
        return hash_ if size == 1 and not path else b""
    k = 1 << (size - 1).bit_length() - 1  # so many leaves are on the left
    inner = root_of(hash_, at % k, k if at < k else size - k, path[:-1])
    return inner and (node(inner, path[-1]) if at < k else node(path[-1], inner))
def roots_of(lines: list[dict[str, Any]]) -> dict[int, bytes]:  # of all trees (RFC 6962 §2.1)
    stack, roots = list[bytes](), dict[int, bytes]()
    for n, line in enumerate(lines):
        stack.append(hashlib.sha256(b"\0" + bytes.fromhex(line["hash"])).digest())
        while n & 1:
            stack[-2:], n = [node(*stack[-2:])], n >> 1
        roots[len(roots) + 1] = reduce(lambda right, left: node(left, right), reversed(stack))
    return roots
def read_note(data: bytes, file: str, members: Members) -> Any:  # size, root, who signed (its author, or when)
    _, party, epoch, size = file.removesuffix(".txt").split("/")
    text, _, rest = data.decode().rpartition("\n\n")
    rows, signers = text.split("\n"), dict[str, int | None]()
    good = len(rows) == 3 and rows[:2] == [f"wideberth/{members.ch}/{party}/{epoch}", str(int(size))] and int(size)
    need(good and rest.endswith("\n"), file, "not a checkpoint, or not the one that its name says")
    for parts in (line.split(" ") for line in rest[:-1].split("\n")):
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1], file, "a signature line of another form")
        sig = b64(parts[2], file)
        who, kind = (party, b"\n\1") if parts[1] == rows[0] else (parts[1], b"\n\4")
        for key in map(base64.b64decode, members.keys(who)):
            if hashlib.sha256(parts[1].encode() + kind + key).digest()[:4] == sig[:4]:
                t_s = None if kind == b"\n\1" else int.from_bytes(sig[4:12], "big")
                message = text if t_s is None else f"cosignature/v1\ntime {t_s}\n{text}"
                good = ed25519(key, f"{message}\n".encode(), sig[4 if t_s is None else 12 :])
                need(good, file, f"the signature of {who} does not verify")
                signers[who] = t_s
    need(signers, file, "no member of the channel signed it")
    return int(size), b64(rows[2], file, 32), signers
def check_strand(name: str, lines: list[Any], files: dict[str, bytes], members: Members, by: str) -> list[Any]:
    for a, b in pairwise(lines):
        need(a["hash"] == b["prev"] if a["seq"] + 1 == b["seq"] else a["seq"] < b["seq"], b["at"], "it follows another")
    named = sorted(f for f in files if re.fullmatch(rf"checkpoints/{name}/[0-9]{{10}}\.txt", f))
    notes = [(f, *read_note(files[f], f, members)) for f in named]
    need(notes and by in notes[-1][3], f"checkpoints/{name}", "no closing checkpoint of who exported this")
    file, size, root, _ = notes[-1]
    need(lines[-1]["seq"] <= size, lines[-1]["at"], "it comes after the closing checkpoint")
    roots = roots_of(lines) if len(lines) == size else {}
    for line in () if roots else lines:
        data = hashlib.sha256(b"\0" + bytes.fromhex(line["hash"])).digest()
        good = line["proof"] is not None and root_of(data, line["seq"] - 1, size, line["proof"]) == root
        need(good, line["at"], f"no proof of it leads to the root in {file}; in a whole strand: entries are missing")
    for file, n, root, _ in notes if roots else notes[:-1]:
        need(roots.get(n) == root, file, "its root is not that of the entries: one is missing, added or changed")
    return notes
def judge(name: str, strands: Any, members: Members, after: dict[str, Any], keep: bool) -> None:
    """Each entry by the keys that hold at its place (spec/1). `after`: what holds from which place of a strand on."""
    party, lines, revoked = name.split("/")[0], strands[name], dict[str, int]()
    card, *more = sorted(members.cards[party], key=lambda c: c["version"])
    if are_places([before := lines[0]["opens"].get("predecessor")]) and (more or f"{party}/{before[0]}" in strands):
        if (there := f"{party}/{before[0]}") not in after:
            judge(there, strands, members, after, keep)
        card, revoked = [k for n, *k in after[there] if n <= before[1]][-1]
    need(not more or (lines[0]["seq"] == 1 and lines[0]["shown"]), lines[0]["at"], "its opening is not shown")
    after[name] = [(0, card := members.newer(lines[0]["opens"].get("card"), card), revoked)]
    for line in lines:
        need(line["signer"] == card["node"], line["at"], "its header is signed with a node key not in force there")
        what, held, n = line["what"], (card, revoked), revoked.get(line["post"])
        by = card["posts"].get(line["by"].partition("/")[2], {})
        if line["post"] and (n or line["post"] != by.get("key")):
            line["mark"] = "NOT UNDERSTOOD" + (f": signed with a key that was revoked at entry {n}" if n else "")
        elif line["type"] in ("card", "revoke") and not line["mark"]:
            plain = all(isinstance(v, str) for v in what.values()) and len(what.get("text", "")) <= 280
            if line["type"] == "card" and what.keys() == {"kind", "card"}:
                card = members.newer(what["card"], card)
            elif plain and what.keys() | {"text"} == {"kind", "post", "key", "text"} and by.get("supervisor") and (
                    card["posts"].get(what["post"], {}).get("key") == what["key"]):
                revoked = {what["key"]: line["seq"], **revoked}
            line["mark"] = "NOT UNDERSTOOD, or its card is not here" if held == (card, revoked) else ""
            after[name].append((line["seq"], card, revoked))
        line["what"] = None if line["mark"] or not keep else what

# --- the report: a function of what is shown, and of nothing else ---
def at(ms: int) -> str:
    when = datetime.datetime.fromtimestamp(ms // 1000 if 0 <= ms < 253402300800000 else 0, datetime.UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}.{ms % 1000:03}Z" if 0 <= ms < 253402300800000 else f"{ms} ms"
def thousandth(n: int, digits: int = 3) -> str:
    return f"{'-' if n < 0 else ''}{abs(n) // 10**digits}.{abs(n) % 10**digits:0{digits}}"
def flat(key: str, value: Any) -> Iterable[tuple[str, str]]:  # each value with its name, in units for people
    if isinstance(value, dict) and [(k, type(v)) for k, v in sorted(value.items())] == [("mm", int), ("ref", str)]:
        yield key, value["ref"] if value["ref"] in ("SFC", "UNL") else f"{thousandth(value['mm'])} m {value['ref']}"
    elif isinstance(value, list) and [type(v) for v in value] == [int, int]:
        yield key, f"{thousandth(value[0], 9)} {thousandth(value[1], 9)}"
    elif isinstance(value, dict | list):
        for name, inner in sorted(value.items()) if isinstance(value, dict) else enumerate(value, 1):
            yield from flat(f"{key}.{name}" if key else str(name), inner)
    elif type(value) is int and key.endswith(("_ms", "_mm")):
        yield key, at(value) if key.endswith("_ms") else f"{thousandth(value)} m"
    else:
        yield key, value if isinstance(value, str) else ENCODER.encode(value)
def sketch(what: Any) -> str:  # a map of a statement's volumes in SVG, north up, in metres; or nothing
    drawn, west, north, east, south = list[str](), 0, 0, 0, 0
    try:
        shapes = [v["shape"] for v in what["terms"]["volumes"]]
        kinds = [{"circle": "centre", "polygon": "corners", "corridor": "route"}[shape["kind"]] for shape in shapes]
        tracks = [[s[kind]] if kind == "centre" else s[kind] for s, kind in zip(shapes, kinds, strict=True)]
        widths = [s.get("radius_mm", s.get("half_width_mm", 0)) for s in shapes]
        if {type(n) for n in (*widths, *(n for track in tracks for point in track for n in point))} != {int}:
            return ""
        (lat, lng), half = tracks[0][0], 180 * 10**9  # by Bhaskara's cosine in integers; a degree is 111,120 m
        d = min(abs(lat) // 10**9, 90) ** 2
        for kind, track, wide in zip(kinds, tracks, widths, strict=True):
            turned, r = [(x - lng + half) % (2 * half) - half for _, x in track], wide // 1000
            xs = [x * 44448 * (8100 - d) // ((32400 + d) * 10**8) for x in turned]
            ys = [(lat - y) * 11112 // 10**8 for y, _ in track]
            west, east, way = min(west, min(xs) - r), max(east, max(xs) + r), " ".join(map("{},{}".format, xs, ys))
            north, south = min(north, min(ys) - r), max(south, max(ys) + r)
            drawn.append(f'<polyline points="{way}" class="w" stroke-width="{2 * r}"/>' if kind == "route" else
                         f'<circle cx="{xs[0]}" cy="{ys[0]}" r="{r}"/>' if kind == "centre" else
                         f'<polygon points="{way}"/>')
    except (LookupError, TypeError, ValueError, AttributeError):
        return ""
    title = f"<title>a sketch, north up, {east - west} m by {south - north} m</title>"
    return f'<svg viewBox="{west} {north} {east - west} {south - north}">{title}{"".join(drawn)}</svg>\n'
REPORTS, PROOFS = ("report.html", "report.txt"), {"entry": "EQUIVOCATION", "root": "SPLIT VIEW"}
HEAD = '''<!doctype html><html lang="en"><meta charset="utf-8"><title>Evidence</title><style>svg{width:20em;height:20em;\nfill:#0b5fa522;stroke:#0b5fa5}svg *{vector-effect:non-scaling-stroke}svg .w{fill:none;stroke:#0b5fa544;vector-effect:none;\nstroke-linejoin:round;stroke-linecap:round}body{font:14px sans-serif;max-width:60em}p{margin:0;overflow-wrap:anywhere}</style>\n'''  # noqa: E501
def causal(strands: dict[str, Any]) -> Iterable[Any]:  # every entry after all that it cites; else in order of names
    done = dict.fromkeys(sorted(strands), 0)
    while left := {n: strands[n][i] for n, i in done.items() if i < len(strands[n])}:
        early = [n for n, line in left.items() if not any(
            f"{p}/{e}" in left and left[f"{p}/{e}"]["seq"] <= q for p, (e, q, _) in line["seen"].items())]
        done[name := [*early, *left][0]] += 1
        yield left[name]
def report(m: Any, members: Members, strands: Any, notes: Any, stamps: Any, sidecars: Any, places: Any) -> list[str]:
    a, ch, out, total = members.founding, members.ch, list[tuple[str, str]](), sum(map(len, strands.values()))
    def say(text: str, tag: str = "p") -> None:
        out.append((tag, text if tag == "svg" else CONTROL.sub("\ufffd", text)))
    say(f"Evidence of what passed on {a['mechanism']}", "h1")
    say(m["scope"])
    say(f"{a['mode']}, {members.lines[ch]}, channel {ch}; exported by {m['from']}, {at(m['t_ms'])} by its clock")
    say(f"Selected: {ENCODER.encode(m['selection'])}; release: {m['release'] or 'not said'}; note: {m['note'] or '-'}")
    say("Fingerprints of the keys: compare them with what you got by another way", "h2")
    for party, root in sorted(members.roots.items()):
        say(f"{party}: {sha256(root.encode())}")
    say("How far each strand goes", "h2")
    for name, found in sorted(notes.items()):
        missing = "".join(f" NOT signed by {p}." for p in sorted(members.roots) if p not in found[-1][3])
        say(f"{name}: {len(strands[name])} of {found[-1][1]} entries are here.{missing}")
        for file, size, _, signers in found:
            who = [f"{p} (author)" if t is None else f"{p} at {at(t * 1000)}" for p, t in sorted(signers.items())]
            say(f"{name} up to {size}: signed by {', '.join(who)}")
            for stamp in stamps[file]:
                say(f"{stamp}: a time stamp on this. NOT checked here: by whom and when (openssl ts -verify -token_in)")
    for x in (shaped(x, "manifest.json", "later") for x in m["later"]):
        say(f"LATER, and left out here: {x['from']} {x['seq']}, {x['type']} {x['ref']} {x['hash']}")
    for s in sidecars:
        if s["kind"] == "linecheck-close":
            say(f"{s['from']}, {at(s['t1_ms'])}: the clock of {s['to']} is ahead by {s['t3_ms'] - s['t4_ms'] - 1} to "
                f"{s['t2_ms'] - s['t1_ms'] + 1} ms")
        for party, e, q, h in [(p, *place) for p, held in sorted(s.get("holds", {}).items()) for place in held]:
            other = "" if places.get((party, e, q), h) == h else f", but ANOTHER entry than the one here: {h}"
            say(f"{s['from']}, {at(s['t_ms'])} by its clock: it holds {party}/{e} up to {q}{other}")
        if s["kind"] in PROOFS:
            say(f"{PROOFS[s['kind']]}: {s['from']} signed {s['first']} and {s['hash']} for {s['kind']} {s['seq']}")
    say(f"What was said: {total} entries, in an order that no clock decided", "h2")
    few = total <= REPORT_ENTRIES_MAX
    say("Of every acknowledgement: This records receipt only." if few else "They are too many to show here.")
    for line in causal(strands) if few else ():
        say(f"{line['from']} {line['seq']}: {line['type']} by {line['by']}", "h3")
        say(f"{at(line['t_ms'])} by the clock of {line['from']}, {line['hash']}")
        held = [(s["level"], s["from"], s["t_ms"]) for s in sidecars if s["kind"] == "receipt"
                and (s["of"], s["epoch"]) == (line["from"], line["epoch"]) and s["seq"] >= line["seq"]]
        for level, who in sorted({h[:2] for h in held}):
            say(f"{level} by {who}, {at(min(h[2] for h in held if h[:2] == (level, who)))} by its clock")
        for key, value in flat("", line["what"]) if line["what"] else [("its body", line["mark"])]:
            say(f"{key}: {value}")
        say(sketch(line["what"]), "svg")
    sign = {"h1": "", "h2": "\n== ", "h3": "\n-- ", "p": ""}
    page = "".join(text if tag == "svg" else f"<{tag}>{html.escape(text)}</{tag}>\n" for tag, text in out)
    return [HEAD + page, "".join(f"{sign[tag]}{text}\n" for tag, text in out if tag != "svg")]
def beside(files: dict[str, bytes], members: Members, strands: Any, notes: Any) -> Any:  # time stamps, split views
    stamps, splits = {n[0]: list[str]() for found in notes.values() for n in found}, list[dict[str, Any]]()
    for file in sorted(f for f in files if f.startswith("stamps/")):
        text = files.get(on := f"checkpoints/{file[7:-21]}.txt", b"").rpartition(b"\n\n")[0] + b"\n"
        held = [SHA256 + n + b"\4\40" + hashlib.sha256(text).digest() in files[file] for n in (b"", b"\5\0")]
        need(on in stamps and file.endswith(f"-{sha256(files[file])[:16]}.der") and any(held), file, "no stamp on that")
        stamps[on].append(file)
    for file in sorted(f for f in files if f.startswith("splits/")):
        lines = strands.get(name := file[7:-15], [])
        need(lines and re.fullmatch(r"/[0-9]{10}\.txt", file[-15:]), file, "no strand here that it is about")
        size, root, signers = read_note(files[file], file, members)
        here = roots_of(lines).get(size, root) if len(lines) == notes[name][-1][1] else root
        need(None in signers.values() and here != root, file, "it proves no split view")
        splits.append({**lines[0], "kind": "root", "seq": size, "first": here.hex(), "hash": root.hex()})
    return stamps, splits
def examine(files: dict[str, bytes], m: dict[str, Any], tell: Tell = None) -> dict[str, Any]:  # facts, and the report
    members = Members(files, m["ch"])
    need(m["ch"] in members.lines, "agreements/1.json", "the founding agreement is missing, or of another channel")
    names = sorted(f for f in files if re.fullmatch(r"strands/[A-Z0-9-]+/[0-9a-f]{32}/[0-9]{8}\.jsonl", f))
    few = (total := sum(files[f].count(b"\n") for f in names)) <= REPORT_ENTRIES_MAX
    tasks, strands = [(f, files[f], members, few) for f in names], dict[str, list[Any]]()
    notes, sidecars, after = dict[str, Any](), list[dict[str, Any]](), dict[str, Any]()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for file, part in zip(names, (map if few else pool.map)(read_strand, tasks), strict=True):
            strands.setdefault(file[8:-15], []).extend(part)
            if tell:
                tell(sum(map(len, strands.values())), total)
    for name, lines in strands.items():
        notes[name] = check_strand(name, lines, files, members, m["from"])
        if name not in after:
            judge(name, strands, members, after, few)
    places = {(x["from"], x["epoch"], x["seq"]): x["hash"] for lines in strands.values() for x in lines}
    for at, value in lines_of(files["sidecars.jsonl"], "sidecars.jsonl") if "sidecars.jsonl" in files else ():
        if "first" in value:
            one, two = (members.header(shaped(value, at, "equivocation")[k], at) for k in ("first", "second"))
            same = all(one[k] == two[k] for k in ("from", "epoch", "seq")) and one["hash"] != two["hash"]
            said = {**two, "kind": "entry", "first": one["hash"]}
        else:
            kind = shaped(value, at, "envelope")["payloadType"][26:-5]
            said = {**members.said(value, kind, at), "kind": kind}
            held = places.get((said.get("of"), said.get("epoch"), said.get("seq")))
            same = kind.startswith("linecheck-") or (kind == "receipt" and held in (None, said["head"])) or (
                kind == "heads" and all(map(are_places, said["holds"].values())))
        need(same, at, "no line check, no heads, no receipt for what stands there, not two entries for one place")
        sidecars.append(said)
    stamps, splits = beside(files, members, strands, notes)
    for file in sorted(files.keys() - {*names, *stamps, "sidecars.jsonl", *REPORTS, "verify.py"}):
        need(file.startswith(("agreements/", "cards/", "stamps/", "splits/")), file, "it does not belong in a bundle")
    sidecars = [s for s in sidecars if s["kind"] != "receipt" or (s["of"], s["epoch"], s["seq"]) in places] + splits
    marks = [f"{x['at']}: {x['mark']}" for lines in strands.values() for x in lines if x["mark"] not in ("", "ANCHOR")]
    marks += [f"{PROOFS[s['kind']]} of {s['from']} at {s['kind']} {s['seq']}" for s in sidecars if s["kind"] in PROOFS]
    trees = {(*name.split("/"), n[1]): n[2] for name, found in notes.items() for n in found if None in n[3].values()}
    return {"roots": members.roots, "places": places, "trees": trees, "marks": marks, "entries": len(places),
            "reports": report(m, members, strands, notes, stamps, sidecars, places)}
def verify(data: bytes, tell: Tell = None) -> dict[str, Any]:  # all but whose keys these are; raises Bad
    files = unpack(data)
    value, members = canon(files.pop("manifest.json", b""), "manifest.json"), Members(files, "")
    m = opened(value, "manifest", "manifest.json", lambda m: [members.keys(m["from"])])
    for file in sorted(files.keys() | m["files"].keys()):
        need(file in files, file, "it is missing")
        need(m["files"].get(file) == [sha256(files[file]), len(files[file])], file, "it is not the one in the manifest")
    found = examine(files, m, tell)
    for file, text in zip(REPORTS, found["reports"], strict=True):
        need(files.get(file) == text.encode(), file, "it does not say what the entries say")
    return {**found, "exported_by": m["from"], "later": m["later"], "files": len(files)}
def judged(data: bytes, trust: Iterable[str] = (), tell: Tell = None) -> dict[str, Any]:  # as JSON data
    try:
        found = verify(data, tell)
        mine = {sha256(root.encode()): party for party, root in found["roots"].items()}
        for wanted in trust:
            need(wanted.lower() in mine, "agreements/1.json", f"no party here has the fingerprint {wanted}")
    except (Bad, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as bad:
        file, why = bad.args if isinstance(bad, Bad) else ("bundle", f"something in it is not of the right form: {bad}")
        return {"verdict": "refused", "file": file, "why": why}
    keys = sorted(mine[wanted.lower()] for wanted in trust)
    meaning = f"these are the keys of {', '.join(keys)}" if keys else "it is NOT proven whose keys these are"
    return {"verdict": "trusted" if keys else "integrity only", "meaning": meaning,
            **{name: found[name] for name in ("exported_by", "entries", "files", "later", "marks")}}
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check a wideberth evidence bundle.")
    parser.add_argument("bundle")
    parser.add_argument("--trust", action="append", default=[], metavar="FINGERPRINT")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    shown = sys.stderr.isatty() and not options.json
    bar: Tell = lambda done, total: sys.stderr.write(f"\r{done} of {total} entries")  # noqa: E731
    try:
        with open(options.bundle, "rb") as stream:
            result = judged(stream.read(), options.trust, bar if shown else None)
        sys.stderr.write("\r\033[K" if shown else "")
    except OSError as why:
        parser.error(f"{options.bundle} cannot be read: {why.strerror}")
    lines = [CONTROL.sub("\ufffd", f"{k}: {x}") for k, v in result.items() for x in (v if isinstance(v, list) else [v])]
    sys.stdout.write((json.dumps(result) if options.json else "\n".join(lines)) + "\n")
    return 1 if result["verdict"] == "refused" else 0
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
