# SPDX-License-Identifier: Apache-2.0
"""Keys of ours that change, over the node's local socket (docs/decisions/0008).

POST   /v1/keys/card     {"card": envelope as text, "by": post or ""}: a card that our root signed; its keys are in the
                         folder. On every line that this root signed for it holds from the next entry on
POST   /v1/keys/revoke   {"post", "by": a supervisor's post, "text"}: that post's key is out of use, on every line
GET    /v1/keys          line by line which card of ours holds, and which keys were taken out of use

Both answer with the entries that were written, once they are durable: `[{"ch", "entry", "kind", "by"}]`. Asked again,
they write what is missing and nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request

from wideberth.core.node import Node
from wideberth.errors import BadInput, NotFound
from wideberth.web.keeping import post_passphrase

Asked = Callable[[Request], Awaitable[dict[str, Any]]]
Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class KeyChanger(Protocol):
    """What these routes need of a running node."""

    @property
    def node(self) -> Node: ...

    async def change_card(self, by: str, card: bytes) -> list[dict[str, Any]]: ...

    async def revoke_key(self, by: str, post: str, text: str, passphrase: str = "") -> list[dict[str, Any]]: ...


def keys_table(service: KeyChanger, asked: Asked) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`; `asked` reads the JSON object of a request."""

    def by(body: dict[str, Any]) -> str:
        post = _text(body, "by")
        return post if not post or "/" in post else f"{service.node.party}/{post}"

    async def card(request: Request) -> Any:
        body = await asked(request)
        return await service.change_card(by(body), _text(body, "card").encode())

    async def revoke(request: Request) -> Any:
        body = await asked(request)
        post = _text(body, "post")
        if not _text(body, "by"):
            raise BadInput("say which supervisor revokes it: --as supervisor", field="by")
        try:
            return await service.revoke_key(by(body), post, _text(body, "text"), post_passphrase(request))
        except NotFound:
            if _revoked(service.node, post.rpartition("/")[2]):
                return []  # it was done before
            raise

    async def keys(request: Request) -> Any:
        found = []
        for ch, line in service.node.lines.items():
            at, _ = line.keys.next()
            posts = {name: {"key": p.key, "revoked": p.key in at.revoked} for name, p in at.card.posts.items()}
            found.append({
                "ch": ch, "mechanism": line.channel.agreement.mechanism, "root": at.card.root,
                "version": at.card.version, "node": at.card.node, "posts": posts, "revoked": sorted(at.revoked),
                "can_sign": line.keys.can_sign,
            })  # fmt: skip
        return found

    return (("POST", "/v1/keys/card", card), ("POST", "/v1/keys/revoke", revoke), ("GET", "/v1/keys", keys))


def _revoked(node: Node, post: str) -> bool:
    """Whether the key that a post has on any line of ours was taken out of use."""
    held = [line.keys.next()[0] for line in node.lines.values()]
    return any(post in keys.card.posts and keys.card.posts[post].key in keys.revoked for keys in held)


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field, "")
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value
