# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All functions and bare words of the language, found without regard to case."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions import (
    dates,
    encoding,
    generate,
    logic,
    multivalue,
    replace,
    text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import Flow, Value

FUNCTIONS: Mapping[str, Function] = {
    function.name.lower(): function
    for module in (dates, encoding, generate, logic, multivalue, replace, text)
    for function in module.FUNCTIONS
}

_WORDS: Mapping[str, Value] = {
    "NULL": None,
    "True": True,
    "False": False,
    "IgnoreAttributeFlow": Flow.IGNORE_ATTRIBUTE,
    "IgnoreObjectFlow": Flow.IGNORE_OBJECT,
    # Arguments of InStr, ConvertFromBase64 and Contains: the functions take their names.
    **{
        name: name
        for name in (
            "vbBinaryCompare",
            "vbTextCompare",
            "Unicode",
            "ASCII",
            "UTF8",
            "CaseSensitive",
            "CaseInsensitive",
        )
    },
}
KEYWORDS: Mapping[str, tuple[str, Value]] = {name.lower(): (name, value) for name, value in _WORDS.items()}
"""Bare words by their lower-case form: canonical spelling and value."""
