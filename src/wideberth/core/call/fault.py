# SPDX-License-Identifier: Apache-2.0
"""How a fold says that a word breaks a rule of it."""

from __future__ import annotations


class NotUnderstood(Exception):
    """A well-placed entry that breaks a rule of this board: kept, marked, without any other effect."""
