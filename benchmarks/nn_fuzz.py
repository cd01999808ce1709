"""`leadline.nn` against `torch.nn`: random modules, inputs and uses; results, types and gradients compared.

    OMP_NUM_THREADS=1 python benchmarks/nn_fuzz.py --cases 5000

Each case is drawn from its own seed, and done twice, once with each module on the same weights: `--from N --cases 1`
runs case N alone. What comes out is one of

    equal            the same shapes, types, `requires_grad` and numbers, gradients included
    both refuse      both raise: torch's own error, or a `LeadlineError` where torch raises as well
    torch refuses    Leadline does what torch raises at (rows without steps, vmap, ...)
    refused by name  a `LeadlineError` where torch answers; or autograd's "modified by an inplace operation" after
                     inputs, initial states or weights were changed before the backward pass, where torch had not kept
                     them
    different        everything else; these are printed, and the exit status is 1

Numbers are held to 2e-5 of the largest of a tensor in float32, 1e-9 in float64, 16 units of the last place in half
precision and under autocast, and to the bit where torch's own module did the work.
"""

from __future__ import annotations

import argparse
import copy
import io
import os
import pickle
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from leadline import nn
from leadline.errors import LeadlineError

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-9}
CHANGED = re.compile("modified by an inplace operation|has been modified inplace")
HALF = 16
"""Units of the last place of half precision: up to 11 steps in 3 layers are rounded one after another."""
IN_PLACE: dict[str, Callable[[Tensor], object]] = {
    "relu_": Tensor.relu_,
    "zero_": Tensor.zero_,
    "mul_": lambda tensor: tensor.mul_(0.5),
    "add_": lambda tensor: tensor.add_(1.0),
    "set first": lambda tensor: tensor.__setitem__(0, 0.0) if len(tensor) else None,
    "dropout": lambda tensor: torch.nn.functional.dropout(tensor, 0.0, inplace=True),
    "of a view": lambda tensor: tensor.select(-1, 0).add_(1.0),
    "of the data": lambda tensor: tensor.detach().mul_(2.0),
}
HANDED = (
    "as it is",
    "deepcopy",
    "pickle",
    "torch.save",
    "functional_call",
    "new weight",
    "to double and back",
    "frozen",
)
USES = ("backward",) * 5 + (
    "no_grad",
    "inference_mode",
    "second derivative",
    "many gradients",
    "func.grad",
    "vmap",
    "jvp",
)


@dataclass(frozen=True)
class Case:
    """One module and one use of it; every field is drawn."""

    seed: int
    kind: str
    options: dict[str, Any]
    input_size: int
    hidden_size: int
    dtype: torch.dtype
    form: str
    seq: int
    batch: int
    initial: bool
    wanted: tuple[bool, bool, bool]
    change: tuple[str, str]
    handed: str
    use: str
    autocast: torch.dtype | None
    routine: str


def draw(seed: int) -> Case:
    """The case of a seed."""
    draws = random.Random(seed)
    forms = (
        ("dense",) * 9
        + ("one", "packed", "lengths", "lengths", "layers") * 2
        + ("packed sorted", "wrong width", "wrong type")
    )
    changes = ("outputs", "h_n", "c_n") * 3 + ("inputs", "h_0", "weight")
    layers = draws.choice((1, 1, 2, 3))
    autocast = draws.choice((None,) * 8 + (torch.bfloat16, torch.float16))
    # The plain loop keeps the inputs' type under autocast: it is a specification, not a fast path.
    routines = ("",) if autocast else ("",) * 6 + ("reference", "torch", "segment")
    return Case(
        seed=seed,
        kind=draws.choice(("RNN", "GRU", "LSTM")),
        options={
            "num_layers": layers,
            "dropout": draws.choice((0.0, 0.0, 0.5)) if layers > 1 else 0.0,
            "bidirectional": draws.random() < 0.4,
            "batch_first": draws.random() < 0.5,
            "bias": draws.random() < 0.8,
        },
        input_size=draws.choice((1, 3, 7)),
        hidden_size=draws.choice((1, 4, 16, 17, 33)),
        dtype=draws.choice((*[torch.float32] * 6, torch.float64, torch.bfloat16, torch.float16)),
        form=draws.choice(forms),
        seq=draws.choice((0, *(1, 2, 5, 5, 11) * 3)),
        batch=draws.choice((0, *(1, 2, 3, 5, 9) * 3)),
        initial=draws.random() < 0.5,
        wanted=(draws.random() < 0.7, draws.random() < 0.5, draws.random() < 0.8),
        change=(draws.choice(changes), draws.choice(("", "", *IN_PLACE))),
        handed=draws.choice(("as it is",) * 3 + HANDED),
        use=draws.choice(USES),
        autocast=autocast,
        routine=draws.choice(routines),
    )


@dataclass(frozen=True)
class Given:
    """The numbers of a case, before anybody has touched them."""

    inputs: Tensor
    states: tuple[Tensor, ...]
    lengths: Tensor
    weights: dict[str, Tensor]


def given(case: Case) -> Given:
    """Inputs in the order that the module reads, states and weights."""
    source = torch.Generator().manual_seed(case.seed)
    one = case.form == "one"
    wide = case.input_size + (case.form == "wrong width")
    batch = 1 if one else case.batch
    shape = (case.seq, batch, wide)
    if case.options["batch_first"]:
        shape = (batch, case.seq, wide)
    if one:
        shape = (case.seq, wide)
    count = case.options["num_layers"] * (1 + case.options["bidirectional"])
    state = (count, case.hidden_size) if one else (count, batch, case.hidden_size)
    module = getattr(torch.nn, case.kind)(case.input_size, case.hidden_size, **case.options)

    def numbers(size: tuple[int, ...]) -> Tensor:
        return torch.randn(size, generator=source).to(case.dtype)

    inputs = numbers(shape)
    return Given(
        inputs.long() if case.form == "wrong type" else inputs,
        tuple(numbers(state) for _ in range(2 if case.kind == "LSTM" else 1)),
        torch.randint(1, max(case.seq, 1) + 1, (batch,), generator=source).sort(descending=True)[0]
        if case.form == "packed sorted"
        else torch.randint(1, max(case.seq, 1) + 1, (batch,), generator=source),
        {name: numbers(tuple(value.shape)) * case.hidden_size**-0.5 for name, value in module.named_parameters()},
    )


def handed(case: Case, module: torch.nn.RNNBase) -> torch.nn.RNNBase:
    """The module as it reaches the call."""
    if case.handed == "deepcopy":
        return copy.deepcopy(module)
    if case.handed == "pickle":
        return pickle.loads(pickle.dumps(module))
    if case.handed == "torch.save":
        buffer = io.BytesIO()
        torch.save(module, buffer)
        buffer.seek(0)
        return torch.load(buffer, weights_only=False)
    if case.handed == "new weight":
        module.weight_hh_l0 = torch.nn.Parameter(module.weight_hh_l0.detach() * 0.5)
    if case.handed == "to double and back":
        return module.double().to(case.dtype)
    if case.handed == "frozen":
        module.weight_ih_l0.requires_grad_(False)
    return module


def answers(case: Case, space: Any, numbers: Given) -> list[Tensor]:
    """Everything that comes out of the case with the modules of `space`."""
    module = getattr(space, case.kind)(case.input_size, case.hidden_size, **case.options, dtype=case.dtype)
    module.load_state_dict(numbers.weights)
    # Dropout draws the same numbers only where it is laid over tensors of the same shape.
    module = handed(case, module).train(
        case.form in ("dense", "one", "layers") and not case.use.startswith(("v", "j", "f", "m"))
    )
    wanted = case.use not in ("no_grad", "inference_mode", "jvp", "vmap", "func.grad")
    for parameter in module.parameters():
        parameter.requires_grad_(parameter.requires_grad and case.wanted[2])
    leaves = [numbers.inputs.clone(), *(state.clone() for state in numbers.states)]
    for leaf, want in zip(leaves, (case.wanted[0], case.wanted[1], case.wanted[1]), strict=False):
        leaf.requires_grad_(wanted and want and leaf.is_floating_point())
    if case.use in ("func.grad", "vmap", "jvp"):
        return _transformed(case, module, leaves, numbers.lengths)
    with {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}.get(case.use, nullcontext)():
        # Not the leaves themselves, which nobody may change in place.
        inputs, *states = (leaf * 1 for leaf in leaves)
        results = called(case, module, inputs, states, numbers.lengths)
        _change(case, module, inputs, states, results)
    found = [result.clone() for result in results]
    followed = [leaf for leaf in (*leaves, *module.parameters()) if leaf.requires_grad]
    if wanted and followed:
        found += _gradients(case, results, followed)
    return found


def called(case: Case, module: torch.nn.RNNBase, inputs: Tensor, states: list[Tensor], lengths: Tensor) -> list[Tensor]:
    """Outputs, h_n and c_n; packed and padded again for torch where Leadline takes lengths."""
    ours = type(module).__module__.startswith("leadline")
    hx = None if not case.initial else tuple(states) if case.kind == "LSTM" else states[0]
    options: dict[str, Any] = {}
    argument: Any = inputs
    first = case.options["batch_first"]
    if case.form.startswith("packed") or (case.form == "lengths" and not ours):
        argument = pack_padded_sequence(inputs, lengths, first, enforce_sorted=case.form == "packed sorted")
    elif case.form == "lengths":
        options["lengths"] = lengths
    torch.manual_seed(case.seed)
    with torch.autocast("cpu", case.autocast) if case.autocast else nullcontext():
        if case.handed == "functional_call":
            weights = {name: value * 1 for name, value in module.named_parameters()}
            outputs, final = torch.func.functional_call(module, weights, (argument, hx), options)
        elif ours and case.form == "layers":
            outputs, final, layers = module(argument, hx, return_layers=True)
            for lower in layers[:-1]:  # which changes nothing above them
                IN_PLACE[case.change[1] or "zero_"](lower)
        else:
            outputs, final = module(argument, hx, **options)
    if isinstance(outputs, PackedSequence):
        total = inputs.shape[1 if first else 0]
        padded = case.form == "lengths"
        outputs = pad_packed_sequence(outputs, first, total_length=total)[0] if padded else outputs.data
    return [outputs, *(final if isinstance(final, tuple) else (final,))]


def _change(case: Case, module: torch.nn.RNNBase, inputs: Tensor, states: list[Tensor], results: list[Tensor]) -> None:
    what, how = case.change
    there = dict(zip(("outputs", "h_n", "c_n"), results, strict=False))
    there |= {"inputs": inputs, "h_0": states[0]}
    if not how:
        return
    if what == "weight":
        with torch.no_grad():
            IN_PLACE[how](module.weight_hh_l0)
    elif what in there and there[what].numel():
        IN_PLACE[how](there[what])


def _gradients(case: Case, results: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """As the use wants them, from a loss in which every number counts differently."""
    source = torch.Generator().manual_seed(case.seed + 1)
    factors = [torch.rand(result.shape, generator=source).to(result.dtype) for result in results]
    if case.use == "many gradients":
        return [
            gradient
            for gradient in torch.autograd.grad(
                results[0], leaves, torch.stack([factors[0], -factors[0]]), is_grads_batched=True, allow_unused=True
            )
            if gradient is not None
        ]
    loss = sum((factor * result).sum() for factor, result in zip(factors, results, strict=True))
    twice = case.use == "second derivative"
    gradients = torch.autograd.grad(loss, leaves, create_graph=twice, allow_unused=True)
    found = [gradient for gradient in gradients if gradient is not None]
    if twice:
        rough = sum(gradient.square().sum() for gradient in found)
        found += [g for g in torch.autograd.grad(rough, leaves, allow_unused=True) if g is not None]
    return found


def _transformed(case: Case, module: torch.nn.RNNBase, leaves: list[Tensor], lengths: Tensor) -> list[Tensor]:
    states = leaves[1:]

    def outputs(inputs: Tensor) -> Tensor:
        return called(case, module, inputs, states, lengths)[0]

    if case.use == "func.grad":
        return [torch.func.grad(lambda inputs: outputs(inputs).float().square().sum())(leaves[0])]
    if case.use == "vmap":
        return [torch.vmap(outputs)(torch.stack([leaves[0], -leaves[0]]))]
    return list(torch.func.jvp(outputs, (leaves[0],), (torch.ones_like(leaves[0]),)))


@contextmanager
def routine(name: str) -> Iterator[None]:
    """The variables that force a routine, or segments of two steps, set and put back."""
    names = ("LEADLINE_KERNELS", "LEADLINE_SEGMENT")
    before = {known: os.environ.pop(known) for known in names if known in os.environ}
    os.environ |= {"": {}, "segment": {"LEADLINE_SEGMENT": "2"}}.get(name, {"LEADLINE_KERNELS": name})
    try:
        yield
    finally:
        for known in names:
            os.environ.pop(known, None)
        os.environ |= before


def outcome(case: Case) -> tuple[str, str]:
    """One of the five words of this page, and what there is to say about it."""
    numbers = given(case)
    found: list[list[Tensor] | Exception] = []
    for space in (nn, torch.nn):
        with routine(case.routine), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, about transforms and about dropout
            try:
                found.append(answers(case, space, numbers))
            except Exception as error:  # noqa: BLE001  (whatever one side raises is what is compared)
                found.append(error)
    return judged(case, *found)


def judged(case: Case, ours: Any, theirs: Any) -> tuple[str, str]:
    """Compare two lists of tensors or errors."""
    if isinstance(ours, Exception) and isinstance(theirs, Exception):
        alike = isinstance(ours, LeadlineError) or type(ours) is type(theirs)
        return ("both refuse" if alike else "different"), f"{ours!r:.150} / {theirs!r:.150}"
    if isinstance(theirs, Exception):
        return "torch refuses", f"{theirs!r:.150}"
    if isinstance(ours, LeadlineError):
        return "refused by name", f"{ours!r:.150}"
    kept = case.change[0] in ("inputs", "h_0", "weight") and CHANGED.search(str(ours))
    if isinstance(ours, Exception) and kept:
        return "refused by name", f"{case.change[0]} changed in place: {ours!r:.60}"
    if isinstance(ours, Exception):
        return "different", f"Leadline raises {ours!r:.300}"
    if len(ours) != len(theirs):
        return "different", f"{len(ours)} tensors, torch has {len(theirs)}"
    for place, (mine, right) in enumerate(zip(ours, theirs, strict=True)):
        problem = unlike(case, mine, right)
        if problem:
            return "different", f"tensor {place}: {problem}"
    return "equal", ""


def unlike(case: Case, mine: Tensor, right: Tensor) -> str:
    """What is not the same about two tensors; "" where nothing is."""
    for what in ("shape", "dtype", "requires_grad"):
        if getattr(mine, what) != getattr(right, what):
            return f"{what} {getattr(mine, what)}, torch has {getattr(right, what)}"
    exact = (
        case.form not in ("lengths", "layers")
        and case.routine != "reference"
        and case.autocast is None
        and case.use == "backward"
    )
    if exact and case.dtype is not torch.float32 and not torch.equal(mine, right):
        return "not the same bits, though torch's own module should have run"
    roughest = case.autocast or case.dtype
    rough = TOLERANCE.get(roughest, HALF * torch.finfo(roughest).eps)
    finite = right.double().nan_to_num(posinf=0.0, neginf=0.0).abs()
    scale = finite.max().item() if right.numel() else 0.0
    apart = (mine.double() - right.double()).abs().masked_fill((mine == right) | (mine.isnan() & right.isnan()), 0.0)
    error = apart.max().item() if right.numel() else 0.0
    return "" if error <= rough * max(1.0, scale) else f"off by {error:.2g} where the largest is {scale:.2g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="seed of the first case (default 0)")
    parser.add_argument("--show", nargs="*", default=["different"], help="outcomes of which every case is printed")
    chosen = parser.parse_args()
    tally: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for seed in range(chosen.first, chosen.first + chosen.cases):
        case = draw(seed)
        word, why = outcome(case)
        tally[word] += 1
        reasons.setdefault(word, Counter())[why[:90]] += 1
        if word in chosen.show:
            print(f"{word}: {case}\n    {why}", flush=True)
    for word in ("torch refuses", "refused by name", "both refuse"):
        for why, count in reasons.get(word, Counter()).most_common(12):
            print(f"{word} {count:5d}x {why}")
    print(f"{chosen.cases} cases: " + ", ".join(f"{count} {word}" for word, count in tally.most_common()))
    return 1 if tally["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
