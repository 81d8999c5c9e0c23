# SPDX-License-Identifier: Apache-2.0
"""The inner process: own plans, tracks and drafts, in memory and in a file of their own.

The node starts it as a child and feeds it one way. It has no keys, no link and no record; the process that parses what
peers send never holds a plan. What it finds goes to own people only.
"""
