# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module like ``call_module``, and looks every few milliseconds what its threads are doing.

The seconds of each layer go, as JSON, to the file that the variable LAYERS names. A profiler that follows calls sees
one thread, slows small functions down most, and does not tell waiting from work.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType

CALLED = "tests.integration.modules.call_module"
INTERVAL = 0.004
WAITING, IDLE, IMPORTS, OTHER = "waiting for the other side", "idle", "imports", "other"
# What a layer's files have in their paths. The innermost frame that is of a layer decides.
_LAYERS: Mapping[str, tuple[str, ...]] = {
    "our rules": ("/module_utils/_provisioning/",),
    "files, sqlite": ("/module_utils/_store/",),
    "our adapters": ("/module_utils/_directory/", "/module_utils/_entra/"),
    "our runners": ("/module_utils/_module/",),
    "ldap3": ("/ldap3/", "/pyasn1/"),
    "requests": ("/requests/", "/urllib3/", "/http/", "/email/", "/msal/"),
    "json": ("/json/",),
    "ansible": ("/ansible/",),
}
NAMES = (WAITING, IMPORTS, *_LAYERS, IDLE, OTHER)
# Where a thread waits for a server, and where for another thread.
_WAITS = {
    ("ssl.py", name): WAITING for name in ("read", "recv", "recv_into", "send", "sendall", "write", "do_handshake")
} | {
    ("socket.py", "create_connection"): WAITING,
    ("selectors.py", "select"): WAITING,
    ("threading.py", "wait"): IDLE,
    ("threading.py", "_wait_for_tstate_lock"): IDLE,
    ("thread.py", "_worker"): IDLE,
}
_known: dict[CodeType, str | None] = {}


class Sampler:
    """Looks at all other threads from one of its own."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(INTERVAL):
            now = time.monotonic()
            for layer, share in shares(self._layers()).items():
                self.seconds[layer] += share * (now - before)
            before = now

    def _layers(self) -> list[str]:
        own = threading.get_ident()
        return [layer_of(frame) for thread, frame in sys._current_frames().items() if thread != own]


def shares(layers: list[str]) -> Mapping[str, float]:
    """Return which layers a moment belongs to: those that work, else those that wait, else the idle ones."""
    for dull in ((IDLE, WAITING), (IDLE,), ()):
        found = [layer for layer in layers if layer not in dull]
        if found:
            return {layer: found.count(layer) / len(found) for layer in set(found)}
    return {}


def layer_of(frame: FrameType) -> str:
    """Return the layer in which a thread is."""
    codes = list(_codes(frame))
    innermost = codes[0]
    wait = _WAITS.get((Path(innermost.co_filename).name, innermost.co_name))
    if wait:
        return wait
    layers = [_of_code(code) for code in codes]
    if IMPORTS in layers:
        return IMPORTS
    return next((layer for layer in layers if layer), OTHER)


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _of_code(code: CodeType) -> str | None:
    if code not in _known:
        name = code.co_filename
        places = ((layer, part) for layer, parts in _LAYERS.items() for part in parts)
        found = next((layer for layer, part in places if part in name), None)
        _known[code] = IMPORTS if name.startswith("<frozen importlib") and code.co_name == "_find_and_load" else found
    return _known[code]


def main() -> None:
    """Run the module and write the seconds of each layer."""
    sampler = Sampler()
    try:
        with sampler:
            runpy.run_module(CALLED, run_name="__main__", alter_sys=True)
    finally:
        Path(os.environ["LAYERS"]).write_text(json.dumps(sampler.seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
