# SPDX-License-Identifier: Apache-2.0
"""How two things that meet could be kept apart, worked out in the process of whoever looks (core/judge/remedies.py).

Of two notices: from the notices alone, so both ends come to the same. Of an own plan: for this screen, and no command
takes any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wideberth.errors import BadInput

if TYPE_CHECKING:
    from wideberth.cli.client import Client
    from wideberth.core.judge.remedies import Tried
    from wideberth.core.say.volume import Volume4D


def of_notices(client: Client, view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For both notices of a conflict, the one that is asked to move first."""
    from wideberth.core.judge.remedies import remedies

    now_ms = int(client.get("/v1/status")["t_ms"])
    asked = view["moves"]
    notices = sorted(view["notices"], key=lambda n: (n["author"], n["ref"]) != (asked["author"], asked["ref"]))
    found = []
    for mine, other in (notices, notices[::-1]):
        tried = remedies(
            _volumes(client, view, mine), _volumes(client, view, other), **_numbers(view["rule"], now_ms)
        )  # fmt: skip
        found += _views(tried, mine["ref"], asked=mine is notices[0])
    return found


def one_way(client: Client, view: Mapping[str, Any], how: str, moves: str) -> tuple[dict[str, Any], list[Any]]:
    """The notice that would move, and its volumes then. Raises BadInput where there is no such way out."""
    import msgspec

    from wideberth.core.judge.remedies import remedy
    from wideberth.core.say.conflict import How

    if not view["stands"]:
        raise BadInput("one of the two notices has a newer version, or is over: look at `conflicts` again", field="ref")
    wanted = moves.upper() or view["moves"]["ref"]
    mine = next((n for n in view["notices"] if wanted in (n["ref"], n["author"].upper())), None)
    if mine is None:
        refs = " or ".join(n["ref"] for n in view["notices"])
        raise BadInput(f"{moves} is neither of the two: {refs}", field="moves")
    other = next(n for n in view["notices"] if n is not mine)
    now_ms = int(client.get("/v1/status")["t_ms"])
    tried = remedy(
        How(how), _volumes(client, view, mine), _volumes(client, view, other), **_numbers(view["rule"], now_ms)
    )  # fmt: skip
    if tried.remedy is None:
        raise BadInput(f"{mine['ref']} cannot go {how}: {tried.why}", field="how")
    return mine, msgspec.to_builtins(tried.remedy.volumes)


def of_row(client: Client, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For one row of `conflicts`. Between two mechanisms, and for a track, nothing is worked out."""
    if row.get("kind") == "CROSSING" and row.get("shared"):
        return of_notices(client, row["shared"])
    if row.get("kind") != "EXPOSURE":
        return []
    import msgspec

    from wideberth.core.judge.remedies import remedies
    from wideberth.core.say.volume import Volume4D

    plan = next((p for p in client.get("/v1/plans") if p["id"] == row["plan"]), None)
    if plan is None or not plan.get("volumes"):
        return []
    notice = {"ref": row["ref"], "version": row["version"]}
    tried = remedies(
        tuple(msgspec.convert(plan["volumes"], list[Volume4D])), _volumes(client, row, notice),
        **_numbers(client.get(f"/v1/rule/{row['ref']}", line=row["ch"]), int(client.get("/v1/status")["t_ms"])),
    )  # fmt: skip
    return _views(tried, f"plan {plan['label']}", asked=False)


def _numbers(rule: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    import msgspec

    from wideberth.core.say.minima import SeparationMinima

    return {
        "minima": msgspec.convert(rule["minima"], SeparationMinima),
        "pressure_margin_mm": rule["pressure_margin_mm"],
        "least_radius_mm": rule["least_radius_mm"],
        "not_before_ms": now_ms + rule["lead_ms"],
    }


def _volumes(client: Client, view: Mapping[str, Any], notice: Mapping[str, Any]) -> tuple[Volume4D, ...]:
    import msgspec

    from wideberth.core.say.volume import Volume4D

    versions = client.get(f"/v1/notices/{notice['ref']}", line=view["ch"])["versions"]
    version = next(v for v in versions if v["version"] == notice["version"])
    return tuple(msgspec.convert(version["terms"]["volumes"], list[Volume4D]))


def _views(tried: tuple[Tried, ...], of: str, *, asked: bool) -> list[dict[str, Any]]:
    """`size` is 0, and `says` why, where there is no such way out."""
    return [
        {
            "of": of, "asked": asked, "how": each.how.value,
            "size": each.remedy.size if each.remedy is not None else 0,
            "says": each.remedy.sentence if each.remedy is not None else each.why,
        }
        for each in tried
    ]  # fmt: skip


def as_proposed(client: Client, ref: str, conflict: str, line: str) -> dict[str, Any]:
    """The command that amends our notice to the volumes of the newest proposal for it. Raises BadInput where nobody
    proposed any, or where one of the two has changed since."""
    view = client.get(f"/v1/conflicts/{conflict}", line=line)
    notice = client.get(f"/v1/notices/{ref}", line=view["ch"])
    proposals = [each for each in view["proposals"] if each["moves"] == notice["ref"]]
    if not proposals:
        raise BadInput(f"nobody has proposed anything for {notice['ref']} in {view['conflict']}", field="proposed")
    if not view["stands"]:
        raise BadInput("one of the two notices has a newer version, or is over: look at `conflicts` again",
                       field="proposed")  # fmt: skip
    volumes = max(proposals, key=lambda each: int(each["t_ms"]))["volumes"]
    terms = notice["versions"][-1]["terms"]
    expires_ms = max(terms["expires_ms"], *(volume["end_ms"] for volume in volumes))
    terms = {**terms, "volumes": volumes, "expires_ms": expires_ms}
    return {"command": "revise", "ch": view["ch"], "ref": notice["ref"], "how": "amend", "terms": terms}
