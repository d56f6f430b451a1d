# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options on what is returned."""

    DOCUMENTATION = r"""
options:
  max_results:
    description:
      - The most entries of each list in the result, and the most members that are named in all of its changes together.
        The counts, in RV(summary) and of each change, are always whole. At least 1.
    type: int
    default: 1000
  report_path:
    description:
      - Path of a JSON file, readable by its owner only, to which the result is written as well.
    type: path
"""
