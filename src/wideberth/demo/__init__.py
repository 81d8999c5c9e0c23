# SPDX-License-Identifier: Apache-2.0
"""`wideberth demo`: two real nodes on this machine, and a day between them.

`stories.py` says what the officers do, `nodes.py` runs the two nodes as processes of their own, `play.py` makes every
step really happen and checks it, `screen.py` prints it, `run.py` puts it together. Nothing in here is needed by a node.
"""
