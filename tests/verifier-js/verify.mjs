// SPDX-License-Identifier: Apache-2.0
// A second verifier of evidence bundles, written from spec/1 to spec/6 on Node's standard library only.
//   node verify.mjs [--trust FINGERPRINT]... BUNDLE...     one line of JSON per bundle
import { createHash, createPublicKey, verify as cryptoVerify } from "node:crypto";
import { readFileSync } from "node:fs";

class Bad extends Error {
  constructor(file, why) { super(why); this.file = file; }
}
const need = (held, file, why) => { if (!held) throw new Bad(file, why); };
const sha256 = (data) => createHash("sha256").update(data).digest();
const hex = (data) => sha256(data).toString("hex");
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const isObject = (v) => v !== null && typeof v === "object" && !Array.isArray(v);
const has = (v, key) => isObject(v) && Object.hasOwn(v, key);
const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const isInt = (v) => Number.isSafeInteger(v);
const CONTROL = /[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const REPORT_ENTRIES_MAX = 2000;

// --- Ed25519 by spec/1: what OpenSSL accepts, without small-order and non-canonical points and unreduced scalars ---
const P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
const little = (bytes) => BigInt("0x" + Buffer.from(bytes).reverse().toString("hex"));
const SMALL = new Set([0n, 1n, P - 1n,
  little(Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex")),
  little(Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"))]);
const large = (point) => { const y = little(point) & (2n ** 255n - 1n); return y < P && !SMALL.has(y); };
export function ed25519(key, message, sig) {
  if (key.length !== 32 || sig.length !== 64) return false;
  if (!large(key) || !large(sig.subarray(0, 32)) || little(sig.subarray(32)) >= L) return false;
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(key).toString("base64url") };
  try { return cryptoVerify(null, message, createPublicKey({ key: jwk, format: "jwk" }), sig); } catch { return false; }
}

// --- one spelling (spec/2) ---
function b64(text, file, length) {
  const data = Buffer.from(typeof text === "string" ? text : "", "base64");
  const good = data.toString("base64") === text && (length === undefined || data.length === length);
  need(good, file, "base64 of another length or spelling");
  return data;
}
function encode(value, depth = 0) {
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") { if (isInt(value)) return JSON.stringify(value); throw new TypeError("not an integer"); }
  if (typeof value === "string") {
    if (!value.isWellFormed() || value.normalize("NFC") !== value) throw new TypeError("not NFC");
    return JSON.stringify(value);
  }
  if (depth > 24) throw new TypeError("too deep");
  if (Array.isArray(value)) return `[${value.map((v) => encode(v, depth + 1)).join(",")}]`;
  return `{${Object.keys(value).sort(byCode).map((k) => {
    if (!/^[\0-\x7f]*$/.test(k)) throw new TypeError("a key is not ASCII");
    return `${JSON.stringify(k)}:${encode(value[k], depth + 1)}`;
  }).join(",")}}`;
}
function canon(data, file) {
  try {
    const text = utf8.decode(data), value = JSON.parse(text);
    if (encode(value) === text) return value;
  } catch (why) { if (!(why instanceof SyntaxError || why instanceof TypeError || why instanceof RangeError)) throw why; }
  throw new Bad(file, "not in the one spelling (canonical JSON)");
}

// --- the fields of every object: kind after `=`, `?` may be missing ---
const KINDS = {
  i: isInt, s: (v) => typeof v === "string", b: (v) => typeof v === "boolean", d: isObject, l: Array.isArray,
  h: /^[0-9a-f]{64}$/, e: /^[0-9a-f]{32}$/, n: /^[A-Z][A-Z0-9-]{1,15}$/, o: /^(?:REDACTED|ANCHOR)$/, r: /^(?:stored|shown)$/,
};
const SHAPES = new Map(`envelope: payload=s payloadType=s signatures=l
signature: keyid=s sig=s
equivocation: first=d second=d
member: party=n root=s speaks_for=l?
terms: purpose=s members=l
line: body=s? entry=d left_out=o? proof=l?
outer: body=d salt=s
inner: said=d sig=d?
said: by=s ch=s t_ms=i what=d
entry: v=i type=s ch=h agr=h from=n by=s epoch=e seq=i prev=h seen=d t_ms=i body_sha256=h
receipt: v=i level=r ch=h from=n of=n epoch=e seq=i head=h t_ms=i
linecheck-ask: v=i ch=h from=n to=n nonce=e t1_ms=i heads=d
linecheck-answer: v=i ch=h from=n to=n ask=h nonce=e t1_ms=i t2_ms=i t3_ms=i heads=d
linecheck-close: v=i ch=h from=n to=n answer=h nonce=e t1_ms=i t2_ms=i t3_ms=i t4_ms=i
agreement: v=i mechanism=s version=i mode=s members=l lines=l rules=d from_ms=i nonce=s previous=s? clauses=l? scope=s? see_also=l?
card: v=i party=n root=s version=i node=s sealing=s url=s tls_sha256=s tls_pem=s posts=d contact=s? time_zone=s? languages=l?
post: key=s supervisor=b? break_glass=b?
later: from=n epoch=e seq=i hash=h type=s ref=s
heads: v=i ch=h from=n nonce=e answers=s restored=b holds=d t_ms=i
manifest: v=i ch=h from=n t_ms=i selection=d note=s release=s scope=s later=l files=d`.split("\n").map((row) => {
  const [name, fields] = row.split(": ");
  return [name, new Map(fields.split(" ").map((f) => f.split("=")))];
}));
function shaped(value, file, name) {
  const shape = SHAPES.get(name);
  if (shape === undefined) throw new RangeError(name);
  need(isObject(value) && Object.keys(value).every((k) => shape.has(k)), file, "other fields than it should have");
  for (const [field, kind] of shape) {
    const wanted = KINDS[kind[0]], have = value[field];
    const good = wanted instanceof RegExp ? typeof have === "string" && wanted.test(have) : wanted(have);
    need(good || (kind.endsWith("?") && !has(value, field)), file, `${field} is missing or not of the right form`);
  }
  return value;
}

const typeOf = (kind) => `application/vnd.wideberth.${kind}+json`;
function pae(kind, payload) {
  const name = typeOf(kind);
  return Buffer.concat([Buffer.from(`DSSEv1 ${name.length} ${name} ${payload.length} `), payload]);
}
function signedBy(keys, signatures, message, file) {
  const named = new Map();
  for (const s of signatures.map((s) => shaped(s, file, "signature"))) if (!named.has(s.keyid)) named.set(s.keyid, s.sig);
  return keys.find((key) => {
    const sig = named.get(hex(key).slice(0, 16));
    return sig !== undefined && ed25519(b64(key, file, 32), message, b64(sig, file, 64));
  }) ?? "";
}
function opened(value, kind, file, keys) {
  const env = shaped(value, file, "envelope"), payload = b64(env.payload, file);
  const count = env.signatures.length;
  need(env.payloadType === typeOf(kind) && count >= 1 && count <= 32, file, `not a signed ${kind}`);
  const read = shaped(canon(payload, file), file, kind);
  const found = keys(read).map((group) => signedBy(group, env.signatures, pae(kind, payload), file));
  need(found.every((key) => key !== ""), file, "not signed by whom it should be");
  return { ...read, hash: hex(payload), signer: found.at(-1) };
}

// --- the zip (spec/6) ---
const CRC = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = (data) => {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};
function pack(files) {
  const local = [], central = [];
  let at = 0;
  const names = [...files.keys()].sort((a, b) => (b === "manifest.json") - (a === "manifest.json") || byCode(a, b));
  for (const name of names) {
    const body = files.get(name), raw = Buffer.from(name, "latin1"), facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0); facts.writeUInt16LE(33, 8); facts.writeUInt32LE(crc32(body), 10);
    facts.writeUInt32LE(body.length, 14); facts.writeUInt32LE(body.length, 18); facts.writeUInt16LE(raw.length, 22);
    local.push(Buffer.from("PK\x03\x04"), facts, raw, body);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(Buffer.from("PK\x01\x02\x14\0"), facts, rest, raw);
    at += 30 + raw.length + body.length;
  }
  const middle = Buffer.concat(central), end = Buffer.alloc(22);
  end.write("PK\x05\x06"); end.writeUInt16LE(files.size, 8); end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(middle.length, 12); end.writeUInt32LE(at, 16);
  return Buffer.concat([...local, middle, end]);
}
function unpack(data) {
  const files = new Map(), spans = [[0, "zip"]];
  const sign = (at) => data.subarray(at, at + 4).toString("latin1");
  let at = 0;
  while (sign(at) === "PK\x03\x04" && at + 30 <= data.length) {
    const crc = data.readUInt32LE(at + 14), size = data.readUInt32LE(at + 18), length = data.readUInt16LE(at + 26);
    const name = data.subarray(at + 30, at + 30 + length).toString("latin1").replace(/[\x80-\xff]/g, "\ufffd");
    const body = data.subarray(at + 30 + length, at + 30 + length + size);
    need(crc32(body) === crc && !name.includes("\ufffd") && !files.has(name), name, "its bytes are not those once packed");
    files.set(name, body);
    spans.push([at, name]);
    at += 30 + length + body.length;
  }
  need(sign(at) === "PK\x01\x02", spans.at(-1)[1], "what follows it in the zip is damaged");
  const again = pack(files);
  spans.push([at, "zip"], [Math.max(data.length, again.length), ""]);
  for (let i = 0; i + 1 < spans.length; i++) {
    const same = data.subarray(spans[i][0], spans[i + 1][0]).equals(again.subarray(spans[i][0], spans[i + 1][0]));
    need(same, spans[i][1] || "zip", "the zip is not in its one spelling here");
  }
  return files;
}

// --- the record (spec/1 to spec/3) ---
const isPlace = (p) => Array.isArray(p) && p.length === 3 && typeof p[0] === "string" && [...p[0]].length === 32 &&
  isInt(p[1]) && p[1] >= 1 && typeof p[2] === "string" && KINDS.h.test(p[2]);
class Members {
  constructor(files) {
    this.agreements = new Set(); this.roots = new Map(); this.cards = new Map();
    this.founding = null; this.lines = new Map(); this.ch = "";
    const names = [...files.keys()].sort(byCode);
    for (const file of names.filter((f) => f.startsWith("agreements/"))) {
      const all = (a) => a.members.filter((m) => m.root).map((m) => [m.root]);
      const a = opened(canon(files.get(file), file), "agreement", file, all);
      const members = a.members.map((m) => shaped(m, file, "member"));
      for (const m of members) if (m.root && !this.roots.has(m.party)) this.roots.set(m.party, m.root);
      const same = members.every((m) => !m.root || this.roots.get(m.party) === m.root);
      need(same && file === `agreements/${a.version}.json`, file, "another root key or version than expected");
      this.agreements.add(a.hash);
      this.founding ??= a;
      for (const line of a.lines.map((x) => shaped(x, file, "terms"))) {
        const roots = line.members.map((party) => members.find((m) => m.party === party)?.root ?? "");
        this.lines.set(hex(encode({ founding: this.founding.hash, mode: a.mode, purpose: line.purpose, roots })), line.purpose);
      }
    }
    for (const file of names.filter((f) => f.startsWith("cards/"))) {
      const c = opened(canon(files.get(file), file), "card", file, (c) => [[c.root]]);
      const named = ["", `-${c.hash.slice(0, 8)}`].some((end) => file === `cards/${c.party}-${c.version}${end}.json`);
      need(named && c.root === this.roots.get(c.party), file, "another card, or root, than agreed");
      for (const facts of Object.values(c.posts)) shaped(facts, file, "post");
      this.cards.set(c.party, [...(this.cards.get(c.party) ?? []), { ...c, text: utf8.decode(files.get(file)) }]);
    }
  }
  nodes(party) { return (this.cards.get(party) ?? []).map((c) => c.node); }
  posts(party, post) {
    return (this.cards.get(party) ?? []).filter((c) => has(c.posts, post)).map((c) => c.posts[post].key);
  }
  newer(text, old) {
    return this.cards.get(old.party).find((c) => c.text === text && c.version > old.version) ?? old;
  }
  said(value, kind, file) {
    const read = opened(value, kind, file, (r) => [this.nodes(r.from)]);
    need(read.ch === this.ch && read.v === 1, file, "signed for another channel");
    return read;
  }
  header(value, file) {
    const h = this.said(value, "entry", file), seen = Object.entries(h.seen), chars = (s) => [...s].length;
    const fits = h.seq >= 1 && h.t_ms >= 0 && chars(h.by) <= 48 && chars(h.type) <= 24 && seen.length <= 15;
    const first = (h.seq === 1) === (h.prev === "0".repeat(64));
    need(fits && first && seen.every(([party, p]) => party !== h.from && isPlace(p)), file, "values that no header has");
    return h;
  }
  // What it says, as far as it can be read; whether that has an effect; whose key signed it.
  body(raw, h) {
    let what = {}, key = "";
    try {
      const value = canon(raw, ""), inside = value?.body?.said?.what;
      if (!isObject(value) || !isObject(value.body) || !isObject(value.body.said) || !isObject(inside)) throw new Bad("", "");
      what = inside;
      const outer = shaped(value, "", "outer"), inner = shaped(outer.body, "", "inner");
      const said = shaped(inner.said, "", "said"), cut = h.by.indexOf("/"), post = cut < 0 ? "" : h.by.slice(cut + 1);
      b64(outer.salt, "", 16);
      const same = said.ch === h.ch && said.by === h.by && what.kind === h.type && h.by.startsWith(`${h.from}/`);
      if (inner.sig !== undefined) {
        key = signedBy(this.posts(h.from, post), [inner.sig], pae("statement", Buffer.from(encode(said))), "");
      }
      const node = inner.sig === undefined && ["remark", "epoch", "card"].includes(h.type) && post === "node";
      if (same && (key || node)) return [what, "", key];
    } catch (why) { if (!(why instanceof Bad)) throw why; }
    return [what, "NOT UNDERSTOOD", ""];
  }
}
function linesOf(data, file) {
  need(data.length > 0 && data[data.length - 1] === 10, file, "its last line is cut off");
  const out = [];
  for (let start = 0; start < data.length;) {
    const end = data.indexOf(10, start), at = `${file}, line ${out.length + 1}`;
    out.push([at, canon(data.subarray(start, end), at)]);
    start = end + 1;
  }
  return out;
}
function readStrand(file, data, members) {
  const out = linesOf(data, file).map(([at, value]) => {
    const line = shaped(value, at, "line"), h = members.header(line.entry, at);
    need(has(line, "body") !== has(line, "left_out"), at, "either a body, or why it was left out");
    const place = file.startsWith(`strands/${h.from}/${h.epoch}/`) && members.agreements.has(h.agr);
    need(place, at, "an entry of another strand, or under an agreement that is not in the bundle");
    let what = null, mark = line.left_out ?? "", post = "";
    need(mark === "" || !["card", "revoke"].includes(h.type), at, "it changes keys, and is left out");
    if (has(line, "body")) {
      const raw = b64(line.body, at);
      need(hex(raw) === h.body_sha256, at, "the body is not the one that its header binds");
      [what, mark, post] = members.body(raw, h);
    }
    const opens = what !== null && h.type === "epoch" && what.kind === "epoch" && h.seq === 1 ? what : {};
    return { ...h, what, mark, post, opens, shown: has(line, "body"), proof: line.proof?.map((p) => b64(p, at, 32)) ?? null, at };
  });
  need(file.endsWith(`/${String(out[0].seq).padStart(8, "0")}.jsonl`), file, "its name is not its first place");
  return out;
}

// --- trees and checkpoints (spec/5) ---
const node = (left, right) => sha256(Buffer.concat([Buffer.from([1]), left, right]));
const leaf = (hash) => sha256(Buffer.concat([Buffer.from([0]), Buffer.from(hash, "hex")]));
function rootOf(hash, index, size, path) {
  let at = index, last = size - 1;
  for (const sibling of path) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      hash = node(sibling, hash);
      while (at % 2 === 0) { at /= 2; last = Math.floor(last / 2); }
    } else {
      hash = node(hash, sibling);
    }
    at = Math.floor(at / 2); last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}
function mth(leaves) {
  if (leaves.length === 1) return leaves[0];
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return node(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}
function readNote(file, data, members) {
  const [, party, epoch, size] = file.replace(/\.txt$/, "").split("/");
  const whole = utf8.decode(data), cut = whole.lastIndexOf("\n\n");
  const text = cut < 0 ? "" : whole.slice(0, cut), rest = cut < 0 ? whole : whole.slice(cut + 2), rows = text.split("\n");
  const good = rows.length === 3 && rows[0] === `wideberth/${members.ch}/${party}/${epoch}` &&
    rows[1] === String(Number(size)) && Number(size) > 0 && rest.endsWith("\n");
  need(good, file, "not a checkpoint, or not the one that its name says");
  const signers = new Map();
  for (const row of rest.slice(0, -1).split("\n")) {
    const parts = row.split(" ");
    need(parts.length === 3 && parts[0] === "\u2014" && parts[1], file, "a signature line of another form");
    const sig = b64(parts[2], file), author = parts[1] === rows[0], who = author ? party : parts[1];
    for (const key of members.nodes(who).map((k) => Buffer.from(k, "base64"))) {
      const id = sha256(Buffer.concat([Buffer.from(parts[1]), Buffer.from(author ? "\n\x01" : "\n\x04"), key]));
      if (!id.subarray(0, 4).equals(sig.subarray(0, 4))) continue;
      const t = author ? null : sig.length >= 12 ? sig.readBigUInt64BE(4) : 0n;
      const message = author ? `${text}\n` : `cosignature/v1\ntime ${t}\n${text}\n`;
      need(ed25519(key, Buffer.from(message), sig.subarray(author ? 4 : 12)), file, `not signed by ${who}`);
      signers.set(who, t);
    }
  }
  need(signers.size, file, "no member of the channel signed it");
  return { file, size: Number(size), root: b64(rows[2], file, 32), signers };
}
function checkStrand(name, lines, files, members, by) {
  for (let i = 1; i < lines.length; i++) {
    const [a, b] = [lines[i - 1], lines[i]];
    need(a.seq < b.seq, b.at, "it stands before one that came earlier, or twice");
    need(a.seq + 1 < b.seq || a.hash === b.prev, b.at, "it does not follow the entry before it");
  }
  const form = new RegExp(`^checkpoints/${name}/[0-9]{10}\\.txt$`);
  const notes = [...files.keys()].filter((f) => form.test(f)).sort(byCode).map((f) => readNote(f, files.get(f), members));
  const closing = notes.at(-1), last = lines.at(-1);
  need(closing !== undefined && closing.signers.has(by), `checkpoints/${name}`, "no closing checkpoint of who exported this");
  need(last.seq <= closing.size, last.at, "it comes after the closing checkpoint");
  if (lines.length === closing.size) {
    const leaves = lines.map((line) => leaf(line.hash));
    for (const n of notes) need(mth(leaves.slice(0, n.size)).equals(n.root), n.file, "its root is not that of the entries");
  } else {
    for (const line of lines) {
      const root = line.proof === null ? null : rootOf(leaf(line.hash), line.seq - 1, closing.size, line.proof);
      need(root !== null && root.equals(closing.root), line.at, "its proof does not lead to the root");
    }
    need(notes.length === 1, notes[0].file, "only a whole strand has more than one checkpoint");
  }
  return notes;
}

// --- what was signed beside the entries (spec/6): time stamps on checkpoints, and split views ---
const IMPRINT = ["", "0500"].map((n) => Buffer.from(`0609608648016503040201${n}0420`, "hex"));
function readStamps(files, notes) {
  const stamps = new Map([...notes.values()].flat().map((n) => [n.file, []]));
  for (const file of [...files.keys()].filter((f) => f.startsWith("stamps/")).sort(byCode)) {
    const on = `checkpoints/${file.slice(7, -21)}.txt`, token = files.get(file), note = files.get(on) ?? Buffer.alloc(0);
    const end = note.lastIndexOf("\n\n"), imprint = sha256(Buffer.concat([note.subarray(0, Math.max(end, 0)), Buffer.from("\n")]));
    const held = IMPRINT.some((head) => token.includes(Buffer.concat([head, imprint])));
    need(stamps.has(on) && file.endsWith(`-${hex(token).slice(0, 16)}.der`) && held, file, "no stamp on a checkpoint here");
    stamps.get(on).push(file);
  }
  return stamps;
}
function readSplits(files, members, strands, notes) {
  return [...files.keys()].filter((f) => f.startsWith("splits/")).sort(byCode).map((file) => {
    const name = file.slice(7, -15), lines = strands.get(name);
    need(lines !== undefined && /^\/[0-9]{10}\.txt$/.test(file.slice(-15)), file, "no strand here that it is about");
    const n = readNote(file, files.get(file), members), whole = lines.length === notes.get(name).at(-1).size;
    const here = whole && n.size <= lines.length ? mth(lines.slice(0, n.size).map((line) => leaf(line.hash))) : n.root;
    need([...n.signers.values()].includes(null) && !here.equals(n.root), file, "it proves no split view");
    return { from: lines[0].from, kind: "root", seq: n.size, first: here.toString("hex"), hash: n.root.toString("hex") };
  });
}

// --- keys change by place (spec/1) ---
function judge(name, strands, members, after) {
  const party = name.split("/")[0], lines = strands.get(name), first = lines[0];
  const cards = [...members.cards.get(party)].sort((a, b) => a.version - b.version);
  let card = cards[0], revoked = new Map();
  const before = first.opens.predecessor, there = isPlace(before) ? `${party}/${before[0]}` : "";
  if (there && (cards.length > 1 || strands.has(there))) {
    need(strands.has(there), "bundle", "the epoch before it is not shown");
    if (!after.has(there)) judge(there, strands, members, after);
    ({ card, revoked } = after.get(there).filter((x) => x.seq <= before[1]).at(-1));
  }
  need(cards.length === 1 || (first.seq === 1 && first.shown), first.at, "its opening is not shown");
  card = members.newer(first.opens.card, card);
  const changes = [{ seq: 0, card, revoked }];
  after.set(name, changes);
  for (const line of lines) {
    need(line.signer === card.node, line.at, "its header is signed with a node key not in force there");
    const cut = line.by.indexOf("/"), post = cut < 0 ? "" : line.by.slice(cut + 1), facts = has(card.posts, post) ? card.posts[post] : {};
    if (line.post && (revoked.has(line.post) || line.post !== facts.key)) {
      const n = revoked.get(line.post);
      line.mark = `NOT UNDERSTOOD${n === undefined ? "" : `: signed with a key that was revoked at entry ${n}`}`;
    } else if (["card", "revoke"].includes(line.type) && line.mark === "") {
      const what = line.what, fields = Object.keys(what).sort().join(), texts = Object.values(what).every((v) => typeof v === "string");
      const next = line.type === "card" && fields === "card,kind" ? members.newer(what.card, card) : card;
      const good = line.type === "revoke" && texts && ["key,kind,post", "key,kind,post,text"].includes(fields) &&
        [...(what.text ?? "")].length <= 280 && facts.supervisor === true && has(card.posts, what.post) &&
        card.posts[what.post].key === what.key && !revoked.has(what.key);
      if (next === card && !good) line.mark = "NOT UNDERSTOOD, or its card is not here";
      if (good) revoked = new Map([...revoked, [what.key, line.seq]]);
      card = next;
      changes.push({ seq: line.seq, card, revoked });
    }
    if (line.mark) line.what = null;
  }
}

// --- the report (spec/6): a function of what is shown ---
const PROOFS = { entry: "EQUIVOCATION", root: "SPLIT VIEW" };
const at = (ms) => (ms >= 0 && ms < 253402300800000 ? new Date(Number(ms)).toISOString().replace("T", " ") : `${ms} ms`);
function thousandth(n, digits = 3) {
  const size = Math.abs(n), unit = 10 ** digits, rest = size % unit;
  return `${n < 0 ? "-" : ""}${(size - rest) / unit}.${String(rest).padStart(digits, "0")}`;
}
function* flat(key, value) {
  const under = (name) => (key ? `${key}.${name}` : String(name));
  if (isObject(value) && Object.keys(value).sort().join() === "mm,ref" && isInt(value.mm) && typeof value.ref === "string") {
    yield [key, ["SFC", "UNL"].includes(value.ref) ? value.ref : `${thousandth(value.mm)} m ${value.ref}`];
  } else if (Array.isArray(value) && value.length === 2 && value.every(isInt)) {
    yield [key, `${thousandth(value[0], 9)} ${thousandth(value[1], 9)}`];
  } else if (Array.isArray(value)) {
    for (const [n, inner] of value.entries()) yield* flat(under(n + 1), inner);
  } else if (isObject(value)) {
    for (const name of Object.keys(value).sort(byCode)) yield* flat(under(name), value[name]);
  } else if (isInt(value) && key.endsWith("_ms")) {
    yield [key, at(value)];
  } else if (isInt(value) && key.endsWith("_mm")) {
    yield [key, `${thousandth(value)} m`];
  } else {
    yield [key, typeof value === "string" ? value : encode(value)];
  }
}
function sketch(what) {
  const floor = (a, b) => (a % b !== 0n && a < 0n !== b < 0n ? a / b - 1n : a / b);
  const mod = (a, b) => a - b * floor(a, b);
  const whole = (n) => { if (!isInt(n)) throw new TypeError("not an integer"); return BigInt(n); };
  const list = (v) => { if (!Array.isArray(v)) throw new TypeError("not a list"); return v; };
  let west = 0n, north = 0n, east = 0n, south = 0n;
  const drawn = [];
  try {
    const shapes = list(what.terms.volumes).map((v) => v.shape);
    const kinds = shapes.map((s) => ({ circle: "centre", polygon: "corners", corridor: "route" })[s.kind]);
    const tracks = shapes.map((s, i) => list(kinds[i] === "centre" ? [s.centre] : s[kinds[i]])
      .map((p) => { if (list(p).length !== 2) throw new TypeError("not a point"); return p.map(whole); }));
    const widths = shapes.map((s) => whole(has(s, "radius_mm") ? s.radius_mm : has(s, "half_width_mm") ? s.half_width_mm : 0));
    const [lat, lng] = tracks[0][0], half = 180n * 10n ** 9n, degrees = (lat < 0n ? -lat : lat) / 10n ** 9n;
    const d = (degrees > 90n ? 90n : degrees) ** 2n;
    for (const [i, track] of tracks.entries()) {
      const xs = track.map(([, x]) => floor((mod(x - lng + half, 2n * half) - half) * 44448n * (8100n - d), (32400n + d) * 10n ** 8n));
      const ys = track.map(([y]) => floor((lat - y) * 11112n, 10n ** 8n)), r = floor(widths[i], 1000n);
      if (xs.length === 0) throw new TypeError("no points");
      for (const x of xs) { if (x - r < west) west = x - r; if (x + r > east) east = x + r; }
      for (const y of ys) { if (y - r < north) north = y - r; if (y + r > south) south = y + r; }
      const way = xs.map((x, n) => `${x},${ys[n]}`).join(" ");
      drawn.push(kinds[i] === "route" ? `<polyline points="${way}" class="w" stroke-width="${2n * r}"/>`
        : kinds[i] === "centre" ? `<circle cx="${xs[0]}" cy="${ys[0]}" r="${r}"/>` : `<polygon points="${way}"/>`);
    }
  } catch (why) { if (why instanceof TypeError) return ""; throw why; }
  const title = `<title>a sketch, north up, ${east - west} m by ${south - north} m</title>`;
  return `<svg viewBox="${west} ${north} ${east - west} ${south - north}">${title}${drawn.join("")}</svg>\n`;
}
const HEAD = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Evidence</title><style>svg{width:20em;height:20em;
fill:#0b5fa522;stroke:#0b5fa5}svg *{vector-effect:non-scaling-stroke}svg .w{fill:none;stroke:#0b5fa544;vector-effect:none;
stroke-linejoin:round;stroke-linecap:round}body{font:14px sans-serif;max-width:60em}p{margin:0;overflow-wrap:anywhere}</style>
`;
function causal(strands) {
  const names = [...strands.keys()].sort(byCode), done = new Map(names.map((n) => [n, 0])), out = [];
  for (;;) {
    const left = names.filter((n) => done.get(n) < strands.get(n).length);
    if (left.length === 0) return out;
    const next = (n) => strands.get(n)[done.get(n)];
    const waits = (n) => Object.entries(next(n).seen).some(([party, [epoch, seq]]) =>
      left.includes(`${party}/${epoch}`) && next(`${party}/${epoch}`).seq <= seq);
    const name = left.find((n) => !waits(n)) ?? left[0];
    out.push(next(name));
    done.set(name, done.get(name) + 1);
  }
}
function report(m, members, strands, notes, stamps, sidecars, places) {
  const a = members.founding, out = [], roots = [...members.roots].sort((x, y) => byCode(x[0], y[0]));
  const total = [...strands.values()].reduce((sum, lines) => sum + lines.length, 0), few = total <= REPORT_ENTRIES_MAX;
  const say = (text, tag = "p") => out.push([tag, tag === "svg" ? text : text.replace(CONTROL, "\ufffd")]);
  say(`Evidence of what passed on ${a.mechanism}`, "h1");
  say(m.scope);
  say(`${a.mode}, ${members.lines.get(members.ch)}, channel ${members.ch}; exported by ${m.from}, ${at(m.t_ms)} by its clock`);
  say(`Selected: ${encode(m.selection)}; release: ${m.release || "not said"}; note: ${m.note || "-"}`);
  say("Fingerprints of the keys: compare them with what you got by another way", "h2");
  for (const [party, root] of roots) say(`${party}: ${hex(root)}`);
  say("How far each strand goes", "h2");
  for (const name of [...notes.keys()].sort(byCode)) {
    const found = notes.get(name), closing = found.at(-1);
    const missing = roots.filter(([p]) => !closing.signers.has(p)).map(([p]) => ` NOT signed by ${p}.`).join("");
    say(`${name}: ${strands.get(name).length} of ${closing.size} entries are here.${missing}`);
    for (const n of found) {
      const who = [...n.signers].sort((x, y) => byCode(x[0], y[0]))
        .map(([p, t]) => (t === null ? `${p} (author)` : `${p} at ${at(t * 1000n)}`));
      say(`${name} up to ${n.size}: signed by ${who.join(", ")}`);
      for (const stamp of stamps.get(n.file)) {
        say(`${stamp}: a time stamp on this. NOT checked here: by whom and when (openssl ts -verify -token_in)`);
      }
    }
  }
  for (const x of m.later.map((x) => shaped(x, "manifest.json", "later"))) {
    say(`LATER, and left out here: ${x.from} ${x.seq}, ${x.type} ${x.ref} ${x.hash}`);
  }
  for (const s of sidecars) {
    if (s.kind === "linecheck-close") {
      const least = BigInt(s.t3_ms) - BigInt(s.t4_ms) - 1n, most = BigInt(s.t2_ms) - BigInt(s.t1_ms) + 1n;
      say(`${s.from}, ${at(s.t1_ms)}: the clock of ${s.to} is ahead by ${least} to ${most} ms`);
    }
    for (const [party, held] of Object.entries(s.holds ?? {}).sort((x, y) => byCode(x[0], y[0]))) {
      for (const [epoch, seq, hash] of held) {
        const other = (places.get(`${party}/${epoch}/${seq}`) ?? hash) === hash ? "" : `, but ANOTHER entry than the one here: ${hash}`;
        say(`${s.from}, ${at(s.t_ms)} by its clock: it holds ${party}/${epoch} up to ${seq}${other}`);
      }
    }
    if (has(PROOFS, s.kind)) say(`${PROOFS[s.kind]}: ${s.from} signed ${s.first} and ${s.hash} for ${s.kind} ${s.seq}`);
  }
  say(`What was said: ${total} entries, in an order that no clock decided`, "h2");
  say(few ? "Of every acknowledgement: This records receipt only." : "They are too many to show here.");
  for (const line of few ? causal(strands) : []) {
    say(`${line.from} ${line.seq}: ${line.type} by ${line.by}`, "h3");
    say(`${at(line.t_ms)} by the clock of ${line.from}, ${line.hash}`);
    const held = new Map();
    for (const s of sidecars) {
      if (s.kind === "receipt" && s.of === line.from && s.epoch === line.epoch && s.seq >= line.seq) {
        const key = `${s.level} by ${s.from}`;
        held.set(key, Math.min(s.t_ms, held.get(key) ?? s.t_ms));
      }
    }
    for (const key of [...held.keys()].sort(byCode)) say(`${key}, ${at(held.get(key))} by its clock`);
    for (const [key, value] of line.what ? flat("", line.what) : [["its body", line.mark]]) say(`${key}: ${value}`);
    say(sketch(line.what), "svg");
  }
  const sign = { h1: "", h2: "\n== ", h3: "\n-- ", p: "" };
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  const safe = (text) => text.replace(/[&<>"']/g, (c) => signs[c]);
  const page = out.map(([tag, text]) => (tag === "svg" ? text : `<${tag}>${safe(text)}</${tag}>\n`)).join("");
  return [HEAD + page, out.filter(([tag]) => tag !== "svg").map(([tag, text]) => `${sign[tag]}${text}\n`).join("")];
}

function examine(files, m, members) {
  need(members.lines.has(m.ch), "agreements/1.json", "the founding agreement is missing, or of another channel");
  members.ch = m.ch;
  const names = [...files.keys()].filter((f) => /^strands\/[A-Z0-9-]+\/[0-9a-f]{32}\/[0-9]{8}\.jsonl$/.test(f)).sort(byCode);
  const strands = new Map(), notes = new Map(), places = new Map(), after = new Map(), sidecars = [];
  for (const file of names) {
    const name = file.slice(8, -15);
    strands.set(name, [...(strands.get(name) ?? []), ...readStrand(file, files.get(file), members)]);
  }
  for (const [name, lines] of strands) {
    notes.set(name, checkStrand(name, lines, files, members, m.from));
    if (!after.has(name)) judge(name, strands, members, after);
    for (const x of lines) places.set(`${x.from}/${x.epoch}/${x.seq}`, x.hash);
  }
  const beside = files.get("sidecars.jsonl");
  for (const [here, value] of beside === undefined ? [] : linesOf(beside, "sidecars.jsonl")) {
    let said, same;
    if (has(value, "first")) {
      shaped(value, here, "equivocation");
      const [one, two] = [members.header(value.first, here), members.header(value.second, here)];
      same = one.from === two.from && one.epoch === two.epoch && one.seq === two.seq && one.hash !== two.hash;
      said = { ...two, kind: "entry", first: one.hash };
    } else {
      const kind = shaped(value, here, "envelope").payloadType.slice(26, -5);
      said = { ...members.said(value, kind, here), kind };
      const held = places.get(`${said.of}/${said.epoch}/${said.seq}`);
      same = kind.startsWith("linecheck-") || (kind === "receipt" && (held === undefined || held === said.head)) ||
        (kind === "heads" && Object.values(said.holds).every((ps) => Array.isArray(ps) && ps.every(isPlace)));
    }
    need(same, here, "not a line check, nor a receipt for what stands there, nor two entries for one place");
    sidecars.push(said);
  }
  const stamps = readStamps(files, notes), splits = readSplits(files, members, strands, notes);
  const known = new Set([...names, ...stamps.keys(), "sidecars.jsonl", "report.html", "report.txt", "verify.py"]);
  for (const file of [...files.keys()].sort(byCode)) {
    need(known.has(file) || /^(?:agreements|cards|stamps|splits)\//.test(file), file, "it does not belong in a bundle");
  }
  const told = sidecars.filter((s) => s.kind !== "receipt" || places.has(`${s.of}/${s.epoch}/${s.seq}`)).concat(splits);
  const marks = [...strands.values()].flat().filter((x) => x.mark && x.mark !== "ANCHOR").map((x) => `${x.at}: ${x.mark}`);
  for (const s of told) if (has(PROOFS, s.kind)) marks.push(`${PROOFS[s.kind]} of ${s.from} at ${s.kind} ${s.seq}`);
  return { roots: members.roots, entries: places.size, marks, reports: report(m, members, strands, notes, stamps, told, places) };
}

export function judged(data, trust = []) {
  try {
    const files = unpack(data), manifest = files.get("manifest.json") ?? Buffer.alloc(0);
    files.delete("manifest.json");
    const value = canon(manifest, "manifest.json"), members = new Members(files);
    const m = opened(value, "manifest", "manifest.json", (m) => [members.nodes(m.from)]);
    for (const file of [...new Set([...files.keys(), ...Object.keys(m.files)])].sort(byCode)) {
      need(files.has(file), file, "it is missing");
      const listed = [hex(files.get(file)), files.get(file).length];
      need(has(m.files, file) && encode(m.files[file]) === encode(listed), file, "it is not the one in the manifest");
    }
    const found = examine(files, m, members);
    for (const [i, file] of ["report.html", "report.txt"].entries()) {
      need(files.get(file)?.equals(Buffer.from(found.reports[i])), file, "it does not say what the entries say");
    }
    const mine = new Map([...found.roots].map(([party, root]) => [hex(root), party]));
    for (const t of trust) need(mine.has(t.toLowerCase()), "agreements/1.json", `no party here has the fingerprint ${t}`);
    return {
      verdict: trust.length ? "trusted" : "integrity only", exported_by: m.from, entries: found.entries,
      files: files.size, later: m.later, marks: found.marks,
    };
  } catch (why) {
    if (why instanceof Bad) return { verdict: "refused", file: why.file, why: why.message };
    return { verdict: "refused", file: "bundle", why: `something in it is not of the right form: ${why.message}` };
  }
}

const trust = [], bundles = [];
for (let i = 2; i < process.argv.length; i++) {
  if (process.argv[i] === "--trust") trust.push(process.argv[++i]); else bundles.push(process.argv[i]);
}
for (const file of bundles) console.log(JSON.stringify(judged(readFileSync(file), trust)));
