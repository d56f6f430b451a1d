# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter gpad_markdown; its documentation stands in gpad_markdown.yml."""

from __future__ import annotations

import re
from collections.abc import Callable

# Whatever begins something inside a line of CommonMark or GitHub Flavored Markdown. A backslash before ASCII
# punctuation makes it plain text (CommonMark 0.31.2, section 2.4), in a table also a pipe (GFM 0.29, section 4.10).
_SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#!|~&$:@^]|(?<=www)\.", re.IGNORECASE)


def gpad_markdown(value: object) -> str:
    """Return a value as plain text for a table cell, or the inside of a line, of Markdown.

    Line ends and what cannot be seen, such as marks that turn the direction of writing, are shown as U+ and a number.
    """
    text = "" if value is None else str(value)
    seen = "".join(char if char.isprintable() else f"[U+{ord(char):04X}]" for char in text)
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", seen)


class FilterModule:
    """Names the filter."""

    def filters(self) -> dict[str, Callable[[object], str]]:
        """Return the filter by its name."""
        return {"gpad_markdown": gpad_markdown}
