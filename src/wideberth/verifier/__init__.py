# SPDX-License-Identifier: Apache-2.0
"""The standalone verifier: one file that a stranger can read and run. The package uses it too; nothing depends back."""
