# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""LDAP attributes that have a meaning here, and their values."""

from __future__ import annotations

ANCHOR = "msDS-ExternalDirectoryObjectId"
CONTAINER = "parentDistinguishedName"
CN = "cn"
SAM = "sAMAccountName"
# MS-ADTS 2.2.12: GROUP_TYPE_SECURITY_ENABLED | GROUP_TYPE_UNIVERSAL_GROUP, as the signed integer that LDAP shows.
UNIVERSAL_SECURITY = "-2147483640"
# What the default mappings write beside the name.
MAPPED = ("description", "displayName", SAM)
