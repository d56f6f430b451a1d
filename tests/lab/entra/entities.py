# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property tables of the directory objects, after the Graph reference and its list of indexed properties."""

from __future__ import annotations

from collections.abc import Mapping

from .schema import EntityType, Kind, Returned, rows, table

_COMMON = (
    *rows(Kind.STRING, Returned.DEFAULT, "id | eq in | ne not"),
    *rows(Kind.DATETIME, Returned.DEFAULT, "deletedDateTime | | eq ge le | order-advanced"),
)
_TEXT = "eq in startsWith | ne not null ge le"

GROUP = EntityType(
    name="group",
    resource="Group",
    collection="groups",
    navigation=frozenset(
        {
            "createdOnBehalfOf",
            "memberOf",
            "members",
            "onPremisesSyncBehavior",
            "owners",
            "transitiveMemberOf",
            "transitiveMembers",
        }
    ),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            f"displayName | {_TEXT} | order search write",
            "description | | eq in startsWith ne not null ge le | search write",
            f"mail | {_TEXT} | search",
            f"mailNickname | {_TEXT} | search write",
            "classification | eq in startsWith | ne not ge le | write",
            "membershipRule | eq in startsWith | ne not ge le | write",
            "membershipRuleProcessingState | eq in | ne not | write",
            "onPremisesDomainName",
            "onPremisesNetBiosName",
            "onPremisesSamAccountName | | eq in startsWith ne not ge le",
            "onPremisesSecurityIdentifier | eq in | null ne not",
            "preferredDataLocation | | | write",
            "preferredLanguage | | eq in startsWith ne not null ge le | write",
            "securityIdentifier",
            "theme | | | write",
            "visibility | | | write",
        ),
        rows(
            Kind.BOOLEAN,
            Returned.DEFAULT,
            "isAssignableToRole | eq in | ne not",
            "mailEnabled | eq in | ne not",
            "securityEnabled | eq in | ne not | write",
            "onPremisesSyncEnabled | eq in | null ne not",
        ),
        rows(
            Kind.DATETIME,
            Returned.DEFAULT,
            "createdDateTime | | eq in ge le ne not | order-advanced",
            "expirationDateTime | | eq in ge le ne not",
            "onPremisesLastSyncDateTime | eq in ge le | ne not",
            "renewedDateTime | eq in ge le | ne not",
        ),
        rows(
            Kind.STRINGS,
            Returned.DEFAULT,
            "groupTypes | eq | not",
            "proxyAddresses | eq startsWith | not endsWith",
            "resourceBehaviorOptions | eq | not | write",
            "resourceProvisioningOptions | eq | not | write",
        ),
        rows(Kind.COMPLEXES, Returned.DEFAULT, "onPremisesProvisioningErrors", "serviceProvisioningErrors"),
        rows(Kind.STRING, Returned.SELECT, "uniqueName | eq in startsWith"),
        rows(Kind.BOOLEAN, Returned.SELECT, "isManagementRestricted"),
        rows(Kind.COMPLEXES, Returned.SELECT, "assignedLabels", "assignedLicenses"),
        rows(Kind.COMPLEX, Returned.SELECT, "licenseProcessingState", "onPremisesExtensionAttributes"),
        rows(Kind.COMPLEX, Returned.SELECT, "writebackConfiguration | | | beta write"),
        rows(Kind.STRING, Returned.SINGLE, "accessType"),
        rows(
            Kind.BOOLEAN,
            Returned.SINGLE,
            "allowExternalSenders",
            "autoSubscribeNewMembers",
            "hideFromAddressLists",
            "hideFromOutlookClients",
            "isSubscribedByMail",
        ),
        rows(Kind.INTEGER, Returned.SINGLE, "unseenCount"),
        rows(Kind.BOOLEAN, Returned.NEVER, "isCloudManaged"),
    ),
)

USER = EntityType(
    name="user",
    resource="User",
    collection="users",
    navigation=frozenset(["manager", "memberOf", "transitiveMemberOf", "onPremisesSyncBehavior"]),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            f"displayName | {_TEXT} | order search write",
            f"givenName | {_TEXT} | search write",
            f"surname | {_TEXT} | search write",
            f"jobTitle | {_TEXT} | write",
            f"mail | {_TEXT} endsWith | search write",
            "mobilePhone | | | write",
            "officeLocation | | | write",
            "preferredLanguage | | | write",
            "userPrincipalName | eq in startsWith | ne not ge le endsWith | order search write",
        ),
        rows(Kind.STRINGS, Returned.DEFAULT, "businessPhones | | | write"),
        rows(
            Kind.STRING,
            Returned.SELECT,
            f"city | {_TEXT} | write",
            f"companyName | {_TEXT} | write",
            f"country | {_TEXT} | write",
            f"department | {_TEXT} | write",
            f"employeeId | {_TEXT} | write",
            f"mailNickname | {_TEXT} | write",
            f"postalCode | {_TEXT} | write",
            f"state | {_TEXT} | write",
            f"streetAddress | {_TEXT} | write",
            f"usageLocation | {_TEXT} | write",
            "userType | eq in | ne not null | write",
            "onPremisesDistinguishedName | | eq startsWith | write",
            "onPremisesDomainName | | | write",
            "onPremisesImmutableId | eq in | ne not ge le null | write",
            "onPremisesSamAccountName | | eq in startsWith ne not ge le | write",
            "onPremisesSecurityIdentifier | eq in | null ne not",
            "onPremisesUserPrincipalName | | eq in startsWith ne not ge le | write",
            "securityIdentifier",
            "preferredDataLocation",
        ),
        rows(Kind.STRING, Returned.DEFAULT, "onPremisesObjectIdentifier | | | beta write"),
        rows(
            Kind.BOOLEAN,
            Returned.SELECT,
            "accountEnabled | eq in | ne not | write",
            "isResourceAccount",
            "isManagementRestricted",
            "onPremisesSyncEnabled | eq in | null ne not",
            "showInAddressList",
        ),
        rows(
            Kind.DATETIME,
            Returned.SELECT,
            "createdDateTime | | eq in ge le ne not",
            "employeeHireDate | | eq in ge le ne not",
            "onPremisesLastSyncDateTime | | eq in ge le ne not",
        ),
        rows(
            Kind.STRINGS,
            Returned.SELECT,
            "imAddresses",
            "otherMails | eq startsWith | not endsWith | search",
            "proxyAddresses | eq startsWith | not endsWith",
        ),
        rows(Kind.COMPLEX, Returned.SELECT, "onPremisesExtensionAttributes"),
        rows(
            Kind.COMPLEXES,
            Returned.SELECT,
            "assignedLicenses",
            "assignedPlans",
            "identities",
            "onPremisesProvisioningErrors",
            "serviceProvisioningErrors",
        ),
        rows(Kind.BOOLEAN, Returned.NEVER, "isCloudManaged"),
    ),
)

DEVICE = EntityType(
    name="device",
    resource="Device",
    collection="devices",
    navigation=frozenset({"memberOf", "transitiveMemberOf"}),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            "displayName | eq in startsWith | ne not null | order search",
            "deviceId | eq in | ne not",
            "operatingSystem",
            "operatingSystemVersion",
            "profileType",
            "trustType",
            "onPremisesSecurityIdentifier",
        ),
        rows(Kind.BOOLEAN, Returned.DEFAULT, "accountEnabled", "isCompliant", "isManaged", "onPremisesSyncEnabled"),
        rows(Kind.DATETIME, Returned.DEFAULT, "onPremisesLastSyncDateTime"),
    ),
)

SERVICE_PRINCIPAL = EntityType(
    name="servicePrincipal",
    resource="ServicePrincipal",
    collection="servicePrincipals",
    navigation=frozenset({"memberOf", "transitiveMemberOf", "appRoleAssignedTo", "synchronization"}),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            "displayName | eq in startsWith | ne not null | order search",
            "appId | eq in | ne not",
            "applicationTemplateId | eq in | ne not",
            "appDisplayName",
            "appOwnerOrganizationId",
            "description",
            "homepage",
            "servicePrincipalType | eq in",
        ),
        rows(Kind.BOOLEAN, Returned.DEFAULT, "accountEnabled", "appRoleAssignmentRequired"),
        rows(Kind.STRINGS, Returned.DEFAULT, "alternativeNames", "servicePrincipalNames", "tags"),
        rows(Kind.COMPLEXES, Returned.DEFAULT, "appRoles"),
        # Read by a path of its own.
        rows(Kind.COMPLEXES, Returned.NEVER, "synchronizationJobs"),
    ),
)

CONTACT = EntityType(
    name="orgContact",
    resource="OrgContact",
    collection="contacts",
    navigation=frozenset({"memberOf", "transitiveMemberOf", "onPremisesSyncBehavior"}),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            "displayName | eq in startsWith | ne not null | order search",
            "companyName",
            "department",
            "givenName",
            "jobTitle",
            "mail | eq in startsWith",
            "mailNickname",
            "surname",
        ),
        rows(Kind.BOOLEAN, Returned.DEFAULT, "onPremisesSyncEnabled"),
        rows(Kind.STRINGS, Returned.DEFAULT, "proxyAddresses"),
        rows(Kind.DATETIME, Returned.DEFAULT, "onPremisesLastSyncDateTime"),
    ),
)

APPLICATION = EntityType(
    name="application",
    resource="Application",
    collection="applications",
    navigation=frozenset({"extensionProperties", "owners"}),
    properties=table(
        _COMMON,
        rows(
            Kind.STRING,
            Returned.DEFAULT,
            "displayName | eq in startsWith | ne not null | order search write",
            "appId | eq in | ne not",
            "signInAudience | eq in startsWith | ne not",
        ),
        rows(Kind.STRINGS, Returned.DEFAULT, "identifierUris | eq startsWith | not | write"),
        rows(Kind.DATETIME, Returned.DEFAULT, "createdDateTime | | eq in ge le ne not"),
        # Read by a path of its own.
        rows(Kind.COMPLEXES, Returned.NEVER, "extensionProperties"),
    ),
)

ENTITIES: Mapping[str, EntityType] = {
    entity.name: entity for entity in (GROUP, USER, DEVICE, SERVICE_PRINCIPAL, CONTACT, APPLICATION)
}
