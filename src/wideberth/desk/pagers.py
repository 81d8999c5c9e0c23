# SPDX-License-Identifier: Apache-2.0
"""Waking people up: a reference and an urgency to an address, and nothing else (docs/decisions/0009).

    await pagers.wake("https://hook.example/anna", Wake("DSK-0001-C", "FLASH"))

`https:` is a webhook, `mailto:` a mail by SMTP; any other address goes through `apprise` (the extra `page`), where that
is switched on. Each call runs on threads of its own, so that a pager that hangs holds up neither the node nor the
others for longer than its time. What fails is said by a Fault with the reason; the desk goes on to the next rung.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from wideberth.config import is_loopback
from wideberth.errors import BadInput, Fault, Worlds
from wideberth.folder import check_private
from wideberth.formats.desk import DeskSettings, Smtp

# A pager that has not taken a call by then has failed: well before the next rung.
TIMEOUT_S: Final = 8.0
# Pagers that hang hold a thread each.
_THREADS_MOST: Final = 64
SUBJECT: Final = "wideberth"


class Wake(msgspec.Struct, frozen=True):
    """All that a wake-up says."""

    reference: str
    urgency: str

    @property
    def sentence(self) -> str:
        return f"{self.urgency} {self.reference}: look at your desk."


class Pagers:
    """`folder`: where the password file lies. `settings` may change while it runs."""

    def __init__(self, folder: Path, settings: DeskSettings) -> None:
        self._folder = folder
        self.settings = settings
        self._busy = 0

    async def wake(self, address: str, wake: Wake) -> None:
        """Returns when the other end has taken it. Raises BadInput for an address that cannot be, Worlds else."""
        if self._busy >= _THREADS_MOST:
            raise Worlds(f"{self._busy} pagers hang already; see to them, or name others")
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def work() -> None:
            fault: Exception | None = None
            try:
                self._wake(address, wake)
            except Exception as why:
                fault = why
            with contextlib.suppress(RuntimeError):  # the node has ended meanwhile
                loop.call_soon_threadsafe(finish, fault)

        def finish(fault: Exception | None) -> None:
            self._busy -= 1
            if done.done():
                return
            if fault is None:
                done.set_result(None)
            else:
                done.set_exception(fault)

        self._busy += 1
        # Of its own, and no reason for the process to live on: looking a name up has no time limit.
        threading.Thread(target=work, name="pager", daemon=True).start()
        try:
            await asyncio.wait_for(done, TIMEOUT_S + 1)
        except TimeoutError:
            raise Worlds(f"the pager did not take it within {TIMEOUT_S:.0f} s") from None

    def _wake(self, address: str, wake: Wake) -> None:
        try:
            match address.partition(":")[0]:
                case "https" | "http":
                    _webhook(address, wake)
                case "mailto":
                    self._mail(address.removeprefix("mailto:"), wake)
                case _:
                    self._apprise(address, wake)
        except Fault:
            raise
        except (OSError, smtplib.SMTPException, ValueError) as why:
            raise Worlds(f"the pager failed: {str(why)[:200] or type(why).__name__}") from None

    def _mail(self, to: str, wake: Wake) -> None:
        smtp = self.settings.smtp
        if smtp is None:
            raise BadInput("desk.toml has no [smtp], so no mail can be sent", field="smtp")
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = SUBJECT, smtp.sender, to
        message.set_content(wake.sentence)
        context = ssl.create_default_context()
        client: smtplib.SMTP
        if smtp.security == "tls":
            client = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_S, context=context)
        else:
            client = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_S)
        with client:
            if smtp.security == "starttls":
                client.starttls(context=context)
            if smtp.user:
                client.login(smtp.user, self._password(smtp))
            client.send_message(message)

    def _password(self, smtp: Smtp) -> str:
        if not smtp.password_file:
            return ""
        file = self._folder / smtp.password_file
        check_private(file)
        return file.read_text("utf-8").strip()

    def _apprise(self, address: str, wake: Wake) -> None:
        if not self.settings.apprise:
            raise BadInput(
                f"an address such as {address.partition(':')[0]}: needs `apprise = true` in desk.toml", field="apprise"
            )
        try:
            import apprise  # lazy: an extra, and slow to load
        except ImportError:
            raise BadInput("install the extra `page` (`pip install 'wideberth[page]'`)", field="apprise") from None
        sender: Any = apprise.Apprise()
        if not sender.add(address):
            raise BadInput("apprise does not know this kind of address", field="pages")
        if not sender.notify(body=wake.sentence, title=SUBJECT):
            raise Worlds("the messenger did not take it")


class _Stays(urllib.request.HTTPRedirectHandler):
    """A hook that moved is a hook that failed: the wake-up goes to nobody whom the settings do not name."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _webhook(address: str, wake: Wake) -> None:
    """One POST, straight to the address, by no proxy."""
    url = urlsplit(address)
    if url.scheme != "https" and not is_loopback(url.hostname or ""):
        raise BadInput("a hook has an https:// address; http:// only on this machine", field="pages")
    data = json.dumps({"reference": wake.reference, "urgency": wake.urgency}).encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        address, data, {"content-type": "application/json", "user-agent": "wideberth"}, method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stays())
    try:
        with opener.open(request, timeout=TIMEOUT_S) as reply:
            reply.read(1024)
    except urllib.error.HTTPError as why:
        raise Worlds(f"the hook answered {why.code}") from None
