# SPDX-License-Identifier: Apache-2.0
"""`wideberth drill`: a scenario rehearsed between real nodes with injected faults, and a scored after-action.

`model.py` says what a drill is made of, `world.py` runs its nodes as processes of their own, `scene.py` is what its
steps are written in, `replay.py` folds both records anew afterwards, `report.py` is the after-action, `run.py` puts it
together, and each `sc*.py` is one scenario of domain.md §5 and §8. Nothing in here is needed by a node.

A drill measures: every check says what was expected and what the nodes told, and can fail.
"""
