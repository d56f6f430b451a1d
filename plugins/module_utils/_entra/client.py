# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls to Microsoft Graph: one at a time, page by page, or in batches of what is read."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings, TokenSource
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http import (
    LONGEST_WAIT,
    PUT_OFF,
    network_problem,
    open_session,
    read_body,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.quota import Quota
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError

# Where it is missing, _entra.http holds the reason, and the runner reports it before any call.
with contextlib.suppress(ImportError):
    import requests
    from urllib3.exceptions import HTTPError as BodyError

BATCH_SIZE = 20
_BODY_TRIES = 3
_BATCH_TRIES = 6
_MOST_PAGES = 100_000
_LONGEST_NUMBER = 10
_WRITTEN = frozenset({200, 201, 204})

ADVANCED = {"ConsistencyLevel": "eventual"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request; it reads, unless another method is named.

    Parameters:
        path: relative to the version, with the query.
        need: application permissions of which one suffices.
        headers: further headers.
        version: `v1.0`, or `beta` for what only that knows.
        method: `GET`, or how it writes.
        units: resource units that it is expected to cost.
    """

    path: str
    need: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = "v1.0"
    method: str = "GET"
    units: int = 1


class GraphClient:
    """Asks Microsoft Graph and counts its requests; may be used by several threads."""

    def __init__(self, settings: EntraSettings) -> None:
        self.requests: Counter[str] = Counter()
        self._base = settings.graph_url
        self._tokens = TokenSource(settings)
        self._session = open_session(settings.ca_cert)
        self.quota = Quota()
        self._lock = threading.Lock()

    @property
    def roles(self) -> frozenset[str]:
        """The application permissions in the token."""
        return self._tokens.roles

    def log_on(self) -> None:
        """Get a token, so that a refused log-on is told before anything else.

        Raises:
            EntraError: the log-on failed.
        """
        self._headers({})

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        with self._lock:
            token = self._tokens.token()
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **more,
        }

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: object = None, *, units: int
    ) -> tuple[int, Any]:
        """Return status and parsed body; a body that is cut or spliced counts as no answer and is asked for again.

        It waits until the quota of the application has room for it.

        Raises:
            EntraError: no usable answer came.
        """
        with self._lock:
            self.requests[method] += 1
        code, why, remedy = "entra_answer_broken", "its answer could not be read", "Run again."
        for attempt in range(_BODY_TRIES):
            if attempt:
                time.sleep(2**attempt)
            self.quota.take(units)
            try:
                answer = self._session.request(method, url, headers=self._headers(headers), json=body, stream=True)
                with answer:
                    content = read_body(answer, _short(url))
                self.quota.answered(units, answer.headers)
                return answer.status_code, json.loads(content) if content else {}
            except requests.exceptions.RequestException as error:
                code, why, remedy = network_problem(error)
                if code == "entra_not_trusted":
                    break
            except (ValueError, OSError, RecursionError, BodyError):  # the raw body is read past requests
                continue
        raise EntraError(f"Microsoft Graph at {self._base}: {why} ({_short(url, method)}).", remedy, code=code)

    def write(self, call: Call, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the body of the answer to a writing request, which may be empty.

        What sets a value may be sent twice, and what creates something has a unique key. A request that gets no answer
        may have been carried out all the same.

        Raises:
            EntraError: it was refused, or no answer came.
        """
        headers = {"Content-Type": "application/json", **call.headers}
        status, answer = self._send(call.method, self._absolute(call), headers, body, units=0)
        if status not in _WRITTEN:
            raise self.refusal(call, status, answer)
        return answer if isinstance(answer, dict) else {}

    def get(self, call: Call) -> Mapping[str, Any]:
        """Return the body of one GET.

        Raises:
            EntraError: it failed.
        """
        status, body = self._send("GET", self._absolute(call), call.headers, units=call.units)
        if status != 200:
            raise self.refusal(call, status, body)
        return object_of(body, call.path)

    def _absolute(self, call: Call) -> str:
        return f"{self._base}/{call.version}{call.path}"

    def pages(self, call: Call) -> Iterator[Mapping[str, Any]]:
        """Yield all pages of a collection.

        Raises:
            EntraError: a page could not be read, so that the collection is not whole.
        """
        return self.pages_from(self._absolute(call), call)

    def pages_from(self, link: str, call: Call) -> Iterator[Mapping[str, Any]]:
        """Yield all pages from a link on that the service gave out before.

        Parameters:
            link: absolute.
            call: what it belongs to; its headers are sent with each page.

        Raises:
            EntraError: a page could not be read, so that the collection is not whole.
        """
        self.refuse_foreign(link, call.path)
        url: str | None = link
        seen: set[str] = set()
        while url:
            _refuse_again(url, seen, call.path)
            seen.add(url)
            status, body = self._send("GET", url, call.headers, units=call.units)
            if status != 200:
                raise self.refusal(call, status, body)
            page = object_of(body, call.path)
            yield page
            url = self.next_link(page, call.path)

    def next_link(self, page: Mapping[str, Any], what: str) -> str | None:
        """Return the link to the next page, or None at the end.

        Raises:
            EntraError: the link leads to another host, where the token must not go.
        """
        link = page.get("@odata.nextLink")
        if link is None:
            return None
        self.refuse_foreign(link, what)
        return str(link)

    def refuse_foreign(self, link: object, what: str) -> None:
        """Refuse a link to another host.

        Raises:
            EntraError: the token must not go there.
        """
        if not isinstance(link, str) or urlsplit(link)[:2] != urlsplit(self._base)[:2]:
            raise _leads_elsewhere(what)

    def follow(self, call: Call, first: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the first page, which came from elsewhere, and all after it."""
        yield first
        following = self.following(call, first, {call.path})
        if following is not None:
            yield from self.pages(following)

    def following(self, call: Call, page: Mapping[str, Any], asked: Collection[str]) -> Call | None:
        """Return the call for the page after one, or None at the end.

        Parameters:
            call: the one that gave the page.
            page: its answer.
            asked: paths of the pages so far.

        Raises:
            EntraError: the link leads out of the end point, or to a page that was there before.
        """
        what = call.path.partition("?")[0]
        link, root = self.next_link(page, what), f"{self._base}/{call.version}"
        if link is None:
            return None
        if not link.startswith(f"{root}/"):
            raise _leads_elsewhere(what)
        path = link.removeprefix(root)
        _refuse_again(path, asked, what)
        return replace(call, path=path)

    def batch(self, calls: Sequence[Call]) -> list[tuple[int, Any]]:
        """Return status and body of each of at most 20 GETs, in their order.

        What the service puts off (429, 5xx) is sent again after the longest wait that it asks for.

        Raises:
            EntraError: the batch as a whole failed.
        """
        answers: dict[int, tuple[int, Any]] = {}
        waiting = list(range(len(calls)))
        version = "beta" if any(call.version == "beta" for call in calls) else "v1.0"
        for attempt in range(_BATCH_TRIES):
            body = {
                "requests": [
                    {"id": str(n), "method": "GET", "url": calls[n].path, "headers": dict(calls[n].headers)}
                    for n in waiting
                ]
            }
            # The service counts the requests inside, each by its own answer.
            self.quota.take(sum(calls[n].units for n in waiting))
            status, answer = self._send(
                "POST", f"{self._base}/{version}/$batch", {"Content-Type": "application/json"}, body, units=0
            )
            if status != 200:
                raise self.refusal(Call("/$batch", ()), status, answer)
            got, wait = _read_batch(answer, waiting)
            for number, found in got.items():
                self.quota.answered(calls[number].units, found.headers)
            answers.update((number, (found.status, found.body)) for number, found in got.items())
            waiting = [n for n in waiting if n not in answers or answers[n][0] in PUT_OFF]
            if not waiting:
                break
            if attempt + 1 < _BATCH_TRIES:
                time.sleep(min(LONGEST_WAIT, wait if wait is not None else 2**attempt))
        if len(answers) != len(calls):
            raise EntraError("A batch came back without all its answers.", "Run again.", code="entra_answer_broken")
        return [answers[n] for n in range(len(calls))]

    def refusal(self, call: Call, status: int, body: Any) -> EntraError:
        """Return the error for an answer that is not 200."""
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        code, message = str(error.get("code") or status), " ".join(str(error.get("message") or "").split())
        what = _short(call.path, call.method)
        if status == 403 and call.need:
            has = ", ".join(sorted(self.roles)) or "none"
            return EntraError(
                f"Microsoft Graph refused {what}: the application lacks the permission {call.need[0]} (it has: {has}).",
                f"Grant the application permission {call.need[0]} and consent to it.",
                code="permission_missing",
            )
        remedy = (
            "Check the clock and the application." if status == 401 else "Run again later." if status >= 429 else ""
        )
        return EntraError(f"Microsoft Graph refused {what}: {status} {code}: {message}", remedy, code=f"entra_{status}")


def object_of(body: Any, what: str) -> Mapping[str, Any]:
    """Return the body of an answer.

    Parameters:
        body: the body.
        what: path of the call.

    Raises:
        EntraError: it is no object, or an error was put into it.
    """
    if not isinstance(body, dict) or "error" in body:
        raise EntraError(
            f"{_short(what)}: the answer is not what it should be.", "Run again.", code="entra_answer_broken"
        )
    return body


def _leads_elsewhere(what: str) -> EntraError:
    return EntraError(f"{what}: the link to the next page leads elsewhere.", code="entra_link_foreign")


def _refuse_again(link: str, seen: Collection[str], what: str) -> None:
    if link in seen or len(seen) >= _MOST_PAGES:
        raise EntraError(f"{what}: the pages never end.", "Run again.", code="entra_pages_endless")


def _short(url: str, method: str = "GET") -> str:
    """Return a URL without its query, which may hold a token of the service's."""
    return f"{method} " + urlsplit(url).path.replace("/v1.0", "", 1)


class _Answer(NamedTuple):
    """One answer of a batch."""

    status: int
    body: Any
    headers: Mapping[str, str]


def _read_batch(answer: Any, waiting: Iterable[int]) -> tuple[dict[int, _Answer], float | None]:
    got: dict[int, _Answer] = {}
    waits: list[float] = []
    expected = set(waiting)
    responses = answer.get("responses") if isinstance(answer, dict) else None
    for item in responses if isinstance(responses, list) else ():
        number = _number(item.get("id")) if isinstance(item, dict) else None
        if number is not None and number in expected and isinstance(item.get("status"), int):
            headers = item.get("headers")
            told = (
                {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
            )
            got[number] = _Answer(item["status"], item.get("body"), told)
            after = _number(told.get("retry-after"))
            if after is not None:
                waits.append(after)
    return got, max(waits) if waits else None


def _number(value: object) -> int | None:
    """Return the number that a text stands for; str.isdigit is no test, it also knows what int cannot read."""
    text = str(value)
    return int(text) if len(text) < _LONGEST_NUMBER and text.isascii() and text.isdecimal() else None
