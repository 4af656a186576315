"""What users of one's own application ask, and what a right answer is."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles import layout, requests


def kind(**given: Any) -> dict[str, Any]:
    """A kind of request as the load generator is told of it."""
    return {
        "name": "k", "method": "GET", "path": "/", "query": {}, "vary": {}, "headers": {},
        "body": None, "encoding": None, "expect": {"status": 200, "contains": ()}, **given,
    }  # fmt: skip


def test_lists_go_on_side_by_side() -> None:
    """Each by itself, from the first again after its last; all forms before any comes again."""
    found = requests.variants(kind(query={"page": ("1", "2", "3"), "by": ("a", "b")}), {})
    targets = [one.target for one in found]
    assert targets[:4] == ["/?page=1&by=a", "/?page=2&by=b", "/?page=3&by=a", "/?page=1&by=b"]
    assert len(set(targets)) == len(targets) == 6


def test_no_list_makes_more_forms_than_can_be_held() -> None:
    """Of lists whose lengths have no common factor."""
    lists = {name: tuple(map(str, range(n))) for name, n in (("a", 997), ("b", 991))}
    assert len(requests.variants(kind(vary=lists), {})) == requests.MOST_VARIANTS


def test_variables_are_encoded_for_where_they_stand() -> None:
    """A value can't end the part of the request that it is in."""
    values = {"V": 'a/b?c&d="é"\r\n'}
    (found,) = requests.variants(
        kind(path="/x/${V}", query={"q": ("${V}",)}, body='{"v": "${V}"}', encoding="json"), values
    )
    path, _, query = found.target.partition("?")
    assert path == f"/x/{quote(values['V'], safe='')}"
    assert parse_qsl(query) == [("q", values["V"])]
    assert json.loads(found.body) == {"v": values["V"]}
    (form,) = requests.variants(kind(body="v=${V}&w=1", encoding="form"), values)
    assert parse_qsl(form.body.decode()) == [("v", values["V"]), ("w", "1")]


@given(st.text(), st.text())
def test_any_text_arrives_as_it_is(name: str, value: str) -> None:
    """As a query's name and value."""
    try:
        (found,) = requests.variants(kind(query={name: (value,)}), {})
    except (UnicodeEncodeError, requests.LackingError):
        return  # no text of a file: half a surrogate pair; or it is a variable
    query = urlsplit(f"http://x{found.target}").query
    assert parse_qsl(query, keep_blank_values=True) == [(name, value)]


def test_a_variable_without_a_value_is_named() -> None:
    """Nothing is sent with a hole in it."""
    with pytest.raises(requests.LackingError, match=r"\$\{TOKEN\} has no value"):
        requests.variants(kind(headers={"Authorization": "Bearer ${TOKEN}"}), {})
    assert requests.names(kind(path="/${a}/${b}", vary={"a": ("1",)})) == {"b"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b"an id here", None),
        (404, b"id", "HTTP 404"),
        (302, b"id", layout.redirect(302)),
        (200, b"nothing", layout.WRONG_BODY),
    ],
)
def test_what_is_wrong_with_an_answer(status: int, body: bytes, told: str | None) -> None:
    """Its status first, then what should stand in it."""
    assert requests.wrong({"status": 200, "contains": ["id"]}, status, body) == told


def test_a_redirect_may_be_what_is_expected() -> None:
    """Then it is right, and 200 is not."""
    assert requests.wrong({"status": 302, "contains": []}, 302, b"") is None
    assert requests.wrong({"status": 302, "contains": []}, 200, b"") == "HTTP 200"


def test_what_a_login_gives() -> None:
    """By place, through mappings and lists; numbers as text."""
    body = b'{"access_token": "t", "user": {"ids": [7, 8]}}'
    assert requests.taken(body, {"T": "access_token", "I": "user.ids.1"}) == {"T": "t", "I": "8"}
    for place in ("none", "user", "user.ids.2", "access_token.x"):
        with pytest.raises(requests.LackingError, match=place):
            requests.taken(body, {"T": place})
    with pytest.raises(requests.LackingError, match="no JSON"):
        requests.taken(b"<html>", {"T": "x"})


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_kinds_come_as_often_as_their_weights_say_and_evenly(weights: list[int]) -> None:
    """At no moment is one more than a turn ahead of its share (smooth weighted round robin)."""
    order = requests.turns(weights)
    assert Counter(order) == dict(enumerate(weights))
    total = sum(weights)
    for at in range(len(order)):
        had = Counter(order[: at + 1])
        for number, weight in enumerate(weights):
            assert abs(had[number] - (at + 1) * weight / total) < len(weights)


SECRET = "p4ss/wörd+1"  # noqa: S105


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps({"key": SECRET}),
        json.dumps({"key": SECRET}, ensure_ascii=False),
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        *(base64.b64encode(b"x" * n + SECRET.encode() + b"yy").decode() for n in range(3)),
        base64.b64encode(f"ada:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"ada:{SECRET}".encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    """What stands around it stays."""
    told = requests.hidden(f"before {form} after", [SECRET])
    assert told.startswith("before ")
    assert told.endswith(" after")
    assert "***" in told
    assert SECRET not in told
    for encoded in (form[4:-4] if len(form) > 24 else form,):
        assert encoded not in told


def test_without_secrets_a_text_stays() -> None:
    """As it is."""
    assert requests.hidden("a text", []) == "a text"
    assert requests.hidden("a text", [""]) == "a text"
