# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's own SDK takes the emulator for Graph."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

import httpx
import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.generated.groups.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

# msgraph_core ships no type information.
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]
from msgraph_core.requests.batch_request_content import BatchRequestContent  # type: ignore[import-untyped]
from msgraph_core.requests.batch_request_item import BatchRequestItem  # type: ignore[import-untyped]

from tests.lab.entra.admin import EntraAdmin

from .tenant import TENANT, Emulator, app_id, oid


def _client(emulator: Emulator) -> GraphServiceClient:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(emulator.pki.certificate)
    host = emulator.url.removeprefix("https://")
    credential = ClientSecretCredential(
        TENANT,
        app_id("all"),
        "all-secret",
        authority=host,
        disable_instance_discovery=True,
        transport=RequestsTransport(
            session=session, session_owner=False, connection_verify=str(emulator.pki.certificate)
        ),
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host.partition(":")[0], host]
    )
    context = ssl.create_default_context(cafile=str(emulator.pki.certificate))
    http = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(verify=context, trust_env=False))
    adapter = GraphRequestAdapter(provider, http)
    adapter.base_url = f"{emulator.url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_the_sdk_lists_groups(emulator: Emulator) -> None:
    async def work() -> None:
        found = await _client(emulator).groups.get()
        assert found is not None
        assert found.value is not None
        assert {group.display_name for group in found.value} >= {"sales", "marketing"}

    _run(work())


def test_the_sdk_pages_members(emulator: Emulator) -> None:
    query = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters(top=12, select=["id", "displayName"])
    configuration = MembersRequestBuilder.MembersRequestBuilderGetRequestConfiguration(query_parameters=query)

    async def work() -> None:
        builder = _client(emulator).groups.by_group_id(oid("large")).members
        page = await builder.get(request_configuration=configuration)
        seen: list[str | None] = []
        while page is not None:
            seen += [member.id for member in page.value or []]
            page = await builder.with_url(page.odata_next_link).get() if page.odata_next_link else None
        assert seen == [oid(f"u{number}") for number in range(30)]

    _run(work())


def test_the_sdk_runs_delta_rounds(emulator: Emulator, admin: EntraAdmin) -> None:
    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["displayName", "members"])
    configuration = DeltaRequestBuilder.DeltaRequestBuilderGetRequestConfiguration(query_parameters=query)
    admin.knobs(delta_page=4)

    async def work() -> None:
        builder = _client(emulator).groups.delta
        page = await builder.get(request_configuration=configuration)
        seen: set[str | None] = set()
        while page is not None and page.odata_delta_link is None:
            seen |= {group.id for group in page.value or []}
            assert page.odata_next_link is not None
            page = await builder.with_url(page.odata_next_link).get()
        assert page is not None
        assert page.odata_delta_link is not None
        assert len(seen | {group.id for group in page.value or []}) == 11
        admin.add_member(oid("empty"), oid("u0"))
        changed = await builder.with_url(page.odata_delta_link).get()
        assert changed is not None
        groups = changed.value or []
        assert [group.id for group in groups] == [oid("empty")]
        assert str(groups[0].additional_data["members@delta"][0]["id"]) == oid("u0")

    _run(work())


def test_the_sdk_runs_a_batch(emulator: Emulator) -> None:
    async def work() -> None:
        client = _client(emulator)
        content = BatchRequestContent()
        for name in ("sales", "nobody"):
            request = client.groups.by_group_id(oid(name)).to_get_request_information()
            content.add_request(name, BatchRequestItem(request, name))
        answer = await client.batch.post(content)
        assert answer.get_response_status_codes() == {"sales": 200, "nobody": 404}

    _run(work())


def test_the_sdk_reads_an_error(emulator: Emulator) -> None:
    query = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters(filter="onPremisesSyncEnabled ne true")
    configuration = GroupsRequestBuilder.GroupsRequestBuilderGetRequestConfiguration(query_parameters=query)

    async def work() -> None:
        try:
            await _client(emulator).groups.get(request_configuration=configuration)
        except ODataError as error:
            assert error.response_status_code == 400
            assert error.error is not None
            assert error.error.code == "Request_UnsupportedQuery"
        else:
            raise AssertionError("the query was not refused")

    _run(work())
