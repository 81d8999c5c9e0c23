# SPDX-License-Identifier: Apache-2.0
"""A node's settings: TOML in, a value or a complaint that names every bad key out.

    party = "BLUE"                              # the name that the agreement gives this party
    listen = "0.0.0.0:7443"                     # where the node listens for peers
    public_url = "https://blue.example:7443"    # where peers find it; empty when it only calls out
    posts = ["watch-1", "watch-2", "supervisor"]
    contact = "+00 00 000 000, watch room"      # for the phone card
    time_zone = "UTC"                           # for screens; what is signed is always UTC
    languages = ["en"]
    units = "aviation"                          # aviation: NM and feet; metric: km and metres
    holdoff = "+2h"                             # how long a hold-off stands that does not say until when
    tsa = ["https://tsa.example/tsr"]           # optional: who stamps our checkpoints with their time (RFC 3161)
    tsa_roots = ["tsa-root.pem"]                # files in this folder: the roots that those must stand under

No setting makes a safety message wait for a person's leave (domain.md B5). A key that would, at any depth and with any
value, is refused with the reason. This file imports nothing heavy: every command reads it.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from wideberth.core.limits import KIB, NAME_CHARS_MAX, TEXT_CHARS_MAX
from wideberth.errors import BadInput

# The longest configuration, with 64 posts, is under 5 KiB; what is far beyond is something else put in its place.
CONFIG_BYTES_MAX: Final = 16 * KIB
POSTS_MAX: Final = 64
_DEPTH_MAX: Final = 16  # no setting of ours is nested at all
LANGUAGES_MAX: Final = 16
TSA_MAX: Final = 4  # our own, one or two that the peers trust, and one to move to
UNITS: Final = ("aviation", "metric")
# Long enough to bring people out, short enough that one which everybody forgot does not teach others to ignore them; it
# rings at its author a quarter of an hour before it ends, and is extended with one command.
HOLDOFF: Final = "+2h"

_POST: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_POST_CHARS_MAX: Final = 40
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)  # the shape of RFC 5646, not its registry
_FILE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", re.ASCII)  # no folder, nothing hidden
_SPAN: Final = re.compile(r"\+[1-9]\d{0,3}[hm]", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)

# Stems of settings that would put a person's leave before a warning, looked for in keys with all but letters removed.
# The failures behind this: 27 minutes waiting for one man (F2), a line that needed talks before it could be used (F13).
_LEAVE: Final = re.compile(
    r"approv|authori[sz]|preauth|permission|permit|consent|clearance|signoff|countersign|foureyes"
    r"|two(person|man|men|officer)|dual(control|key|person)|second(person|officer|signature)"
    r"|releas(e|ed|ing)(by|only|after|requir|officer|author)|requir(e|es|ed)releas|releaser"
    r"|hold(until|before)|waitfor|requir(e|es|ed)(a)?(supervisor|commander|officer|superior)"
    r"|(supervisor|commander|officer|superior)(is)?requir|mustbe(released|confirmed)|confirmbefore|priorconfirm"
)

_NEVER: Final = (
    "refused, whatever its value: any officer on watch may send a safety message at once, and a warning that waits for "
    "somebody's leave comes too late (B5). Delete this line"
)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """See the module. Constructing one checks it. Raises: BadInput; its `details["fields"]` has a sentence per key."""

    party: str
    listen: str = "127.0.0.1:7443"
    public_url: str = ""
    posts: tuple[str, ...] = ("watch-1",)
    contact: str = ""
    time_zone: str = "UTC"
    languages: tuple[str, ...] = ("en",)
    units: str = "aviation"
    holdoff: str = HOLDOFF
    tsa: tuple[str, ...] = ()
    tsa_roots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _complain(_problems({key: getattr(self, key) for key in self.__struct_fields__}))

    @property
    def listen_host(self) -> str:
        return split_listen(self.listen)[0]

    @property
    def listen_port(self) -> int:
        return split_listen(self.listen)[1]


def read_config(text: str) -> Config:
    """The configuration written in `text`. Raises: BadInput naming every bad, unknown, missing or refused key."""
    if len(text) > CONFIG_BYTES_MAX:
        raise BadInput(f"config.toml is longer than {CONFIG_BYTES_MAX} bytes; this is not a configuration")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"config.toml is not TOML: {str(error) or 'nested too deep'}") from None
    fields = dict.fromkeys(_keys_that_need_leave(table), _NEVER)
    known = Config.__struct_fields__
    for key in table:
        if key not in known and not any(path == key or path.startswith((key + ".", key + "[")) for path in fields):
            fields[key] = f"there is no such setting; there are {', '.join(known)}"
    if "party" not in table:
        fields["party"] = "is missing: the name that the agreement gives this party"
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items() if k in known and k not in fields}
    _complain(fields | _problems(values))
    return msgspec.convert(values, Config)


def write_config(config: Config) -> str:
    """The TOML that `read_config` reads back to the same value."""
    lines = ["# wideberth: settings of this node. Every key is explained in the manual under `Configuration`."]
    for key in config.__struct_fields__:
        value = getattr(config, key)
        shown = f"[{', '.join(map(_quote, value))}]" if isinstance(value, tuple) else _quote(value)
        lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


def check_post(name: str) -> None:
    """Raises: BadInput unless `name` can be a post (it becomes part of `PARTY/post` and of a file's name)."""
    if len(name) > _POST_CHARS_MAX or not _POST.fullmatch(name):
        raise BadInput(
            f"a post is named in lower-case letters, digits and single hyphens, such as watch-2; not {name[:40]!r}",
            field="posts",
        )


def _quote(text: str) -> str:
    # A TOML basic string is a JSON string, but that it also escapes DEL (TOML 1.0, "String").
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _complain(fields: dict[str, str]) -> None:
    if fields:
        told = "; ".join(f"{key}: {sentence}" for key, sentence in fields.items())
        raise BadInput(f"the configuration cannot be used. {told}", field=next(iter(fields)), fields=fields)


def keys_that_need_leave(table: dict[str, Any]) -> list[str]:
    """For the other files of the folder: a sentence for every key that `read_config` would refuse as such.

    Raises: BadInput when nested too deep."""
    return [f"{path}: {_NEVER}" for path in _keys_that_need_leave(table)]


def _keys_that_need_leave(table: dict[str, Any]) -> list[str]:
    """Dotted paths of all keys, at any depth, that name a leave to be given. Raises: BadInput when nested too deep."""
    found: list[str] = []
    ahead: list[tuple[str, Any, int]] = [("", table, 0)]
    while ahead:
        path, value, depth = ahead.pop()
        if depth > _DEPTH_MAX:
            raise BadInput("config.toml is nested too deep; this is not a configuration")
        if isinstance(value, dict):
            for key, inner in value.items():
                here = f"{path}.{key}" if path else key
                if _LEAVE.search("".join(filter(str.isalpha, key.casefold()))):
                    found.append(here)
                else:
                    ahead.append((here, inner, depth + 1))
        elif isinstance(value, list):
            ahead += [(f"{path}[{n}]", inner, depth + 1) for n, inner in enumerate(value)]
    return found


def _problems(values: dict[str, Any]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for key, value in values.items():
        try:
            _CHECKS[key](value)
        except ValueError as error:
            fields[key] = str(error)
    if values.get("tsa") and not values.get("tsa_roots") and "tsa" not in fields:
        fields["tsa_roots"] = "must name the root certificates of `tsa`; no stamp is worth more than its root"
    return fields


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text in quotation marks")
    if len(value) > most:
        raise ValueError(f"has at most {most} characters, not {len(value)}")
    if not value.isprintable() or value != value.strip() or unicodedata.normalize("NFC", value) != value:
        raise ValueError("is printable text in NFC, without spaces at its ends")
    return value


def _check_party(value: Any) -> None:
    if not _text(value, NAME_CHARS_MAX) or "/" in value:
        raise ValueError("is a name of at least one character, without a slash (posts are written PARTY/post)")


def split_listen(value: str) -> tuple[str, int]:
    """Host and port of a `listen` address. Raises: ValueError (BadInput is one), in words."""
    host, colon, port = value.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not (port.isascii() and port.isdecimal()) or len(port) > 5 or int(port) > 65535:
        raise ValueError("is host:port, such as 0.0.0.0:7443 or [::]:7443; port 0 takes any free one")
    if "[" in host or "]" in host or any(c.isspace() or c in "/@" for c in host):
        raise ValueError("names a host that cannot be one")
    return host, int(port)


def _check_listen(value: Any) -> None:
    split_listen(_text(value, 260))


def _check_public_url(value: Any) -> None:
    if not _text(value, 300):
        return
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    plain = url.path in ("", "/") and not (url.query or url.fragment or url.username or url.password)
    if url.scheme != "https" or not url.hostname or not plain or port == 0 or any(c.isspace() for c in value):
        raise ValueError("is https://host:port without a path, such as https://blue.example:7443, or empty")


def _several(value: Any, most: int, least: int = 1) -> tuple[str, ...]:
    if not isinstance(value, tuple) or not all(isinstance(v, str) for v in value):
        raise ValueError('must be a list of texts, such as ["one", "two"]')
    if not least <= len(value) <= most:
        raise ValueError(f"has {least} to {most} values, not {len(value)}")
    if len(set(value)) != len(value):
        raise ValueError("names something twice")
    return value


def _check_posts(value: Any) -> None:
    for name in _several(value, POSTS_MAX):
        check_post(name)


def _check_languages(value: Any) -> None:
    for tag in _several(value, LANGUAGES_MAX):
        if not _LANGUAGE.fullmatch(tag):
            raise ValueError(f"has language tags such as en, ar or zh-Hant, not {tag[:40]!r}")


def _check_time_zone(value: Any) -> None:
    if _text(value, NAME_CHARS_MAX) == "UTC":
        return
    from zoneinfo import ZoneInfo  # lazy: reads files

    try:
        if not _ZONE.fullmatch(value):
            raise ValueError
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("is a zone of the IANA data base on this machine, such as Asia/Damascus, or UTC") from None


def _check_contact(value: Any) -> None:
    _text(value, TEXT_CHARS_MAX)


def _check_units(value: Any) -> None:
    if value not in UNITS:
        raise ValueError(f"is one of {', '.join(UNITS)}")


def _check_holdoff(value: Any) -> None:
    if not _SPAN.fullmatch(_text(value, 10)):
        raise ValueError('is from now, such as "+2h" or "+90m"')


def _check_tsa(value: Any) -> None:
    for text in _several(value, TSA_MAX, 0):
        _text(text, 300)
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError:
            url, port = urlsplit(""), None
        sound = url.hostname and not (url.username or url.password or url.fragment) and port != 0 and " " not in text
        if not sound or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))):
            raise ValueError("has https:// addresses, such as https://tsa.example/tsr; http:// only on this machine")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_tsa_roots(value: Any) -> None:
    for name in _several(value, TSA_MAX * 2, 0):
        if not _FILE.fullmatch(name):
            raise ValueError(f"has names of files in the node's folder, such as tsa-root.pem, not {name[:40]!r}")


_CHECKS: Final[dict[str, Callable[[Any], None]]] = {
    "party": _check_party,
    "listen": _check_listen,
    "public_url": _check_public_url,
    "posts": _check_posts,
    "contact": _check_contact,
    "time_zone": _check_time_zone,
    "languages": _check_languages,
    "units": _check_units,
    "holdoff": _check_holdoff,
    "tsa": _check_tsa,
    "tsa_roots": _check_tsa_roots,
}
assert set(_CHECKS) == set(Config.__struct_fields__)
