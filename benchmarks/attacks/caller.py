"""A process that calls Leadline many times: one JSON object per line in, one out. Run as a script by `child.py`.

Calls go to the library ("function") or through the command line's own entry ("main"), both in this process, so that a
call costs no start of Python and no import of torch. The argument names a file for what is printed meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import leadline
from leadline import cli

Message = dict[str, Any]


def function(call: Message) -> None:
    """The verb's Python twin; `report` has none but the command."""
    run, data, out = call["run"], call["data"], call["out"]
    twins: dict[str, Callable[[], object]] = {
        "advise": lambda: leadline.advise(
            data, out=run, network="gru:1x4", max_trials=90, max_updates=10, jobs=1, budget="2h", explain=False
        ),
        "explain": lambda: leadline.explain(run, data, out=out),
        "compare": lambda: leadline.compare(run, *call["networks"], seeds=1, out=out),
        "predict": lambda: leadline.predict(run, data),
        "train": lambda: leadline.train(data, network="gru:1x4", out=run),
        "load": lambda: leadline.load(run).predict,
    }
    twins[call["verb"]]()


def answer(call: Message) -> Message:
    """Exit status and text, as a command would have left them."""
    try:
        if call["way"] == "function":
            function(call)
            return {"status": 0, "text": ""}
        sys.argv = ["leadline", *call["arguments"]]
        cli.main()
    except SystemExit as end:
        return {"status": end.code if isinstance(end.code, int) else int(end.code is not None), "text": ""}
    except leadline.LeadlineError as error:
        return {"status": 1, "text": f"{error} [{error.slug}]"}
    except BaseException:  # noqa: BLE001 - what nobody foresaw is what is looked for; panics of Rust are no Exception
        return {"status": 1, "text": traceback.format_exc()}
    return {"status": 0, "text": ""}


def main() -> None:
    """Answer until the input ends. What is printed meanwhile goes into a file whose end is added to the answer."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    said = Path(sys.argv[1])
    number = os.open(said, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(number, 1)
    os.dup2(number, 2)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        os.ftruncate(number, 0)
        os.lseek(number, 0, os.SEEK_SET)
        found = answer(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        length = os.fstat(number).st_size
        os.lseek(number, max(0, length - 20_000), os.SEEK_SET)
        found["text"] += os.read(number, 20_000).decode(errors="replace")
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
