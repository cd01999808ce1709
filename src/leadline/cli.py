"""The command line: one function per verb, each one library call. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from leadline.accidents import NobodyReads, line, misused, put, require_memory, say, show
from leadline.aside import shown
from leadline.cli_options import Data, Seed, Subset, Test, with_read_options

app = typer.Typer(
    name="leadline",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="How deep should a recurrent network be for your sequences? A measured answer.",
)

INTERRUPTED = 130  # as shells have it


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        put(f"leadline {version('leadline')}")
        raise typer.Exit


@app.callback()
def _leadline(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is, and end.")
    ] = False,
) -> None:
    if context.invoked_subcommand not in (None, "report"):
        require_memory()
    if context.invoked_subcommand is None:
        put(context.get_help())


@app.command()
@with_read_options
def advise(
    context: typer.Context,
    data: Data = None,
    *,
    read_options: Any,
    seed: Seed = 0,
    budget: Annotated[
        str, typer.Option(help="Wall time: 90s, 15m, 2h, reading included; 'none' for no limit.")
    ] = "15m",
    max_trials: Annotated[int | None, typer.Option(help="Cut the search after so many trials.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Worker processes; by default one per core.")] = None,
    causal: Annotated[bool, typer.Option("--causal", help="The network may not see the future.")] = False,
    max_look_ahead: Annotated[int | None, typer.Option(help="It may see at most so many next steps.")] = None,
    margin: Annotated[float | None, typer.Option(help="Smallest effect worth its cost, in the score's unit.")] = None,
    network: Annotated[
        str | None, typer.Option("--network", "--start", help="Your own network, which races: lstm:3x256:both.")
    ] = None,
    split_seed: Annotated[int, typer.Option(help="Another one gives other parts of the data.")] = 0,
    max_updates: Annotated[int | None, typer.Option(help="Cap of updates for every network.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.")] = None,
    test: Test = None,
    subset: Subset = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print verdict.json on standard output.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and what it may cost.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Look into the layers of the advised network at the end.")
    ] = True,
) -> None:
    """Measure what network your sequences want, and train it."""
    from leadline import api
    from leadline.loading import load_settled
    from leadline.progress import Display
    from leadline.study.advise import prepare

    sequences, reading = load_settled(data, read_options=read_options, test=test, subset=subset)
    options = api.study_options(
        seed=seed,
        minutes=None if budget == "none" else api.minutes(budget),
        max_trials=max_trials,
        jobs=jobs,
        causal=causal,
        max_look_ahead=max_look_ahead,
        margin=margin,
        network=network,
        split_seed=split_seed,
        max_updates=max_updates,
        out=out,
        explain=explain,
        command=shown(shlex.join(["leadline", *sys.argv[1:]])),
        began=time.monotonic() if context.obj is None else context.obj,
    )
    prepared = prepare(sequences, options)
    if dry_run:
        from leadline.dry import describe

        put(describe(prepared))
        return
    with Display(options.minutes, options.jobs) as display:
        verdict = api.answer(prepared, display.tell, reading, explain)
    _say(verdict, verdict.folder, as_json)
    if not verdict.advice.within_margin:
        raise typer.Exit(2)


@app.command()
@with_read_options
def train(
    data: Data = None,
    *,
    read_options: Any,
    network: Annotated[str, typer.Option(help="For instance gru:2x64:both:mlp.")] = "gru:1x64",
    learning_rate: Annotated[float, typer.Option(help="Step size of AdamW.")] = 0.006,
    weight_decay: Annotated[float, typer.Option(help="Decoupled decay of AdamW.")] = 0.0,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Model folder.")] = Path("leadline-model"),
    test: Test = None,
    subset: Subset = None,
) -> None:
    """Fit one network, without a study."""
    from leadline import api

    model, result = api.train(
        data,
        network=network,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        seed=seed,
        out=out,
        read_options=read_options,
        test=test,
        subset=subset,
    )
    assert model.spec is not None
    put(
        f"{model.spec.describe()}: {result.num_parameters} parameters, {result.updates} updates, "
        f"{result.seconds:.1f} s\nscores: train {result.train:.4g}, dev {result.dev:.4g}, test {result.test:.4g}\n"
        f"saved in {out}"
    )


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[Path, typer.Argument(help="File with sequences of the same form.")],
    out: Annotated[Path | None, typer.Option(help="CSV file; standard output by default.")] = None,
) -> None:
    """Predict with a trained model, probabilities included."""
    import polars

    from leadline import api, aside

    if out is not None:
        aside.require_place(out)
    text = polars.DataFrame(api.predict(run, data)).write_csv()
    if out is None:
        put(text, nl=False)
    else:
        aside.write_text(out, text)


@app.command()
def explain(
    run: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[Path | None, typer.Argument(help="File with sequences; by default the run's own dev part.")] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Table with a column per annotation, a row per step or per sequence.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same findings.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for findings.json and layers.html; RUN by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings.json on standard output.")] = False,
) -> None:
    """Look into the layers of a trained network: what each holds, for how long, and what breaks without it."""
    from leadline import looking
    from leadline.progress import Bar

    folder = out or run
    with Bar() as bar:
        found = looking.explain(run, data, annotations=annotations, seed=seed, out=folder, progress=bar.tell)
    if as_json:
        put(found.to_json())
        return
    from leadline.report import layer_terminal

    show(layer_terminal.render(found, folder))


@app.command()
def compare(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    first: Annotated[
        str | None, typer.Argument(help="A network of the run, as its table of networks names it.")
    ] = None,
    second: Annotated[str | None, typer.Argument(help="Another one; by default the last step deeper.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for contrast.json and compare.html; RUN by default.")] = None,
    seeds: Annotated[int, typer.Option(help="Pairs at least; those that the run did not keep are trained again.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print contrast.json on standard output.")] = False,
) -> None:
    """Say what the change from one network of a run to another removed, added and moved."""
    from leadline import comparing
    from leadline.progress import Bar

    with Bar() as bar:
        found = comparing.compare(run, first, second, seeds=seeds, out=out or run, progress=bar.tell)
    if as_json:
        put(found.to_json())
        return
    from leadline.report import layer_terminal

    show(layer_terminal.contrast(found, out or run))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder, or a verdict.json.")],
    out: Annotated[Path | None, typer.Option(help="The page; report.html in the run folder by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print verdict.json on standard output.")] = False,
) -> None:
    """Make the page again from a run folder; nothing is trained, torch is not loaded."""
    from leadline.report import again

    made = again.report(run, out)
    for sentence in made.left_out:
        say(f"leadline: {sentence}")
    _say(made.verdict, made.folder, as_json)


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="Processor time for the repeats.")] = 40.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on standard output.")] = False,
) -> None:
    """Measure on this machine what the compiled code gains over torch, in about a minute."""
    from leadline.bench import run
    from leadline.progress import Bar

    with Bar() as bar:
        found = run.bench(seconds, bar.tell)
    put(found.to_json() if as_json else run.describe(found))
    if not found.complete:
        raise typer.Exit(2)


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="A task; without it all are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write it: a .csv, .jsonl, .ndjson or .parquet file.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draws, by default 0: the same task, other data.")] = None,
    sequences: Annotated[int | None, typer.Option(help="How many; by default enough to learn it.")] = None,
) -> None:
    """List tasks whose right answer is known beforehand, or write one as a file."""
    from leadline import listing

    put(listing.tasks(name, out, seed, sequences))


def _say(verdict: Any, folder: Path, as_json: bool) -> None:
    from leadline.report import terminal
    from leadline.report.compare_page import steps_of

    put(verdict.to_json()) if as_json else show(terminal.render(verdict, folder, steps_of(verdict, folder)))


def main() -> None:
    """Entry point. Exit status: 0 a verdict, 1 an error, 2 undecided, 130 interrupted before there was an answer."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files may hold what the terminal's encoding has not
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(standalone_mode=False, obj=time.monotonic())  # the budget counts from here
    except NobodyReads:
        status = 1
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except typer.TyperException as error:
        say(f"leadline: {misused(error)}")
        status = 1
    except SystemExit as end:
        status = end.code
    except BaseException as error:  # noqa: BLE001 - the last resort: libraries raise what is no Exception, too
        say(f"leadline: {line(error)}")
        status = 1
    if status == INTERRUPTED:
        say("leadline: interrupted; the same command goes on from what is finished.")
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
