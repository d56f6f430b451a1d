# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab can turn while the emulator runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Knobs:
    """All settings, with the values of the service where these are documented.

    ``default_page`` items a page holds without $top; ``page_cap`` an upper limit whatever $top says (0: none);
    ``empty_pages`` puts a page without items, but with a nextLink, before each real one; ``skip_token_seconds`` life of
    a page token.

    ``delta_page`` items of a delta page; ``delta_slice`` member links of a group per item; ``delta_repeat`` shows each
    object of a round a second time; ``delta_shuffle`` mixes the items; ``delta_tombstones`` lets an initial round carry
    removed objects and member links; ``delta_token_seconds`` life of a delta token.

    ``lag_reads`` reads after a write still show the old state; ``lag_scope`` is ``eventual`` (index reads) or ``all``.

    ``batch_shuffle`` mixes batch answers. ``read_units``/``read_seconds`` and ``write_units``/``write_seconds`` are
    the quotas of one application in a tenant of size L. ``token_seconds`` is the life of an access token.

    ``conversion_waits`` leaves a converted group marked as synced until the sync client ran (``take_over``).
    ``tenant_type`` is what the organization says of itself: AAD, AAD B2C or CIAM.
    """

    default_page: int = 100
    page_cap: int = 0
    empty_pages: bool = False
    skip_token_seconds: float = 3600.0
    delta_page: int = 100
    delta_slice: int = 1000
    delta_repeat: bool = False
    delta_shuffle: bool = True
    delta_tombstones: bool = False
    delta_token_seconds: float = 7 * 24 * 3600.0
    lag_reads: int = 0
    lag_scope: str = "eventual"
    batch_shuffle: bool = True
    read_units: int = 8000
    read_seconds: float = 10.0
    write_units: int = 3000
    write_seconds: float = 150.0
    token_seconds: int = 3599
    conversion_waits: bool = False
    tenant_type: str = "AAD"

    def turn(self, values: Mapping[str, Any]) -> None:
        """Set knobs by name.

        Raises ValueError on an unknown name or a value of another type; nothing is set then.
        """
        types = {row.name: type(getattr(self, row.name)) for row in fields(self)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"unknown knob {name!r}; there are {', '.join(types)}")
            allowed = (int, float) if types[name] is float else types[name]
            if not isinstance(value, allowed) or (isinstance(value, bool) and types[name] is not bool):
                raise ValueError(f"knob {name} takes {types[name].__name__}, not {value!r}")
        if values.get("lag_scope", "all") not in ("eventual", "all"):
            raise ValueError("lag_scope is 'eventual' or 'all'")
        for name, value in values.items():
            setattr(self, name, types[name](value))
