"""`report.html`: one file that opens offline, from the verdict and the findings alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import altair
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from leadline import aside
from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.verdict import Verdict
from leadline.report import facts
from leadline.report.layout import Facts

_HERE = Path(__file__).parent
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def write(
    verdict: Verdict, path: str | Path, *, findings: Findings | None = None, steps: Sequence[Contrast] = ()
) -> Path:
    """Write the page.

    Args:
        verdict: the record.
        path: where the page goes; its folder must be there.
        findings: what its layers hold, where they were looked into.
        steps: what the steps of the path brought, where they were looked into.

    Returns:
        The path.

    Raises:
        OutputError: it cannot be written.
    """
    return save(facts.build(verdict, findings, steps), path)


def save(page: Facts, path: str | Path) -> Path:
    """Write a page from its facts."""
    aside.write_text(Path(path), render(page))
    return Path(path)


def html(verdict: Verdict, *, findings: Findings | None = None, steps: Sequence[Contrast] = ()) -> str:
    """The page's text: facts, then template; the drawing library stands inside it."""
    return render(facts.build(verdict, findings, steps))


def render(page: Facts) -> str:
    """The text of a page from its facts."""
    template = _environment().get_template("page.html.j2")
    charts = any(section.charts for section in page.sections)
    style = Markup((_HERE / "page.css").read_text(encoding="utf-8"))
    reader = any(section.reader for section in page.sections)
    script = Markup((_HERE / "reader.js").read_text(encoding="utf-8")) if reader else ""
    return template.render(facts=page, style=style, library=_library() if charts else "", reader=script)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(_HERE)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["forscript"] = _for_script
    return made


def _for_script(text: str) -> Markup:
    """JSON text that cannot end the script element it stands in."""
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _library() -> Markup:
    """Vega, Vega-Lite and Vega-Embed as one script, in the version that altair writes for."""
    wanted = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    known = wanted in vl_convert.get_vegalite_versions()
    script: str = vl_convert.javascript_bundle(_SNIPPET, vl_version=wanted if known else None)
    return Markup(script.replace("</script", "<\\/script").replace("<!--", "<\\!--"))
