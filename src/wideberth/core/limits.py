# SPDX-License-Identifier: Apache-2.0
"""Every limit that both sides must share, with its reason. Relations between them are asserted at the end."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024

# A frame is held in memory before anything in it can be believed. 64 KiB holds a notice of some 200 volumes of
# 12 corners each; a routine notice is under 4 kB (domain.md N1).
FRAME_BYTES_MAX: Final = 64 * KIB

# A header has a fixed set of fields; the only one that grows is `seen`, with one place per member.
HEADER_BYTES_MAX: Final = 4 * KIB

# A delivery is sealed, sent and opened whole. 100 routine frames (about 2.5 kB each) and their receipts fit twice.
DELIVERY_BYTES_MAX: Final = 1024 * KIB
DELIVERY_FRAMES_MAX: Final = 256

# Members of a channel: design.md §1.
MEMBERS_MAX: Final = 16

# Lines of one mechanism: every purpose several times over; each costs a check every 45 s.
LINES_MAX: Final = 16

# Frames that arrived beyond a gap wait in memory; what does not fit is dropped and sent again by its author.
# Urgent ones are never dropped by this quota (design.md §3).
PARKED_FRAMES_MAX: Final = 1024

# Our half of a fork goes to each member once for each place. An author that lies at more places than this was proven a
# liar long before, and gets nobody to send more because of it.
FORKS_PASSED_ON_MAX: Final = 256

# Free text is short on purpose (domain.md M1): it is for a clarification, not for a story.
TEXT_CHARS_MAX: Final = 280
NAME_CHARS_MAX: Final = 80
AS_READ_CHARS_MAX: Final = 280

# A statement of position is for the record and may be a paragraph or two (domain.md H5); it never rings.
STATEMENT_CHARS_MAX: Final = 4_000

# Lists in an agreement are read aloud and printed by people: no more than a page of each.
PRINTED_LIST_MAX: Final = 64

VOLUMES_PER_NOTICE_MAX: Final = 100
CORNERS_PER_SHAPE_MAX: Final = 500

# Signed numbers must be exact in every JSON reader (RFC 7493 §2.2).
INTEGER_MAX: Final = 2**53 - 1

# A notice may say when activity starts at most this long ahead, unless the agreement says less (domain.md C8).
HORIZON_MS_DEFAULT: Final = 30 * 86_400_000

# An ALERT that nobody made precise stops covering the area after a day: by then it says nothing about the sky of today.
ALERT_LIVES_MS: Final = 86_400_000

# A message that nobody read back or answered for a day is of another day: it is kept, and rings no more.
MESSAGE_LIVES_MS: Final = 86_400_000

# No receipt within this time: not delivered; the officer is told to use the telephone (design.md §3).
URGENT_UNRECEIPTED_MS: Final = 30_000

# Resend until receipted: first after one second (a few round trips on a poor link), doubling to half a minute, so
# that a line which comes back is found at once by a person's measure.
RESEND_FIRST_MS: Final = 1_000
RESEND_MOST_MS: Final = 30_000

assert HEADER_BYTES_MAX < FRAME_BYTES_MAX < DELIVERY_BYTES_MAX
assert DELIVERY_BYTES_MAX >= 2 * 100 * 4 * KIB
