# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels for many live tracks at once (numba, the extra `fast`). Nothing imports it before it is needed.

lifted.py    states into the tangent planes, in Earth-centred metres; cubes of space, sorted
meeting.py   which pairs of them come inside the minima (`tangent.meet`, compiled)
"""
