"""Hostile names in columns, classes, values, sequences and files: no page turns them into elements or code."""

from __future__ import annotations

import csv
import importlib
import random
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from attacks import process
from attacks.arena import Arena
from attacks.outcome import Case, Outcome, judge

KIND = "pages"
OPTIONS = ("--network", "gru:1x4", "--max-trials", "4", "--max-updates", "10", "--jobs", "1")
ROWS, STEPS = 60, 5
MARK = "attackmark"  # name of the element and of the variable that an escaped text would make
CODE = f"window.{MARK}=1"
HOSTILE = (
    f"<script>{CODE}</script>",
    f"</script><script>{CODE}</script>",
    f"</title></style></textarea><{MARK}>",
    f"<img src=x onerror={CODE}>",
    f'"><svg onload={CODE}><{MARK}>',
    f"' onmouseover='{CODE}' x='",
    f'" autofocus onfocus="{CODE}" x="',
    f"<!--<script>{CODE}",
    f"]]><{MARK}>",
    f"&lt;script&gt;{CODE}&lt;/script&gt;<{MARK}>",
    f"\\u003cscript\\u003e{CODE}\\u003c/script\\u003e",
    f"javascript:{CODE}",
    "{{ 7 * 7 }}{% raw %}${7 * 7}#{7*7}",
    "\u202eright to left\u2066",
    "a\0b",
    "x" * 3000,
    "[bold red]not markup[/]",
    '=HYPERLINK("x")',
    "e\u0301\u0300\u0316" * 40,
    "line\u2028separator\u2029",
    "'; drop table trials; --",
    "..\\..\\x",
)


class Elements(HTMLParser):
    """Whether a page holds an element, a handler or a script that the data brought."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element of ours by name, or a handler with our code."""
        if tag == MARK:
            self.brought.append(f"<{tag}>")
        for name, value in attributes:
            if (name.startswith("on") or name in ("href", "src")) and CODE in (value or ""):
                self.brought.append(f"<{tag} {name}={value}>"[:100])

    def handle_data(self, data: str) -> None:
        """A script that is our code and nothing else."""
        if self.lasttag == "script" and data.strip() == CODE:
            self.brought.append("<script>")


def attack(arena: Arena, number: int) -> Case:
    """One study of a table with hostile names, and all its pages."""
    place, draw = arena.work(KIND, number), arena.draw(KIND, number)
    data = place / _file_name(draw)
    names = _write(data, draw)
    command = process.leadline("advise", data, "--target", names["label"], "--sequence", names["id"], *OPTIONS)
    ended = process.run([*command, "--out", str(place / "run")], folder=place)
    outcome, detail = judge(ended)
    name = ", ".join(f"{role} {text[:30]!r}" for role, text in names.items())
    if outcome is Outcome.SURVIVED:
        for page in sorted((place / "run").glob("*.html")):
            if found := [*elements(page), *in_browser(page)]:
                outcome, detail = Outcome.SCRIPT, f"{page.name}: {found[0]}"
    case = Case(KIND, number, name, outcome, detail)
    if case.failed:
        arena.keep(case, place)
    return case


def _file_name(draw: random.Random) -> str:
    """A hostile name, without what no file name may hold and short enough for one."""
    return draw.choice(HOSTILE).replace("/", "").replace("\0", "")[:100] + ".csv"


def _write(path: Path, draw: random.Random) -> dict[str, str]:
    """A table of sequences in which the roles have drawn names; the names by role."""
    roles = ("id", "t", "heat", "event", "label")
    drawn = draw.sample(HOSTILE, len(roles))
    names = {**dict(zip(roles, drawn, strict=True)), "t": "t"}
    for role in ("id", "label"):  # these are arguments of the command, which hold no zero character
        names[role] = names[role].replace("\0", "")
    classes, events = draw.sample(HOSTILE, 2), draw.sample(HOSTILE, 2)
    sequence = draw.choice(HOSTILE)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([names[role] for role in roles])
        for row in range(ROWS):
            heat = [draw.gauss(60, 8) for _ in range(STEPS)]
            label = classes[heat[0] + heat[-1] > 120]
            table.writerows(
                [f"{sequence}{row}", t, round(h, 1), draw.choice(events), label] for t, h in enumerate(heat)
            )
    return names


def elements(page: Path) -> list[str]:
    """What a parser finds that the data brought; a comment that is left open is the browser's to find."""
    parser = Elements()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.brought


def in_browser(page: Path) -> list[str]:
    """What a real browser sees; nothing where Playwright or Chromium is not installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        api: Any = importlib.import_module("playwright.sync_api")
    except ImportError:
        return []
    if program is None:
        return []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        seen = browser.new_context(offline=True).new_page()
        failed: list[str] = []
        seen.on("dialog", lambda dialog: failed.append(f"a dialog: {dialog.message}"))
        seen.on("pageerror", lambda error: failed.append(f"a script of the page failed: {error}"[:200]))
        seen.goto(page.as_uri())
        # The page draws from its data when something is chosen: touch what can be touched.
        for each in seen.locator("option, #reader-strip button, summary").all()[:20]:
            each.dispatch_event("click")
        seen.wait_for_timeout(500)
        if seen.evaluate(f"window.{MARK} !== undefined || document.querySelector('{MARK}') !== null"):
            failed.append("a browser found an element or ran a script of the data")
        browser.close()
    return failed
