# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan file: JSON lines that people can read, with a checksum over all of them.

The first line is the header, then one line for each item, then the footer with the verdict and two checksums: of what
is approved, and of the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Link, PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import replacing

FORMAT = 2
# When the members of a group were read, and not what becomes of them: the last word of a line, and not approved.
_READING = "before_usn"
# Of reading, in bytes.
_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan says of itself.

    Parameters:
        plan_id: a word that no other plan has.
        created_at: ISO 8601, UTC.
        tenant_id: the tenant of the snapshot.
        captured_at: when the snapshot was captured.
        domain: DN of the target domain.
        server: the domain controller that was read.
        check_mode: made in check mode, or from a snapshot that was; never applied.
        container_rule: what decided over containers.
        narrowed: made from a capture of a few named groups, which says nothing of the others.
        groups: how many groups in scope the snapshot holds.
        memberships: how many direct members they have.
        invocation_id: which copy of the directory was read there; empty where that could not be told.
        snapshot_key: id of the key with which the snapshot was verified; empty for none.
        fingerprint: of the snapshot; empty for none.
        other_writers: the jobs that wrote cloud groups to Active Directory when the snapshot was captured.
        incomplete: whether the snapshot lacks something that could not be read or decided.
        looked_at: object ids of the groups that were compared, when an earlier plan found the others as they should
            be; None when all were.
        configuration: digest of the configuration it was made under; empty where that was not said.
        format: version of the file's format.
    """

    plan_id: str
    created_at: str
    tenant_id: str
    captured_at: str
    domain: str
    server: str
    check_mode: bool
    container_rule: str = ""
    narrowed: bool = False
    groups: int = 0
    memberships: int = 0
    invocation_id: str = ""
    snapshot_key: str = ""
    fingerprint: str = ""
    other_writers: tuple[str, ...] = ()
    incomplete: bool = False
    looked_at: tuple[str, ...] | None = None
    configuration: str = ""
    format: int = FORMAT

    @property
    def database(self) -> Database:
        """The copy of the directory that was read."""
        return Database(self.server, self.invocation_id)


@dataclass(frozen=True, slots=True)
class PlanFooter:
    """How a plan ended.

    Parameters:
        counts: changes by kind.
        breaches: limits exceeded, in words; a plan with any is not applied.
        checksum: what is approved: SHA-256 of tenant, domain, container rule, items and breaches. Plans of the same
            changes have the same one, whenever they were made.
        integrity: SHA-256 of all lines before this one, and of what else it says.
    """

    counts: Mapping[str, int]
    breaches: tuple[str, ...]
    checksum: str
    integrity: str


_WORDS: Mapping[type, str] = {
    GroupChange: "group",
    MemberChange: "members",
    Skip: "skip",
    Problem: "problem",
    Notice: "notice",
    Question: "question",
}


# By how each line of a kind begins, up to the first comma.
_BY_START: Mapping[bytes, str] = {f'{{"line":"{word}"'.encode(): word for word in _WORDS.values()}
_PLACES: Mapping[str, int] = {word: place for place, word in enumerate(_WORDS.values())}

# The fields of what has too many instances for dataclasses.asdict, which copies each value.
_FIELDS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(one.name for one in fields(kind)) for kind in (*_WORDS, Link, Wanted) if is_dataclass(kind)
}


def _content(item: Any) -> dict[str, Any]:
    """Return the fields of an item, of a link or of a wanted one, in their order."""
    return {name: getattr(item, name) for name in _FIELDS[type(item)]}


def _line(word: str, content: Mapping[str, Any]) -> str:
    return json.dumps({"line": word, **content}, ensure_ascii=False, separators=(",", ":")) + "\n"


def integrity_of(lines: hashlib._Hash, footer: Mapping[str, Any]) -> str:
    """Return the checksum of a file.

    Parameters:
        lines: of all lines before the footer.
        footer: the footer.
    """
    whole = lines.copy()
    said = {name: value for name, value in footer.items() if name not in ("line", "integrity")}
    whole.update(json.dumps(said, sort_keys=True).encode())
    return whole.hexdigest()


class PlanWriter:
    """Writes a plan line by line."""

    def __init__(self, stream: TextIOWrapper, header: PlanHeader) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._write("header", asdict(header))
        self._approved = hashlib.sha256()
        self._approve([header.tenant_id, header.domain, header.container_rule])

    def _approve(self, what: object) -> None:
        self._approved.update(json.dumps(what, sort_keys=True).encode() + b"\n")

    def _write(self, word: str, content: Mapping[str, Any]) -> None:
        self._put(_line(word, content))

    def _put(self, line: str) -> None:
        self._hash.update(line.encode())
        self._stream.write(line)

    def add(self, item: PlanItem) -> None:
        """Write one item."""
        word, content = _WORDS[type(item)], _content(item)
        if isinstance(item, MemberChange):
            self._add_members(word, content)
            return
        if isinstance(item, GroupChange):
            content["action"] = item.action.value
        elif isinstance(item, Question):
            content["about"] = item.about.value
        self._approve([word, content])
        self._write(word, content)

    def _add_members(self, word: str, content: dict[str, Any]) -> None:
        """Write the change of a group's members, of which there may be many thousands: put into words only once."""
        reading = content.pop(_READING)
        content["add"] = [{**_content(want), "kind": want.kind.value} for want in content["add"]]
        content["remove"] = [_content(link) for link in content["remove"]]
        line = _line(word, content)
        self._approved.update(line.encode())
        self._put(f'{line[:-2]},"{_READING}":{reading}}}\n')

    def finish(self, counts: Mapping[str, int], breaches: tuple[str, ...]) -> PlanFooter:
        """Write the footer and return it."""
        self._approve(list(breaches))
        draft = PlanFooter(dict(counts), breaches, self._approved.hexdigest(), "")
        footer = replace(draft, integrity=integrity_of(self._hash, asdict(draft)))
        self._stream.write(_line("footer", asdict(footer)))
        return footer


@contextmanager
def writing(path: Path, header: PlanHeader) -> Iterator[PlanWriter]:
    """Give a writer of a new plan, which takes its place only when the block ends well.

    Raises:
        StoreError: the path cannot be written.
    """
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as stream:
        yield PlanWriter(stream, header)


def _values(content: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in content.items()}


_KINDS: Mapping[str, PrincipalKind] = {kind.value: kind for kind in PrincipalKind}


def _group(content: dict[str, Any]) -> GroupChange:
    content["action"] = Action(content["action"])
    content["before"], content["after"] = _values(content["before"]), _values(content["after"])
    content["ignored"] = tuple(content["ignored"])
    return GroupChange(**content)


def _members(content: dict[str, Any]) -> MemberChange:
    for want in content["add"]:
        want["kind"] = _KINDS[want["kind"]]
    content["add"] = tuple(Wanted(**want) for want in content["add"])
    content["remove"] = tuple(Link(**link) for link in content["remove"])
    return MemberChange(**content)


_READERS: Mapping[str, Callable[[dict[str, Any]], PlanItem]] = {
    "group": _group,
    "members": _members,
    "skip": lambda content: Skip(**content),
    "problem": lambda content: Problem(**content),
    "notice": lambda content: Notice(**content),
    "question": lambda content: Question(Subject(content["about"]), content["value"]),
}


class _Reading(io.RawIOBase):
    """Reads a stretch of an open file, whoever else reads it.

    Parameters:
        file: the file.
        start: where the stretch begins, in bytes.
        end: where it ends.
    """

    def __init__(self, file: io.FileIO, start: int, end: int) -> None:
        self._file = file
        self._at, self._end = start, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = os.pread(self._file.fileno(), min(len(buffer), self._end - self._at), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class _Index:
    """Where in a plan the lines of each kind stand, as stretches of lines of one kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._starts = array("Q")
        self._words = array("B")

    def note(self, word: str, start: int) -> None:
        """Take in the line that begins at a byte; they are told in their order."""
        self.counts[word] += 1
        place = _PLACES[word]
        if not self._words or self._words[-1] != place:
            self._starts.append(start)
            self._words.append(place)

    def end(self, at: int) -> None:
        """Take in where the last line ends."""
        self._starts.append(at)

    def stretches(self, words: Iterable[str]) -> Iterator[tuple[int, int]]:
        """Yield the stretches of some kinds in their order: where each begins and ends, in bytes."""
        wanted = {_PLACES[word] for word in words}
        for number, place in enumerate(self._words):
            if place in wanted:
                yield self._starts[number], self._starts[number + 1]


class PlanFile:
    """A plan opened for reading, its checksum verified.

    What is read later is the file that was verified, also when another plan has taken its place since.

    Raises:
        StoreError: the file is missing, cut, changed, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = _Index()
        try:
            self._file = io.FileIO(path)
            self.header, self.footer = self._verify()
        except FileNotFoundError:
            raise StoreError(f"The plan {path} does not exist.", "Run gpad_plan first.", code="plan_missing") from None
        except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, str(error)) from None

    def close(self) -> None:
        """Close the file; nothing can be read from it any more."""
        self._file.close()

    def _lines(self, start: int, end: int) -> Iterator[bytes]:
        return iter(io.BufferedReader(_Reading(self._file, start, end), max(1, min(end - start, _BUFFER))))

    def _verify(self) -> tuple[PlanHeader, PlanFooter]:
        digest = hashlib.sha256()
        size = os.fstat(self._file.fileno()).st_size
        lines = self._lines(0, size)
        first = last = next(lines, b"")
        at = 0
        for line in lines:
            digest.update(last)
            at += len(last)
            word = _BY_START.get(line[: line.find(b",")])
            if word is not None:
                self._index.note(word, at)
            last = line
            if word is None:
                break
        if next(lines, None) is not None:
            raise ValueError("a line is not one of a plan")
        self._index.end(at)
        header = json.loads(first or "null")
        footer = json.loads(last or "null")
        if not isinstance(header, dict) or header.pop("line", "") != "header" or header.get("format") != FORMAT:
            raise ValueError("it is not a plan of this version")
        if not isinstance(footer, dict) or footer.pop("line", "") != "footer":
            raise ValueError("its end is missing")
        if footer["integrity"] != integrity_of(digest, footer):
            raise ValueError("its contents do not fit its checksum")
        footer["breaches"] = tuple(footer["breaches"])
        header["other_writers"] = tuple(header.get("other_writers", ()))
        header["looked_at"] = None if header.get("looked_at") is None else tuple(header["looked_at"])
        return PlanHeader(**header), PlanFooter(**footer)

    def items(self) -> Iterator[PlanItem]:
        """Yield the items in the order in which they were planned."""
        return self._read(_READERS)

    def items_of(self, *kinds: type) -> Iterator[PlanItem]:
        """Yield the items of some kinds, in that order; lines of others, which may be long, are not read."""
        return self._read([_WORDS[kind] for kind in kinds])

    def count(self, kind: type) -> int:
        """Return how many items of a kind there are, without reading them."""
        return self._index.counts[_WORDS[kind]]

    def _read(self, words: Iterable[str]) -> Iterator[PlanItem]:
        for start, end in self._index.stretches(words):
            for line in self._lines(start, end):
                content = cast("dict[str, Any]", json.loads(line))
                yield _READERS[content.pop("line")](content)

    def questions(self, about: Subject) -> frozenset[str]:
        """Return what the next capture should ask of a kind."""
        items = (item for item in self.items_of(Question) if isinstance(item, Question))
        return frozenset(item.value for item in items if item.about is about)

    def written_attributes(self) -> frozenset[str]:
        """Return the attributes that the plan's group changes write, which their before-state speaks of."""
        changes = (item for item in self.items_of(GroupChange) if isinstance(item, GroupChange))
        return frozenset(name for change in changes for name in change.before if name != "cn")


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(f"The plan {path} cannot be used: {why}.", "Run gpad_plan again.", code="plan_damaged")
