# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the modules."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing it.
  diff_mode:
    description: Returns what changed, or would change in check mode, as a diff.
  idempotent:
    description: When run twice with the same arguments, the second run changes nothing.
"""

    ENTRA = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hybrid_identity.gpad.entra) or C(group/hybrid_identity.gpad.gpad) in C(module_defaults).
    support: full
    membership:
      - hybrid_identity.gpad.entra
      - hybrid_identity.gpad.gpad
"""

    DIRECTORY = r"""
options: {}
attributes:
  action_group:
    description:
      Use C(group/hybrid_identity.gpad.directory) or C(group/hybrid_identity.gpad.gpad) in C(module_defaults).
    support: full
    membership:
      - hybrid_identity.gpad.directory
      - hybrid_identity.gpad.gpad
"""

    GPAD = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hybrid_identity.gpad.gpad) in C(module_defaults).
    support: full
    membership:
      - hybrid_identity.gpad.gpad
"""
