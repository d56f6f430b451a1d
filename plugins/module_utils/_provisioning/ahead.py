# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step is begun while the one before it is under way; outcomes come in the order of the steps all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied


@dataclass(frozen=True, slots=True)
class Begun:
    """A change that is being carried out.

    Parameters:
        wait: returns what became of it; raises GpadError when the directory went away.
        lost: returns what to write down of it when the directory went away.
    """

    wait: Callable[[], Applied]
    lost: Callable[[GpadError], Applied]


def one_ahead(begun: Iterator[Begun | None], recorded: Callable[[Applied], Iterator[Applied]]) -> Iterator[Applied]:
    """Yield what became of each change, the next one being begun before.

    Parameters:
        begun: begins a change whenever it is asked for one; None waits for the end of those that were begun.
        recorded: writes an outcome down and yields it; may raise GpadError after that, when nothing more may be done.

    Raises:
        GpadError: nothing more can be done. What was done by then has been yielded, as with any other error.
    """
    under_way: Begun | None = None
    while True:
        following: Begun | None = None
        trouble: Exception | None = None
        is_over = False
        try:
            following = next(begun)
        except StopIteration:
            is_over = True
        except Exception as error:
            trouble = error
        if under_way is not None:
            yield from _finish(under_way, following, recorded)
        if trouble is not None:
            raise trouble
        if is_over:
            return
        under_way = following


def _finish(
    under_way: Begun, following: Begun | None, recorded: Callable[[Applied], Iterator[Applied]]
) -> Iterator[Applied]:
    try:
        applied = under_way.wait()
    except Exception as error:
        late = _outcome(following)
        if late is not None:
            yield from _told(under_way.lost(_known(error)), late, recorded)
            yield from recorded(late)
        raise
    yield from _told(applied, following, recorded)


def _told(
    applied: Applied, following: Begun | Applied | None, recorded: Callable[[Applied], Iterator[Applied]]
) -> Iterator[Applied]:
    """Record an outcome; if that fails, tell of what follows as well: it cannot be written down, but it was done."""
    try:
        yield from recorded(applied)
    except Exception:
        late = following if isinstance(following, Applied) else _outcome(following)
        if late is not None:
            yield late
        raise


def _known(error: Exception) -> GpadError:
    if isinstance(error, GpadError):
        return error
    text = f"A defect of the collection: {type(error).__name__}."
    return GpadError(text, "Please report it with this line.", code="internal_error")


def _outcome(begun: Begun | None) -> Applied | None:
    """Return what became of a change that was begun before it was known that nothing more may be done."""
    try:
        return begun.wait() if begun is not None else None
    except Exception:
        return None
