"""A `StackSpec` as a few lines of plain `torch.nn`, for people who take the network elsewhere."""

from __future__ import annotations

from leadline.spec import StackSpec

_MODULES = {"tanh": "RNN", "gru": "GRU", "lstm": "LSTM"}


def code(spec: StackSpec) -> str:
    """Python source of a class `Network` with the spec's layers and `num_parameters` weights.

    `Network()(inputs, lengths)` takes (batch, seq, input_size), zeros at padding, and lengths from 1, (batch,)
    int64. It needs torch alone. Its weights bear torch's names and gate order.

    >>> print(code(StackSpec(input_size=8, output_size=2, cell="lstm", hidden_size=16)).splitlines()[7])
            self.layers = nn.LSTM(8, 16, batch_first=True)
    """
    build = _build_by_layer(spec) if _by_layer(spec) else _build_at_once(spec)
    unroll = _unroll_by_layer(spec) if _by_layer(spec) else _unroll_at_once(spec)
    build.append(f"self.readout = {_readout(spec)}")
    steps = [*_window(spec), *unroll, *_pool(spec)]
    lines = [
        "import torch",
        "from torch import nn",
        "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence",
        "",
        "class Network(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        *(f"        {line}" for line in build),
        "",
        "    def forward(self, inputs, lengths):",
        *(f"        {line}" for line in steps),
    ]
    return "\n".join(lines) + "\n"


def _by_layer(spec: StackSpec) -> bool:
    return spec.residual or spec.layer_norm


def _layer(spec: StackSpec, inputs: str, *more: str) -> str:
    options = [inputs, str(spec.hidden_size), *more, *(["bidirectional=True"] if spec.bidirectional else [])]
    return f"nn.{_MODULES[spec.cell]}({', '.join([*options, 'batch_first=True'])})"


def _build_at_once(spec: StackSpec) -> list[str]:
    more = [f"num_layers={spec.num_layers}"] if spec.num_layers > 1 else []
    more += [f"dropout={spec.dropout}"] if spec.num_layers > 1 and spec.dropout else []
    lines = [f"self.layers = {_layer(spec, str(spec.layer_input_size(0)), *more)}"]
    return [*lines, f"self.dropout = nn.Dropout({spec.dropout})"] if spec.dropout else lines


def _build_by_layer(spec: StackSpec) -> list[str]:
    sizes = [spec.layer_input_size(layer) for layer in range(spec.num_layers)]
    lines = [f"self.layers = nn.ModuleList({_layer(spec, 'size')} for size in {sizes})"]
    if spec.layer_norm:
        lines.append(f"self.norms = nn.ModuleList(nn.LayerNorm({spec.state_width}) for _ in range({spec.num_layers}))")
    return [*lines, f"self.dropout = nn.Dropout({spec.dropout})"] if spec.dropout else lines


def _readout(spec: StackSpec) -> str:
    top = spec.state_width
    last = f"nn.Linear({top}, {spec.output_size})"
    if spec.readout == "linear":
        return last
    drop = f"nn.Dropout({spec.dropout}), " if spec.dropout else ""
    return f"nn.Sequential(nn.Linear({top}, {top}), nn.ReLU(), {drop}{last})"


def _window(spec: StackSpec) -> list[str]:
    if not spec.look_ahead:
        return []
    ahead = spec.look_ahead
    return [
        f"ahead = nn.functional.pad(inputs, (0, 0, 0, {ahead}))  # zeros beyond the end",
        f"inputs = ahead.unfold(1, {ahead + 1}, 1).transpose(2, 3).flatten(2)",
    ]


def _unroll_at_once(spec: StackSpec) -> list[str]:
    lines = [
        "packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)",
        "states, _ = pad_packed_sequence(self.layers(packed)[0], batch_first=True)",
    ]
    return [*lines, "states = self.dropout(states)"] if spec.dropout else lines


def _unroll_by_layer(spec: StackSpec) -> list[str]:
    loop = "for layer, norm in zip(self.layers, self.norms):" if spec.layer_norm else "for layer in self.layers:"
    output = "norm(output)" if spec.layer_norm else "output"
    add = ["    output = output + states if output.shape == states.shape else output"] if spec.residual else []
    return [
        "states = inputs[:, :lengths.max()]",
        loop,
        "    packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)",
        "    output, _ = pad_packed_sequence(layer(packed)[0], batch_first=True)",
        *add,
        f"    states = {f'self.dropout({output})' if spec.dropout else output}",
    ]


def _pool(spec: StackSpec) -> list[str]:
    if spec.pooling == "step":
        return ["return self.readout(states)"]
    if spec.pooling == "last":
        last = "states[torch.arange(len(states)), lengths - 1]"
        if not spec.bidirectional:
            return [f"return self.readout({last})"]
        half = spec.hidden_size
        ends = f"torch.cat([last[:, :{half}], states[:, 0, {half}:]], 1)"
        return [f"last = {last}", f"return self.readout({ends})  # each direction's own last state"]
    padding = "padding = (torch.arange(states.shape[1]) >= lengths[:, None])[..., None]"
    if spec.pooling == "mean":
        return [padding, "return self.readout(states.masked_fill(padding, 0).sum(1) / lengths[:, None])"]
    return [padding, "return self.readout(states.masked_fill(padding, -torch.inf).amax(1))"]
