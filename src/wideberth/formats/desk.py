# SPDX-License-Identifier: Apache-2.0
"""How the desk wakes people up, as a file: `desk.toml` in the node's folder. Without it nobody is called outside.

wake = true                         # call people outside the room at all
outside = ["line", "units"]         # for what: the line, own units, own plans (docs/decisions/0009)
apprise = false                     # whether pages may go by messengers (the extra `page`)

[smtp]                              # for pages such as mailto:anna@example
host = "mail.example"
port = 587
security = "starttls"               # starttls, tls; none only on this machine
sender = "watch@blue.example"
user = "watch"                      # with a password file in the node's folder, or none
password_file = "smtp-password"
"""

from __future__ import annotations

import tomllib
from typing import Any, Final, Literal

import msgspec

from wideberth.config import is_loopback, keys_that_need_leave
from wideberth.core.limits import KIB
from wideberth.errors import BadInput

DESK_BYTES_MAX: Final = 16 * KIB
Outside = Literal["line", "units", "plans"]


class Smtp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How mail leaves; see the module."""

    host: str
    sender: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""

    def __post_init__(self) -> None:
        if not self.host or "@" not in self.sender or not 0 < self.port < 65_536:
            raise BadInput("mail needs a host, a port and a sender such as watch@blue.example", field="smtp")
        if self.security == "none" and not is_loopback(self.host):
            raise BadInput("mail leaves this machine only by starttls or tls", field="smtp")
        if "/" in self.password_file or self.password_file.startswith("."):
            raise BadInput("the password file is a name in the node's folder", field="smtp")


class DeskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module. `outside`: what people are woken up for; what rings otherwise rings at terminals only."""

    wake: bool = False
    outside: tuple[Outside, ...] = ("line",)
    apprise: bool = False
    smtp: Smtp | None = None


def read_desk(text: str) -> DeskSettings:
    """Raises BadInput, in words; a setting that would make a warning wait for somebody's leave is refused (B5)."""
    if len(text) > DESK_BYTES_MAX:
        raise BadInput(f"desk.toml has at most {DESK_BYTES_MAX} bytes", field="desk")
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"desk.toml is not TOML: {str(error) or 'nested too deep'}", field="desk") from None
    if refused := keys_that_need_leave(table):
        raise BadInput(f"desk.toml cannot be used. {'; '.join(refused)}", field="desk")
    try:
        return msgspec.convert(table, DeskSettings)
    except msgspec.ValidationError as error:
        raise BadInput(f"desk.toml cannot be used: {error}", field="desk") from None
