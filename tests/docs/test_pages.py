"""What the pages say is true: commands and examples run, and nothing that exists is left out."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import shlex
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pages
import pytest
import typer

from leadline import api, cli, errors
from leadline.records import answers, trial, verdict
from leadline.records.base import Record
from leadline.records.verdict import Verdict
from leadline.spec import StackSpec

DOCS = pages.ROOT / "docs"
COMMANDS = DOCS / "commands.md"
RUNNABLE = ("python", "pycon", "console")
PAGES = [page for page in pages.PAGES if any(block.language in RUNNABLE for block in pages.blocks(page))]
VERBS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
PARTS = {**vars(trial), **vars(answers), **vars(verdict)}
RECORDS = {name: kind for name, kind in PARTS.items() if inspect.isclass(kind) and issubclass(kind, Record)}
RECORDS.pop("Record")
LITERALS = (verdict.StopReason, answers.Word, answers.QuestionName, trial.Kind, trial.Role)


@pytest.mark.parametrize("page", PAGES, ids=pages.name)
def test_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "advise", functools.partial(api.advise, **pages.RUN))
    written = sum(block.language in RUNNABLE for block in pages.blocks(page))
    assert pages.run(page) >= written


def test_a_command_that_fails_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    block = pages.Block("console", "$ leadline report nowhere\n", 7)
    with pytest.raises(AssertionError, match=r"line 7.*ended with 1"):
        pages._run(block, {}, "page, line 7")


def test_an_example_that_fails_is_noticed() -> None:
    with pytest.raises(AssertionError, match="Expected"):
        pages._run(pages.Block("pycon", ">>> 1 + 1\n3\n", 1), {}, "page")


def test_every_command_that_is_named_could_be_typed() -> None:
    """Also those in passing: the verb is there, and so are its options."""
    found = list(pages.mentioned())
    assert len(found) > 25
    for text, where in found:
        verb, *arguments = shlex.split(text.partition(" > ")[0])[1:]
        if verb in ("--help", "--version"):
            continue
        assert verb in VERBS, f"{where}: {text}"
        known = options(verb)
        asked = [argument.partition("=")[0] for argument in arguments if argument.startswith("--")]
        assert set(asked) <= known, f"{where}: {text}"


def options(verb: str) -> set[str]:
    """Every option of a verb, `--no-` forms and help included."""
    return {"--help"} | {o for p in VERBS[verb].params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_of_a_verb_is_on_the_page_of_commands(verb: str) -> None:
    found = sections(COMMANDS, 2)
    text = found[f"`leadline {verb}`"]
    if "[reading options](#reading-options)" in text:
        text += found["Reading options"]
    rows = re.findall(r"^\| (`--[^|]*)\|", text, re.MULTILINE)
    described = {option for row in rows for option in re.findall(r"--[a-z-]+", row)}
    assert described == options(verb) - {"--help"}


def test_every_verb_is_on_the_page_of_commands() -> None:
    described = {title for title in sections(COMMANDS, 2) if title.startswith("`leadline ")}
    assert described == {f"`leadline {verb}`" for verb in VERBS}


def test_every_field_of_a_record_is_documented() -> None:
    tables = sections(DOCS / "verdict.md", 3)
    assert len(RECORDS) > 15
    for name, record in RECORDS.items():
        expected = {field.alias or key for key, field in record.model_fields.items()}
        assert documented(tables[f"`{name}`"]) == expected, name
    assert documented(tables["`StackSpec`"]) == {field.name for field in fields(StackSpec)}


def test_every_word_that_a_verdict_may_hold_is_documented() -> None:
    page = (DOCS / "verdict.md").read_text(encoding="utf-8")
    for choice in LITERALS:
        assert [word for word in get_args(choice) if f"| `{word}` |" not in page] == []
    assert f"`{verdict.SCHEMA}`" in page


def test_the_version_of_the_schema_is_in_every_verdict() -> None:
    assert Verdict.model_fields["schema_"].default == "leadline.verdict/2"


def test_every_slug_has_a_section_with_the_next_move() -> None:
    messages = sections(DOCS / "messages.md", 2)
    kinds = [k for k in vars(errors).values() if inspect.isclass(k) and issubclass(k, errors.LeadlineError)]
    assert len(kinds) == 10
    assert {kind.slug for kind in kinds if kind is not errors.LeadlineError} == set(messages) - {
        "internal"
    }  # what nobody foresaw has no class
    for slug, text in messages.items():
        if slug == "internal":
            continue
        kind = next(k for k in kinds if k.slug == slug)
        assert f"`{kind.__name__}`" in text, slug
        assert "Next move" in text, slug


def documented(section: str) -> set[str]:
    """Names in the first column of a section's table."""
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def sections(page: Path, level: int) -> dict[str, str]:
    """Text under each heading of a level, by heading; blocks of code do not count as headings."""
    found: dict[str, str] = {}
    title, inside = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        inside ^= line.startswith("```")
        depth = len(line) - len(line.lstrip("#")) if line.startswith("#") and not inside else 0
        if 0 < depth <= level:
            title = line.lstrip("# ").strip() if depth == level else ""
            found.setdefault(title, "")
        else:
            found[title] = found.get(title, "") + line + "\n"
    found.pop("", None)
    return found


def test_every_page_is_in_the_navigation() -> None:
    text = (pages.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"([\w/-]+\.md)$", text, re.MULTILINE))
    assert listed == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


def test_links_in_the_readme_lead_somewhere() -> None:
    for page in (pages.ROOT / "README.md", pages.ROOT / "CONTRIBUTING.md", pages.ROOT / "CHANGELOG.md"):
        links: list[Any] = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (pages.ROOT / link).exists()] == []


def test_every_dependency_has_its_reason() -> None:
    page = (DOCS / "decisions" / "0004-dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| [^|]{20,} \| [^|]+ \|$", page, re.MULTILINE)
    assert set(rows) == declared()


def test_nothing_is_imported_that_is_not_declared() -> None:
    """But for what the standard library has, and markupsafe, which is a part of jinja2."""
    allowed = {NAMES.get(name, name) for name in declared()} | set(sys.stdlib_module_names) | {"leadline", "markupsafe"}
    found = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for path in (pages.ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert found - allowed == set()
    assert {NAMES.get(name, name) for name in declared()} - found == set()


NAMES = {"vl-convert-python": "vl_convert", "scikit-learn": "sklearn"}


def declared() -> set[str]:
    """Names of the runtime dependencies in pyproject.toml."""
    project = tomllib.loads((pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[<>=~! \[]", text)[0] for text in project["dependencies"]}
