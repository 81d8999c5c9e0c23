# SPDX-License-Identifier: Apache-2.0
"""A real terminal for a real command: what it shows, and keys that are pressed one by one."""

import os
import pty
import select
import subprocess
import sys
import time


class Terminal:
    """One command in a terminal of its own, with a keyboard."""

    def __init__(self, folder, *verb):
        self._screen, theirs = pty.openpty()
        command = "from wideberth.cli.main import run; run()"
        self._child = subprocess.Popen(
            [sys.executable, "-c", command, "--dir", str(folder), *verb],
            stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "200", "TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)
        self.text = ""

    def until(self, words, seconds=30.0):
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, (words, self.text)
            if select.select([self._screen], [], [], 0.1)[0]:
                self.text += os.read(self._screen, 65536).decode(errors="replace")
        return self.text.partition(words)[2]

    def rest(self, seconds):
        """What comes within this time."""
        before, end = len(self.text), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._screen], [], [], left)[0]:
                self.text += os.read(self._screen, 65536).decode(errors="replace")
        return self.text[before:]

    def press(self, key):
        os.write(self._screen, key.encode())

    def exit_code(self):
        return self._child.wait(30)

    def close(self):
        self._child.terminate()
        self._child.wait(5)
        os.close(self._screen)
