# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options of the work in slices."""

    DOCUMENTATION = r"""
options:
  hand_over:
    description:
      - Hands this part of the plan over to slices, which other machines carry out, and writes nothing to the directory.
        All that may stand in the way of the plan is looked at now. The part is then closed by O(merged), and by nothing
        else.
      - Groups come first, on all machines, and are merged; then members. See C(docs/large.md) of the collection.
      - Needs O(plan), which must be of all groups, and no way back.
    type: dict
    suboptions:
      slices:
        description: How many slices there are.
        type: int
        required: true
      copy_to:
        description:
          - Path where the copy of O(journal) is written, with mode 0600. Each slice works on a copy of its own of this
            file.
        type: path
        required: true
      minutes:
        description:
          - For how long slices may write, up to a day. After that a slice ends before its next object.
          - So long, and thirty minutes more, the journal stays held for the plan.
        type: int
        default: 240
  partition:
    description:
      - Carries out one slice of this part of the plan. A change belongs to the slice that the object id of its cloud
        group names. Containers are made by each slice; one that is there by then counts as made.
      - Needs O(plan), and as O(journal) the copy that O(hand_over) wrote.
    type: dict
    suboptions:
      count:
        description: How many slices there are, as in O(hand_over.slices).
        type: int
        required: true
      index:
        description: Which one this is, counted from 0.
        type: int
        required: true
  merged:
    description:
      - Paths of the journals that came back from slices. What they did is taken into O(journal) as if this call had
        done it; the result is that of the whole part. The directory is not asked.
      - A change that no slice brought back fails as C(slice_missing); an empty list means that no slice came back. The
        next run plans again and does what is left.
      - A merge is done as a whole or not at all. One that failed can be repeated.
      - Needs O(plan), and as O(journal) the one that the part was handed over from.
    type: list
    elements: path
"""
