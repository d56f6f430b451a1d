# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON batching: up to twenty calls in one request."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .calls import Call
from .errors import GraphError, bad_request, unparsable
from .faults import change_body, scripted_body
from .service import Answer, Service

_MAX_ITEMS = 20
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
# Microsoft's Python SDK sends "depends_on" in every item; the service ignores it.
_ITEM_KEYS = {"id", "method", "url", "headers", "body", "dependsOn", "depends_on"}
_ECHOED = ("Cache-Control", "x-ms-resource-unit", "OData-Version", "Content-Type", "Retry-After", "Location")


@dataclass(frozen=True, slots=True)
class _Item:
    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    depends_on: tuple[str, ...]


def parse_options(query: str) -> dict[str, str]:
    """Read a query string into options; the names of system options are known in any case.

    Raises GraphError (400) on an option given twice.
    """
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        key = name.lower() if name.startswith("$") else name
        if key in options:
            raise unparsable(f"Query option '{name}' was specified more than once.")
        options[key] = value
    return options


def _item(entry: Any) -> _Item:
    if not isinstance(entry, dict) or set(entry) - _ITEM_KEYS:
        raise bad_request("Invalid batch payload format.")
    item_id, method, url = entry.get("id"), entry.get("method"), entry.get("url")
    if not isinstance(item_id, str) or not item_id:
        raise bad_request("Request Id is required and must be a string.")
    if method not in _METHODS or not isinstance(url, str) or not url:
        raise bad_request(f"Invalid method or url in batch request '{item_id}'.")
    if "://" in url or url.lstrip("/").lower().startswith("$batch"):
        raise bad_request(f"Batch request '{item_id}' must have a relative url and cannot be a batch itself.")
    headers = {name.lower(): str(value) for name, value in entry.get("headers", {}).items()}
    if "body" in entry and "content-type" not in headers:
        raise bad_request(f"Write request '{item_id}' does not contain Content-Type header or body.")
    if method == "POST" and "body" not in entry:
        raise bad_request(f"Write request '{item_id}' does not contain Content-Type header or body.")
    depends = entry.get("dependsOn", [])
    if not isinstance(depends, list):
        raise bad_request("Invalid batch payload format.")
    return _Item(item_id, method, url, headers, entry.get("body"), tuple(depends))


def parse_items(body: Any) -> list[_Item]:
    """Check a batch as a whole.

    Raises GraphError (400): too many items, ids missing or repeated (case counts not), absolute or nested urls, a body
    without Content-Type, and dependencies that are neither absent, one chain, nor one common parent.
    """
    if not isinstance(body, dict) or not isinstance(body.get("requests"), list) or set(body) != {"requests"}:
        raise bad_request("Invalid batch payload format.")
    if not 1 <= len(body["requests"]) <= _MAX_ITEMS:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {_MAX_ITEMS}.")
    items = [_item(entry) for entry in body["requests"]]
    if len({item.id.casefold() for item in items}) != len(items):
        raise bad_request("Request Id is duplicated in the batch.")
    _check_dependencies(items)
    return items


def _check_dependencies(items: list[_Item]) -> None:
    dependent = [item for item in items if item.depends_on]
    if not dependent:
        return
    parents = [item.depends_on[0] for item in dependent]
    ids = {item.id for item in items}
    chain = len(set(parents)) == len(parents)
    common = len(set(parents)) == 1
    single = all(len(item.depends_on) == 1 and item.depends_on[0] != item.id for item in dependent)
    # Following the parents from each item must reach the root: otherwise there is a circle.
    parent_of = {item.id: item.depends_on[0] for item in dependent}
    for item in dependent:
        step, at = 0, item.id
        while at in parent_of and step <= len(items):
            at, step = parent_of[at], step + 1
        single = single and step <= len(items)
    if not (single and set(parents) <= ids and len(dependent) == len(items) - 1 and (chain or common)):
        raise bad_request("Invalid dependsOn: requests are parallel, one chain, or depend on one common request.")


def _ordered(items: list[_Item]) -> list[_Item]:
    done: list[_Item] = []
    waiting = list(items)
    while waiting:
        ready = [item for item in waiting if set(item.depends_on) <= {entry.id for entry in done}]
        done += ready
        waiting = [item for item in waiting if item not in ready]
    return done


def _failed_dependency() -> dict[str, Any]:
    message = "The request could not be completed because a request that it depends on failed."
    return {"error": {"code": "FailedDependency", "message": message}}


def _response(item_id: str, answer: Answer) -> dict[str, Any]:
    headers = {name: answer.headers[name] for name in _ECHOED if name in answer.headers}
    response: dict[str, Any] = {"id": item_id, "status": answer.status, "headers": headers}
    if answer.text is not None:
        response["body"] = base64.b64encode(answer.text.encode()).decode()
    elif answer.body is not None:
        response["body"] = json.loads(json.dumps(answer.body))
    return response


def _run_item(service: Service, outer: Call, item: _Item, number: int) -> Answer:
    split = urlsplit(item.url if item.url.startswith("/") else f"/{item.url}")
    call = Call(
        method=item.method,
        base_url=outer.base_url,
        version=outer.version,
        path=split.path,
        options={},
        headers=item.headers,
        body=item.body,
        app_id=outer.app_id,
        roles=outer.roles,
    )
    target = f"/{outer.version}{split.path}" + (f"?{split.query}" if split.query else "")
    rule = service.faults.find(item.method, target, in_batch=True)
    if rule is not None and rule.action == "status":
        headers = {"Content-Type": "application/json", **rule.options.get("headers", {})}
        answer = Answer(rule.options.get("status", 503), headers, scripted_body(rule))
    else:
        try:
            answer = service.execute(replace(call, options=parse_options(split.query)))
        except GraphError as error:
            answer = service.refuse(call, error)
        if rule is not None:
            body = change_body(rule, answer.body, f"{outer.base_url}{target}")
            answer = Answer(answer.status, answer.headers, body, answer.text, answer.units)
    service.record.add(
        method=item.method,
        target=target,
        headers=item.headers,
        status=answer.status,
        app_id=outer.app_id,
        units=answer.units,
        implemented=answer.implemented,
        body=item.body,
        batch=number,
    )
    return answer


def run_batch(service: Service, outer: Call, number: int) -> Answer:
    """Run the items and answer them in an order of the service's own.

    Raises GraphError (400) when the batch itself is malformed.
    """
    responses: list[dict[str, Any]] = []
    succeeded: dict[str, bool] = {}
    for item in _ordered(parse_items(outer.body)):
        if all(succeeded[parent] for parent in item.depends_on):
            response = _response(item.id, _run_item(service, outer, item, number))
        else:
            response = {"id": item.id, "status": 424, "headers": {}, "body": _failed_dependency()}
        succeeded[item.id] = response["status"] < 400
        responses.append(response)
    if service.tenant.knobs.batch_shuffle:
        service.tenant.random.shuffle(responses)
    return Answer(200, {"Content-Type": "application/json", "OData-Version": "4.0"}, {"responses": responses})
