# SPDX-License-Identifier: Apache-2.0
"""Where the environment says CI=true, a skipped test fails the run: what was not tested was not found good.

Elsewhere a machine may lack Node or openssl; then the tests that need them are skipped and named (`-ra`).
"""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure() -> None:
    """A shell starts what runs in its background deaf to SIGINT, and children inherit that; some tests need it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _skipped(config: pytest.Config) -> list[object]:
    """Reports of all skipped tests; none in the workers of pytest-xdist, whose controller has them all."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("CI", "").lower() not in ("true", "1"):
        return []
    return list(reporter.stats.get("skipped", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := _skipped(config):
        terminalreporter.section("CI")
        terminalreporter.line(f"{len(skipped)} skipped below; with CI=true nothing may be, so this run fails", red=True)
