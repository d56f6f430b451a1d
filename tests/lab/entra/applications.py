# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations and the directory extensions that they declare."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from . import changes, errors
from .calls import Call, Reply, Tenant
from .entities import APPLICATION, GROUP, SERVICE_PRINCIPAL, USER
from .groups import check_properties, require_object
from .listing import list_objects, needed, single_reply, target_of
from .objects import page_of
from .schema import EntityType

_EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_TARGETS: Mapping[str, EntityType] = {"Group": GROUP, "User": USER}
# A value of each type tells the model which values an extension takes.
_SAMPLES: Mapping[str, Any] = {"String": "", "Boolean": True, "Integer": 0}


def list_applications(tenant: Tenant, call: Call) -> Reply:
    return list_objects(
        tenant, call, target_of(APPLICATION), lambda reader: reader.ids("application"), collection="applications"
    )


def create_application(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    check_properties(tenant, call, "application", body, frozenset())
    if not body.get("displayName"):
        raise errors.bad_request("A value must be specified for property 'displayName' of resource 'Application'.")
    uris = [uri.casefold() for uri in body.get("identifierUris", ())]
    held = tenant.directory.fetch(tenant.directory.ids("application"))
    if any(uri.casefold() in uris for one in held for uri in one.properties.get("identifierUris", ())):
        raise errors.bad_request("Another object with the same value for property identifierUris already exists.")
    values = {"identifierUris": [], **body, "appId": str(uuid.uuid4()), "extensionProperties": []}
    made = needed(tenant.directory, changes.create(tenant, APPLICATION, values), APPLICATION)
    return single_reply(tenant, call, made, 201, "applications", typed=False)


def create_service_principal(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    app_id = body.get("appId")
    application = _by_app_id(tenant, app_id)
    if set(body) != {"appId"} or application is None:
        raise errors.bad_request(f"The appId '{app_id}' of the service principal does not reference a valid object.")
    principals = tenant.directory.fetch(tenant.directory.ids("servicePrincipal"))
    if any(one.properties.get("appId") == app_id for one in principals):
        raise errors.GraphError(
            409, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created: appId is in use."
        )
    values = {"appId": app_id, "displayName": application["displayName"]}
    made = needed(tenant.directory, changes.create(tenant, SERVICE_PRINCIPAL, values), SERVICE_PRINCIPAL)
    return single_reply(tenant, call, made, 201, "servicePrincipals", typed=False)


def _by_app_id(tenant: Tenant, app_id: object) -> Mapping[str, Any] | None:
    held = tenant.directory.fetch(tenant.directory.ids("application"))
    return next((one.properties for one in held if one.properties.get("appId") == app_id), None)


def list_extension_properties(tenant: Tenant, call: Call) -> Reply:
    application = needed(tenant.reader(call), call.parameters["id"], APPLICATION)
    context = f"{call.root}/$metadata#applications('{application.id}')/extensionProperties"
    return page_of(tenant, call, list(application.properties.get("extensionProperties") or ()), context)


def create_extension_property(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    application = needed(tenant.directory, call.parameters["id"], APPLICATION)
    name, kind, targets = body.get("name"), body.get("dataType"), body.get("targetObjects")
    if set(body) != {"name", "dataType", "targetObjects"} or not isinstance(name, str) or not isinstance(targets, list):
        raise errors.bad_request("An extension property takes 'name', 'dataType' and 'targetObjects'.")
    if not _EXTENSION.fullmatch(name) or kind not in _SAMPLES or not targets or not set(targets) <= set(_TARGETS):
        raise errors.bad_request("Invalid value specified for a property of resource 'ExtensionProperty'.")
    if _by_principal(tenant, application.properties["appId"]) is None:
        raise errors.bad_request("The application has no service principal in this tenant.")
    full = f"extension_{application.properties['appId'].replace('-', '')}_{name}"
    held = list(application.properties.get("extensionProperties") or ())
    if any(one["name"] == full for one in held):
        raise errors.bad_request(f"An extension property exists with the name {full}.")
    made = {
        "id": str(uuid.uuid4()),
        "deletedDateTime": None,
        "appDisplayName": application.properties["displayName"],
        "dataType": kind,
        "isMultiValued": False,
        "isSyncedFromOnPremises": False,
        "name": full,
        "targetObjects": targets,
    }
    tenant.directory.update(application, {"extensionProperties": [*held, made]})
    for target in targets:
        tenant.model.define_extension(_TARGETS[target], full, _SAMPLES[str(kind)])
    context = f"{call.root}/$metadata#applications('{application.id}')/extensionProperties/$entity"
    return Reply(201, {"@odata.context": context, **made})


def _by_principal(tenant: Tenant, app_id: str) -> str | None:
    held = tenant.directory.fetch(tenant.directory.ids("servicePrincipal"))
    return next((one.id for one in held if one.properties.get("appId") == app_id), None)
