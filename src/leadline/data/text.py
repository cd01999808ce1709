"""Plain text: predict the next character."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from leadline.data.assemble import Origin, assemble, next_steps, refuse_kind
from leadline.data.columns import Column
from leadline.data.limits import check_characters
from leadline.data.options import TEXT_WINDOW_STEPS, ReadOptions
from leadline.data.sequences import Sequences
from leadline.data.windows import limit_steps
from leadline.errors import OptionError


def text_sequences(text: str, source: str, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    """Windows of 128 characters that follow each other; the target of a character is the next one.

    Args:
        text: the whole text.
        source: its path.
        name: title of the data.
        options: `max_steps` changes the window.
        needs_target: False when the characters after the text are asked for.
    """
    refuse_kind(options.kind, ("next_step",), source, "plain text")
    if options.tokens == "word":
        raise OptionError(
            "the next word of a plain text is not predicted",
            where=source,
            expected="tokens 'char' for plain text",
            next_move="Leave --tokens out; for words with labels write a token and its label per line.",
        )
    check_characters(len(text), options, source)
    codes, vocabulary = char_codes(text)
    column = Column("character", codes, vocabulary, 0)
    notes = (f"Plain text: the next of {len(vocabulary)} different characters at each step (--layout overrules).",)
    origin = Origin(name, source, ("text",), "next character", notes=notes)
    whole = np.array([0, len(codes)], dtype=np.int64)
    if needs_target:
        sequences = next_steps([column], whole, column, origin)
    else:
        sequences = assemble([column], whole, "next_step", origin)
    return limit_steps(sequences, options.max_steps, TEXT_WINDOW_STEPS)


def char_codes(text: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(characters,) indices into the sorted distinct characters, and these.

    >>> char_codes("abba")[1]
    ('a', 'b')
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # A table of all characters there are: sorting a book of many MB would take a minute.
    there = np.zeros(sys.maxunicode + 1, dtype=bool)
    there[points] = True
    distinct = np.flatnonzero(there)
    code_of = np.zeros(len(there), dtype=np.int32)
    code_of[distinct] = np.arange(len(distinct))
    return code_of[points], tuple(map(chr, distinct.tolist()))
