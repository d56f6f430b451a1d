# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Option on the quarantine of runs."""

    DOCUMENTATION = r"""
options:
  quarantine:
    description:
      - When runs go into quarantine, and how long each waits. While they are in it, nothing is written to the directory
        until the time of the next try, and then one run is let through. Plans go on.
      - Runs go into it when too many objects of one part of a plan failed, when the domain controller or Entra ID
        refused the log-on, and when a plan exceeded a limit. A run that comes to its end without such a reason ends it,
        as does O(hybrid_identity.gpad.gpad_journal#module:released). Nothing of it is stored in check mode.
    type: dict
    default: {}
    suboptions:
      failures:
        description: More failed objects than this, among the groups of a plan or among its changes of members.
        type: int
        default: 1000
      percent:
        description: More failed objects than this share of those that the part of the plan holds, in percent.
        type: int
        default: 40
      floor:
        description: Up to so many failed objects O(quarantine.percent) is not looked at.
        type: int
        default: 20
      hours:
        description: Hours to the next try, after the first run in vain, the second, and so on; the last repeats.
        type: list
        elements: int
        default: [1, 2, 4, 8, 24]
"""
