# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of the modules goes, by layer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.figures import Figure, Record
from tests.bench.ours import WIDE, Modules
from tests.bench.sampler import NAMES
from tests.bench.site import OURS, Scale, Size, bench_folder, running

SIZES: Mapping[Scale, Size] = {
    "small": Size(groups=50, members=20, users=500),
    "full": Size(groups=500, members=100, users=5000),
}


def run(record: Record, scale: Scale) -> None:
    """Sample each module, from an empty domain to one that is as it should be."""
    with running(SIZES[scale], bench_folder(f"profile-{scale}"), [OURS]) as site:
        state, layers = site.folder / "modules", site.folder / "layers.json"
        shutil.rmtree(state, ignore_errors=True)
        modules = Modules(site, state, "tests.bench.sampler", {"LAYERS": str(layers)})
        calls: list[tuple[str, Callable[..., dict[str, Any]], dict[str, Any]]] = [
            ("gpad_scope", modules.scope, {}),
            ("gpad_plan, first", modules.plan, {"limits": WIDE}),
            ("gpad_group", modules.group, {}),
            ("gpad_membership", modules.membership, {}),
            ("gpad_plan, no change", modules.plan, {"limits": WIDE, "full_after_hours": 0}),
        ]
        for name, call, options in calls:
            result = call(**options)
            assert result["outcome"] == "ok", result.get("msg", result)
            seconds: dict[str, float] = json.loads(layers.read_text(encoding="utf-8"))
            total = sum(seconds.values())
            parts = {f"{layer} %": 100 * seconds[layer] / total for layer in NAMES if layer in seconds}
            record.add(Figure(name, modules.last.seconds, counts={"cpu s": modules.last.cpu, **parts}))
