# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options on attribute mappings, which decide what is written and what is captured."""

    DOCUMENTATION = r"""
options:
  target_container:
    description:
      - Where groups are created, a distinguished name, or an expression that gives one for each group.
      - Put an expression in single quotes, since YAML makes a list of C([displayName]).
      - The result must be one of the managed containers or lie below one.
    type: raw
  container_default:
    description:
      - The container for groups for which the expression in O(target_container) gives nothing.
    type: str
  attribute_mappings:
    description:
      - Attribute mappings, each in place of the default mapping of its O(attribute_mappings[].target) or beside them.
      - By default C(cn), C(description) and C(displayName) are mapped as Cloud Sync maps them.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description:
          - The LDAP attribute. Any that groups can hold, single-valued or multi-valued, but the ones that make the
            group what it is, such as C(member), C(groupType) and the anchor.
          - C(sAMAccountName) is written on creation only.
        type: str
        required: true
      source:
        description:
          - A property of the group in Microsoft Graph, or a directory extension, taken as it is.
          - One of O(attribute_mappings[].source), O(attribute_mappings[].constant), O(attribute_mappings[].expression)
            and O(attribute_mappings[].none) is required.
        type: str
      constant:
        description: The value itself.
        type: raw
      expression:
        description: An expression, in single quotes.
        type: raw
      none:
        description: Leave the attribute alone, which switches a default mapping off.
        type: bool
      default:
        description:
          - What to write when the mapping gives nothing and the group is created; for C(cn) in any case.
        type: raw
      apply:
        description:
          - Write always, or on creation only. Expressions with C(RandomString), C(Guid), C(Now) or
            C(SelectUniqueValue) are written on creation only.
        type: str
        choices: [always, on_create]
        default: always
      clear_when_null:
        description: Remove the attribute's value when the mapping gives nothing; otherwise it stays.
        type: bool
        default: false
"""
