# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module gpad_journal where it is installed, if that is possible."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils.in_place import InPlaceAction


class ActionModule(InPlaceAction):
    """Runs gpad_journal."""
