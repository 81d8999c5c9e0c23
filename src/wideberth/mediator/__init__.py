# SPDX-License-Identifier: Apache-2.0
"""A neutral host: relays sealed deliveries between its members and stamps them with its time. It can read none of them,
change none unnoticed, and says nothing itself. It needs no node, no record and no key that opens anything."""
