# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that makes plain text for Markdown, judged by a parser of Markdown."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.hybrid_identity.gpad.plugins.filter.gpad_markdown import FilterModule, gpad_markdown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_CELL = re.compile(r"<td>(.*?)</td>", re.DOTALL)


def cells(*values: object) -> list[str]:
    """Return what a parser shows in the only row of a table of these values, as HTML."""
    row = "| " + " | ".join(gpad_markdown(value) for value in values) + " |"
    rendered = PARSER.render("\n".join(("|a" * len(values) + "|", "|-" * len(values) + "|", row)))
    assert rendered.count("<tr>") == 2 and rendered.startswith("<table>") and rendered.endswith("</table>\n"), rendered
    return _CELL.findall(rendered)


def test_the_filter_is_found_by_its_name() -> None:
    assert FilterModule().filters() == {"gpad_markdown": gpad_markdown}


@pytest.mark.parametrize(
    "name",
    [
        "a | b || c",
        "a \\| b \\",
        "<img src=x onerror=alert(1)>",
        "![x](http://evil.test/x.png) [y](javascript:1)",
        "*a* _b_ **c** `d` ~~e~~ &lt; &amp; &#42;",
        "<https://evil.test> https://evil.test www.evil.test",
        "Sales & Service (1)",
        "{{ 7 * 7 }} {% raw %}",
    ],
)
def test_a_name_is_shown_as_it_is_and_nothing_else(name: str) -> None:
    shown = cells(name, "next")
    assert [html.unescape(cell) for cell in shown] == [name, "next"]
    assert not any("<" in cell for cell in shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a\nb", "a[U+000A]b"), ("a\r\n\n# b", "a[U+000D][U+000A][U+000A]# b"), ("\u202eexe", "[U+202E]exe"), (None, "")],
)
def test_what_cannot_be_seen_is_named(value: object, shown: str) -> None:
    assert cells(value) == [shown]


@given(
    st.lists(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1), min_size=1, max_size=4)
)
def test_any_text_stays_in_its_cell(values: list[str]) -> None:
    assert [html.unescape(cell) for cell in cells(*values)] == [value.strip(" ") for value in values]


def test_an_address_is_no_link_where_addresses_are_links() -> None:
    assert "www\\." in gpad_markdown("www.evil.test") and "http\\:" in gpad_markdown("http://evil.test")
