# SPDX-License-Identifier: Apache-2.0
"""Every verb typed wrongly once: a clear sentence, the documented exit code, no traceback, and nothing sent."""

import json

import pytest

from tests.cli.cliworld import wideberth
from wideberth.cli import exits

# (arguments, exit code, words of the sentence). BLU-9999-N is well spelled, and nobody gave it.
SLIPS = [
    (("nonsense",), 2, "No such command"),
    (("status", "--loud"), 2, "No such option"),
    (("watch", "BLU-9999-N"), 2, "unexpected extra argument"),
    (("roster", "there-is-no-such-file.toml"), 4, "there is no roster"),
    (("roster", "--days", "0"), 2, "greater than or equal to 1"),
    (("alert", "--text", "x"), 2, "No such option"),
    (("accident", "--at", "the bridge", "--until", "+6h"), 3, "'the bridge' is not a place"),
    (("accident", "--at", "41N 38W", "--until", "tomorrow"), 3, "'tomorrow' is not a time"),
    (("accident", "--at", "41N 38W", "--until", "+6h", "--kind", "BOATS"), 3, "none of CREWED_AIRCRAFT"),
    (("distress", "--until"), 2, "requires an argument"),
    (("ack",), 2, "Missing argument"),
    (("ack", "BLU-0042-A"), 3, "check letter"),
    (("ack", "ALERT-00000000"), 4, "there is no notice ALERT-00000000"),
    (("ack", "x/../y?z#"), 4, "there is no notice"),
    (("readback", "BLU-9999-N", "--point", "somewhere"), 3, "is not a place"),
    (("insufficient", "BLU-9999-N"), 2, "Missing option"),
    (("object", "BLU-9999-N"), 2, "Missing option"),
    (("refuse", "BLU-0001"), 3, "is not a reference"),
    (("relay", "BLU-9999-N", "--count", "three"), 3, "such as 3/4"),
    (("relay", "BLU-9999-N", "--count", "5/4"), 4, "BLU-9999-N"),
    (("nil", "--until", "2031-05-14T12:00"), 3, "has no zone"),
    (("outage", "--from", "+2h", "--until", "2031-05-14T10:00Z"), 3, "must end after it starts"),
    (("voice", "all well", "--ref", "BLU-0001-X"), 3, "check letter"),
    (("voice", "all well", "--at", "noon"), 3, "'noon' is not a time"),
    (("voice", "nobody", "--outcome", "MAYBE"), 3, "ANSWERED"),
    (("voice", "nobody", "--rung", "PIGEON"), 3, "TELEPHONE"),
    (("voice", "nobody", "--party", "PINK"), 3, "PINK is not on this line"),
    (("linecheck", "ask", "GREEN"), 2, "unexpected extra argument"),
    (("linecheck", "answer"), 4, "waits for an answer"),
    (("linecheck", "answer", "PINK"), 3, "not another member"),
    (("linecheck", "list", "x"), 2, "unexpected extra argument"),
    (("line",), 2, "refuse"),
    (("line", "refuse", "--why", "x"), 2, "No such option"),
    (("line", "suspend", "now"), 2, "unexpected extra argument"),
    (("line", "reopen", "now"), 2, "unexpected extra argument"),
    (("line", "close", "now"), 2, "unexpected extra argument"),
    (("contacts", "GREEN"), 2, "unexpected extra argument"),
    (("statement", "post", "we hold that"), 3, "propose a version of the agreement"),
    (("statement", "list", "x"), 2, "unexpected extra argument"),
    (("voice", "they have it", "--code", "KTR-HBW"), 3, "of one notice"),
    (("message", "send"), 3, "has a text, or a phrase"),
    (("message", "send", "hello", "--precedence", "URGENT"), 3, "one of FLASH"),
    (("message", "send", "--phrase", "line_check", "--value", "ref"), 3, "a name, = and its text"),
    (("message", "send", "--phrase", "let_us_fly"), 3, "there is no phrase"),
    (("message", "send", "hello", "--language", "the local one"), 3, "a language is a tag"),
    (("message", "send", "hello", "--reply", "MSG-48210937-A"), 3, "check letter"),
    (("message", "list", "x"), 2, "unexpected extra argument"),
    (("message", "show", "MSG-48210937-A"), 4, "there is no message"),
    (("message", "translate", "MSG-48210937-A", "bonjour"), 2, "Missing option"),
    (("message", "readback", "MSG-48210937-A", "hello"), 3, "check letter"),
    (("notice", "ask", "BLU-9999-N", "--question", "PURPOSE"), 3, "one of IDENTITY"),
    (("notice", "answer", "BLU-9999-N", "--reply", "DURATION"), 3, "a name, = and its text"),
    (("phrases", "--language", "xx"), 3, "the phrase book has"),
    (("notice", "give", "--template", "picnic"), 3, "there are transit"),
    (("notice", "templates", "x"), 2, "unexpected extra argument"),
    (("notice", "rekey", "there-is-no-such-file.txt"), 4, "cannot be read"),
    (("protect",), 2, "withdraw"),
    (("protect", "site", "--work", "BARRACKS"), 3, "none of HOSPITAL"),
    (("protect", "move", "--photo", "there-is-no-such-file.jpg"), 4, "cannot be read"),
    (("protect", "change", "BLU-9999-N", "--marking", "x"), 4, "BLU-9999-N"),
    (("protect", "verify", "BLU-9999-N"), 2, "Missing option"),
    (("protect", "verify", "BLU-9999-N", "--point", "the gate"), 3, "is not a place"),
    (("protect", "confirm"), 2, "Missing argument"),
    (("protect", "confirm", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("protect", "checkin", "BLU-9999-N", "--at", "noon"), 3, "'noon' is not a time"),
    (("protect", "withdraw", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("protect", "list", "x"), 2, "unexpected extra argument"),
    (("notice",), 2, "give"),
    (("notice", "give", "--circle", "41N 38W", "--radius", "10"), 3, "radius"),
    (("notice", "give", "--polygon", "41N 38W; 42N", "--corridor", "x"), 3, "one shape only"),
    (("notice", "give", "--volumes", "there-is-no-such-file.json"), 4, "there is no file"),
    (("notice", "give", "--volumes", "-"), 3, "is not JSON"),
    (("notice", "amend", "BLU-9999-N", "--high", "300"), 4, "BLU-9999-N"),
    (("notice", "correct", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("notice", "extend", "BLU-9999-N"), 2, "Missing option"),
    (("notice", "extend", "BLU-9999-N", "--until", "soon"), 3, "'soon' is not a time"),
    (("notice", "cancel", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("notice", "start", "BLU-9999-N", "--at", "0940"), 3, "'0940' is not a time"),
    (("notice", "finish"), 2, "Missing argument"),
    (("notice", "show", "BLU-9999-N"), 4, "notice list"),
    (("notice", "list", "--everything"), 2, "No such option"),
    (("notice", "draft", "list", "x"), 2, "unexpected extra argument"),
    (("notice", "draft", "send", "draft-99"), 4, "notice draft list"),
    (("notice", "draft", "drop", "draft-99"), 4, "there is no draft"),
    (("notice", "script", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("notice", "form"), 2, "Missing argument"),
    (("notice", "mail", "BLU-9999-N", "--version", "two"), 2, "valid integer"),
    (("plan", "add"), 3, "there is no place"),
    (("plan", "add", "--leg", "41N 38W; FL100"), 3, "three parts"),
    (("plan", "add", "--leg", "41N 38W; FL100; 10:00Z"), 3, "at least two timed points"),
    (("plan", "add", "--mode", "PRETEND", "--circle", "41N 38W"), 3, "the mode is one of"),
    (("plan", "list", "x"), 2, "unexpected extra argument"),
    (("plan", "drop", "no-such-plan"), 4, "no-such-plan"),
    (("plan", "exposures", "--near"), 2, "No such option"),
    (("whose", "ask"), 2, "Missing option"),
    (("whose", "answer", "WHS-48210937-H", "MINE"), 3, "OURS, UNKNOWN"),
    (("whose", "list", "x"), 2, "unexpected extra argument"),
    (("whose", "show", "WHS-48210937-H"), 4, "there is no message"),
    (("holdoff", "--at", "41N 38W", "--radius", "5"), 3, "no unit"),
    (("sighting",), 3, "say --at"),
    (("notice", "suspend", "BLU-9999-N", "--why", "GRE-9999-N"), 4, "BLU-9999-N"),
    (("notice", "restore", "BLU-9999-N"), 4, "BLU-9999-N"),
    (("notice", "offnominal", "BLU-9999-N"), 2, "Missing argument"),
    (("notice", "lost", "x"), 2, "unexpected extra argument"),
    (("rings", "set", "ridge", "--at", "41N 38W", "--no-comm", "7"), 3, "no unit"),
    (("rings", "report", "ridge", "drone", "--at", "41N 38W"), 4, "there are no rings"),
    (("rings", "list", "x"), 2, "unexpected extra argument"),
    (("rings", "drop", "ridge"), 4, "there are no rings"),
    (("conflicts", "--near"), 2, "No such option"),
    (("propose", "CNF-1", "--how", "later"), 4, "no two notices here"),
    (("outcome", "CNF-10000000-A", "settled"), 3, "--outcome is one of RESOLVED_BY_AMEND"),
    (("screen",), 2, "Missing argument"),
    (("screen", "-"), 3, "what too close means"),
    (("screen", "-", "--minima", "RULE_OF_FOURS"), 3, "RULE_OF_THREES"),
    (("screen", "-", "--horizontal", "50", "--vertical", "15m"), 3, "unit"),
    (("screen", "-", "--minima", "FAA_SUA", "--time", "5m"), 3, "not both"),
    (("screen", "no-such-file.json", "--minima", "FAA_SUA"), 4, "there is no file"),
    (("desk", "--last", "0"), 2, "--last"),
    (("units",), 4, "there is no file of units"),
    (("handover", "give", "watch-1"), 3, "another post"),
    (("handover", "accept"), 4, "no hand-over waits for BLUE/watch-1"),
    (("handover", "list", "--last", "0"), 2, "--last"),
    (("relay", "BLU-9999-N", "U1"), 4, "meets the area of an own unit"),
    (("relay", "BLU-9999-N"), 3, "name a unit"),
    (("take", "BLU-9999-N"), 4, "nothing at the desk is called"),
    (("take", "BLU-9999-N", "--as", "watch-9"), 3, "say who you are"),
    (("hand-on", "DSK-0001-A"), 3, "check letter"),
    (("done", "nothing"), 4, "`desk` lists what is open"),
    (("doctor", "now"), 2, "unexpected extra argument"),
    (("stop", "now"), 2, "unexpected extra argument"),
    (("backup",), 2, "Missing argument"),
    (("evidence", "--notice", "BLU-0001-E", "--from", "2031-05-14T10:00Z"), 3, "not two of them"),
    (("evidence", "--notice", "BLU-0042-A"), 3, "check letter"),
    (("verify", "no-such-bundle.zip"), 4, "no-such-bundle.zip"),
    (("restore", "no-such-file.db", "--as", "supervisor", "--reason", "x"), 4, "there is no file"),
    (("resume",), 3, "which supervisor"),
    (("check", "now"), 2, "unexpected extra argument"),
    (("doctor", "--since-checkpoint"), 3, "goes with --audit"),
    (("init", "blue"), 3, "capitals"),
    (("init", "RED", "--no-passphrase"), 3, "already there"),
    (("invite",), 2, "Missing option"),
    (("mechanism", "now"), 2, "unexpected extra argument"),
    (("disclosures", "--line", "no-such-line"), 4, "Cape/FLIGHT_SAFETY"),
    (("agreement", "show", "--version", "9"), 4, "there is no version 9"),
    (("agreement", "propose", "--set", "lead"), 3, "not of the form"),
    (("agreement", "propose", "--set", "lend=1m"), 3, "there are area, minima, lead"),
    (("agreement", "sign", "0123456789"), 4, "agreement status"),
    (("agreement", "status", "--mechanism", "Desert"), 4, "Cape/FLIGHT_SAFETY"),
    (("agreement", "suspend"), 3, "only a supervisor's post"),
    (("agreement", "resume"), 3, "only a supervisor's post"),
    (("agreement", "leave", "--yes"), 3, "only a supervisor's post"),
    (("agreement", "ready", "--declare"), 3, "only a supervisor's post"),
    (("accept", "no-such-file"), 4, "there is no file"),
    (("up", "--clock", "noon"), 3, "'noon' is not a time"),
    (("way", "list", "x"), 2, "unexpected extra argument"),
    (("way", "trust", "no-such-card.json"), 4, "there is no file"),
    (("way", "set", "GREEN", "NOBODY"), 4, "does not know a mediator NOBODY"),
    (("way", "proofs", "x"), 2, "unexpected extra argument"),
    (("mediate", "init", "host"), 3, "capitals"),
    (("mediate", "add"), 2, "Missing argument"),
    (("mediate", "card"), 4, "there is no mediator"),
    (("mediate", "up"), 4, "there is no mediator"),
    (("mediate", "log", "--newest", "0"), 2, "--newest"),
    (("keys", "list", "x"), 2, "unexpected extra argument"),
    (("keys", "add", "Watch 3"), 3, "lower-case letters"),
    (("keys", "rotate",), 2, "Missing argument"),
    (("keys", "rotate", "nobody"), 4, "no post 'nobody' on our card"),
    (("keys", "revoke", "nobody"), 4, "no post 'nobody' on our card"),
    (("keys", "passphrase"), 3, "no terminal to ask for one"),
    (("keys", "root", "export"), 2, "Missing argument"),
    (("keys", "root", "forget"), 3, "--root-key FILE"),
    (("fingerprint", "--check", "WIDEBERTH:1:GREEN:00"), 3, "not a fingerprint's code"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "code", "words"), SLIPS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_a_slip_gets_a_sentence_and_the_documented_code(world, args, code, words):
    heard = world.client("GREEN").get("/v1/status")["lines"][0]["peers"][0]["held"]
    said = world.do("BLUE" if args[0] != "plan" else "ALONE", *args)
    told = " ".join((said.err + said.out).replace("│", " ").split())
    assert words in told, told
    assert said.code == code
    assert code in exits.MEANING
    assert "Traceback" not in told
    assert world.client("GREEN").get("/v1/status")["lines"][0]["peers"][0]["held"] == heard


def test_every_verb_is_typed_wrongly_once():
    typed = {" ".join(a for a in args if a.replace("-", "", 1).isalpha() and a[0] != "-") for args, _, _ in SLIPS}
    for path in set(verbs()) - {"demo", "drill", "sim"}:  # these talk to no node; they have tests of their own
        assert any(f"{said} ".startswith(f"{path} ") for said in typed), path


def verbs():
    import typer

    from wideberth.cli.main import app

    def walk(command, path):
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, [*path, name])
        else:
            yield " ".join(path)

    return list(walk(typer.main.get_command(app), []))


@pytest.mark.parametrize("args", [("status",), ("alert",), ("notice", "list"), ("plan", "list"), ("watch",), ("stop",)])
def test_a_node_that_is_not_up_says_what_to_do_and_to_use_the_telephone(tmp_path, args):
    (tmp_path / "config.toml").write_text('party = "BLUE"\n')
    said = wideberth("--dir", str(tmp_path), *args)
    assert said.code == 6
    assert "wideberth up" in said.err
    assert "telephone" in said.err


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path):
    for args in (("status",), ("alert",), ("doctor",)):
        said = wideberth("--dir", str(tmp_path / "none"), *args)
        assert said.code in (1, 4)
        assert "wideberth init" in said.err + said.out


def test_a_path_too_long_for_a_socket_is_said(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    said = wideberth("--dir", str(folder), "status")
    assert said.code == 3
    assert "too long" in said.err


def test_a_node_without_a_line_says_so(world):
    said = world.do("ALONE", "alert")
    assert said.code == 4
    assert "no open line" in said.err
    assert "wideberth invite" in world.do("ALONE", "status").out


def test_a_fault_is_one_json_line_for_programs(world):
    said = world.do("BLUE", "ack", "ALERT-00000000", "--json")
    fault = json.loads(said.err)
    assert (fault["fault"], fault["whose"]) == ("NotFound", "ours")
    assert said.out == ""


def test_a_bug_is_called_a_bug_and_shows_where(monkeypatch):
    from wideberth.cli import status
    from wideberth.cli.client import Client

    monkeypatch.setattr(Client, "get", lambda *_: 1 / 0)
    assert status
    said = wideberth("status")
    assert said.code == exits.BUG
    assert "bug in wideberth" in said.err
    assert "ZeroDivisionError" in said.err


def test_ctrl_c_ends_quietly(monkeypatch):
    from wideberth.cli.client import Client

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "get", pressed)
    said = wideberth("status")
    assert (said.code, said.out) == (exits.STOPPED, "")
    assert "Traceback" not in said.err
