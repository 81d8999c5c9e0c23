# SPDX-License-Identifier: Apache-2.0
"""The `wideberth` command on a leash: it goes down when whoever started it lets go of its standard input.

    python -m wideberth.demo.leash up --dir FOLDER

So a demo that is killed without a word leaves no node behind. On this system or that, a closed pipe is the one thing
that every way of dying has in common.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Final

# A node that has not stopped by then is not going to.
_STOP_S: Final = 8.0


def _until_let_go() -> None:
    # os.read, not sys.stdin: a thread that waits inside a buffered reader would trip the interpreter's own end.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_S)
    os._exit(1)


def main() -> None:
    threading.Thread(target=_until_let_go, daemon=True).start()
    from wideberth.cli.main import run

    run()


if __name__ == "__main__":
    main()
