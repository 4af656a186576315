"""The check of the documents: what it finds, each in a small repository of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.documents import options
from bench.documents.check import README_BYTES, pages, problems
from bench.documents.pages import anchors, slug, targets
from bench.errors import BadInputError
from bench.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOXFILE = """
@nox.session(python=False)
def single(session): ...


@nox.session
@nox.parametrize("x", [1])
def tests(session): ...


@nox.session
def secret(session): ...
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose documents are sound."""
    files = {
        "noxfile.py": NOXFILE,
        "README.md": "# One\n\n[two](docs/two.md#a-b) and `bench/here.py`, `--users 5`\n",
        "docs/two.md": '# Two\n\n## A `b`!\n\n[one](../README.md) <a id="x"></a>[x](#x)\n',
        "bench/here.py": "# docs/two.md#a-b says why\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def with_(root: Path, text: str, page: str = "README.md") -> list[str]:
    """What is found once a text is added to a page."""
    path = root / page
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    return problems(root)


def test_sound_documents_have_no_fault(root: Path) -> None:
    """Links up and down, to headings and to ids, and what the code names."""
    assert problems(root) == []


def test_what_leads_elsewhere_is_not_looked_at(root: Path) -> None:
    """No network: addresses are taken as they are."""
    assert with_(root, "[a](https://example.com/x#y) <mailto:a@example.com>") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[a](docs/none.md)", "the link docs/none.md leads nowhere: there is no docs/none.md"),
        ("![a](none.svg)", "the link none.svg leads nowhere: there is no none.svg"),
        ('<img src="no.svg">', "the link no.svg leads nowhere: there is no no.svg"),
        ("[a](docs/two.md#c)", "the link docs/two.md#c leads nowhere: no heading is called #c"),
        ("[a](../b)", "the link ../b leads out of the repository"),
        ("`bench/none.py`", "`bench/none.py` is no file"),
        ("`bench/*.go`", "`bench/*.go` is no file"),
        ("`nox -s nobody`", "`nox -s nobody`: no such session"),
        ("`nox -s secret`", "`nox -s secret`: no test runs this session"),
        ("`--nothing 5`", "`--nothing 5`: no command has --nothing"),
        ("`--users 5 --nothing`", "`--users 5 --nothing`: no command has --nothing"),
    ],
)
def test_a_fault_is_told_with_its_page(root: Path, text: str, fault: str) -> None:
    """One line for each, and nothing else."""
    assert with_(root, text) == [f"README.md: {fault}"]


@pytest.mark.parametrize(
    ("posargs", "told"),
    [
        ("sync_json --nothing", "unrecognized arguments: --nothing"),
        ("sync_json --users", "argument --users: expected one argument"),
        ("sync_json --raw never", "argument --raw: invalid choice"),
    ],
)
def test_options_that_the_session_refuses(root: Path, posargs: str, told: str) -> None:
    """As the harness itself says it."""
    (fault,) = with_(root, f"```sh\nnox -s single -- {posargs}\n```")
    assert fault.startswith(f"README.md: `nox -s single -- {posargs}`: ")
    assert told in fault


def test_more_than_one_session_has_no_run(root: Path) -> None:
    """Nor have options of nox itself."""
    (fault,) = with_(root, "`nox -s single tests`")
    assert "runs no session, or more than one" in fault


def test_what_the_past_was_called_is_no_fault(root: Path) -> None:
    """A changelog names what is no more; its links still lead somewhere."""
    (root / "CHANGELOG.md").write_text("`nox -s torture` `bench/old.py`\n", encoding="utf-8")
    assert problems(root) == []
    assert with_(root, "[a](none.md)", "CHANGELOG.md")[0].startswith("CHANGELOG.md: the link")


def test_the_readme_is_one_sitting(root: Path) -> None:
    """Other pages may be longer."""
    assert with_(root, "x" * README_BYTES, "docs/two.md") == []
    (fault,) = with_(root, "x" * README_BYTES)
    assert fault.endswith(f"bytes, allowed: {README_BYTES}")


@pytest.mark.parametrize("named", ["none.md", "two.md#none"])
def test_what_the_code_says_of_a_page_is_looked_at(root: Path, named: str) -> None:
    """A comment that points nowhere misleads as a link does."""
    (root / "bench/here.py").write_text(f"# see docs/{named}\n", encoding="utf-8")
    (fault,) = problems(root)
    assert fault.startswith(f"bench/here.py: the link docs/{named} leads nowhere")


def test_headings_are_named_as_github_names_them() -> None:
    """Again with a number; code and punctuation don't count."""
    page = "# Why 4 rounds, a Hann window\n\n## `x_y`: z\n\n## `x_y`: z\n"
    assert anchors(page) == {"why-4-rounds-a-hann-window", "x_y-z", "x_y-z-1"}
    assert slug("Where the users are, and why") == "where-the-users-are-and-why"


def test_pictures_for_light_and_dark_are_links() -> None:
    """Both of a `<picture>`."""
    page = '<picture>\n  <source srcset="d.svg">\n  <img alt="x" src="l.svg">\n</picture>\n'
    assert targets(page) == ["d.svg", "l.svg"]


def test_the_table_of_options_has_every_option() -> None:
    """With all sessions that have it; a bar can't end its cell."""
    table = options.table()
    assert "| `--fresh` | `matrix`, `single` |" in table
    assert "| `--raw keep\\|drop` |" in table
    assert all(f"`{name}" in table for name in options.names() - {"--help"})


def test_the_table_of_options_is_renewed_between_its_markers() -> None:
    """And only there; without markers it is refused."""
    page = f"a\n{options.BEGIN}\nold\n{options.END}\nb\n"
    once = options.into(page)
    assert once == f"a\n{options.BEGIN}\n\n{options.table()}\n\n{options.END}\nb\n"
    assert options.into(once) == once
    with pytest.raises(BadInputError):
        options.into("a\n")


def test_our_own_documents_are_sound() -> None:
    """Every page of this repository, and the table of options."""
    page = (ROOT / "docs/options.md").read_text(encoding="utf-8")
    assert options.into(page) == page
    assert problems(ROOT) == []
    assert len(pages(ROOT)) > 15
