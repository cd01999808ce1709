"""The attack on Leadline: kills, signals, full disks, too little memory, damaged folders, mutated files, hostile names.

    python benchmarks/attack.py kills signals disk --count 20
    python benchmarks/attack.py kills=100 folders=10000 --seed 1 --out attacked

It works from the outside, on the installed `leadline` command and on Python processes that call the library, each under
a time limit and a memory limit. Every attack is made again by its kind, seed and number. A broken series goes on where
it was: results lie in `results.jsonl` of the folder, what failed in `kept/`. At the end it prints, for all that the
folder holds, how many were tried and how many survived; exit status 1 where one did not. Linux alone; full disks want
root, and are left out, with a word, where a small disk cannot be mounted. docs/reliability.md says what is promised.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from attacks import disk, files, folders, kills, memory, nn, pages, signals
from attacks.arena import Arena, table
from attacks.outcome import CannotBeMade, Case, Outcome

Attack = Callable[[Arena, int], Case | list[Case]]
ATTACKS: dict[str, Attack] = {
    "kills": kills.attack,
    "signals": signals.attack,
    "disk": disk.attack,
    "memory": memory.attack,
    "folders": folders.attack,
    "pages": pages.attack,
    "files": files.attack,
    "nn": nn.attack,
}
BLOCKS = {"files": files.BLOCK, "nn": nn.BLOCK}  # attacks that are made so many at a time


def main() -> int:
    """Attack, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="+", metavar="KIND[=COUNT]", help=", ".join(ATTACKS))
    parser.add_argument("--count", type=int, default=10, help="attacks of each kind that names no count of its own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("attacked"))
    given = parser.parse_args()
    wanted = [_wanted(parser, text, given.count) for text in given.kinds]
    given.out.mkdir(parents=True, exist_ok=True)
    _require_same_code(parser, given.out)
    arena = Arena(given.out.resolve(), given.seed)
    try:
        for kind, count in wanted:
            _series(arena, kind, count)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on")
    finally:
        folders.close()
    print(table(arena.cases()))
    return int(any(case.failed for case in arena.cases()))


def _wanted(parser: argparse.ArgumentParser, text: str, count: int) -> tuple[str, int]:
    kind, _, own = text.partition("=")
    if kind not in ATTACKS or (own and not own.isdigit()):
        parser.error(f"{text!r}: expected one of {', '.join(ATTACKS)}, or with a count, such as kills=100")
    return kind, int(own) if own else count


def _series(arena: Arena, kind: str, count: int) -> None:
    """All attacks of a kind that were not made yet. One that cannot be made here says why and ends the series."""
    done = arena.done()
    for number in range(0, count, BLOCKS.get(kind, 1)):
        if (kind, number) in done:
            continue
        try:
            found = ATTACKS[kind](arena, number)
        except CannotBeMade as reason:
            print(f"{kind}: left out: {reason}", flush=True)
            return
        for case in found if isinstance(found, list) else [found]:
            arena.record(case)
            if case.outcome is not Outcome.SURVIVED:
                print(f"{kind} {number}: {case.outcome}: {case.name}: {case.detail}", flush=True)
        shutil.rmtree(arena.folder / "work", ignore_errors=True)


def _require_same_code(parser: argparse.ArgumentParser, folder: Path) -> None:
    """Figures of two states of the code do not add up."""
    now, path = _digest(), folder / "code.txt"
    if path.exists() and path.read_text(encoding="utf-8") != now:
        parser.error(f"{folder} holds attacks on another state of the code: give --out another folder")
    path.write_text(now, encoding="utf-8")


def _digest() -> str:
    """Of all source files of the installed package, found without importing it."""
    found = importlib.util.find_spec("leadline")
    if found is None or found.origin is None:
        sys.exit("leadline is not installed")
    package = Path(found.origin).parent
    sources: Iterable[Path] = sorted(path for path in package.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
