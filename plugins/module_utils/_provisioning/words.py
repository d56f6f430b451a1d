# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enumerations whose members are the words that users see."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A string enumeration that prints as its value."""

    def __str__(self) -> str:
        return str(self.value)
