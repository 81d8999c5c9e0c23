# SPDX-License-Identifier: Apache-2.0
"""The watch room of a running node: its desk on the node's clock, its own log, and the pagers that wake people up."""
