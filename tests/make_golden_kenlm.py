"""Writes tests/golden/kenlm.{arpa,json}: figures of KenLM's, cut down, with numbers in the place of words.

    python tests/make_golden_kenlm.py FOLDER

FOLDER holds ``train.txt``, ``o3.arpa`` (``lmplz -o 3`` of it), ``test.txt`` and ``test.query`` (what ``query`` prints).
"""

import json
import sys
from collections import Counter
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
LINES = 40
"""Lines of the queries that are kept."""
CONTEXTS = 6
"""Contexts of each order whose estimates are kept."""


def read_arpa(path: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    """The n-grams of an ARPA file, with both logarithms as they are written."""
    found = {}
    order = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("\\"):
            order = int(line[1]) if line[1].isdigit() else 0
        elif order and line:
            cells = line.split()
            found[tuple(cells[1 : order + 1])] = (cells[0], cells[order + 1] if len(cells) > order + 1 else "")
    return found


def adjusted(sentences: list[list[str]], order: int) -> Counter[tuple[str, ...]]:
    """How often n-grams occur at order 3 and behind <s>, and in how many words' company elsewhere."""
    counts = Counter(tuple(words[i : i + order]) for words in sentences for i in range(len(words) - order + 1))
    if order == 3:
        return counts
    longer = {tuple(words[i : i + order + 1]) for words in sentences for i in range(len(words) - order)}
    company = Counter(gram[1:] for gram in longer)
    return Counter({gram: counts[gram] if gram[0] == "<s>" else company[gram] for gram in counts})


def main(folder: Path) -> None:
    """Write both files."""
    arpa = read_arpa(folder / "o3.arpa")
    sentences = [["<s>", *line.split(), "</s>"] for line in (folder / "train.txt").read_text("utf-8").splitlines()]
    number: dict[str, str] = {"<s>": "<s>", "</s>": "</s>", "<unk>": "<unk>"}
    tests = [line.split() for line in (folder / "test.txt").read_text("utf-8").splitlines()][:LINES]
    answers = (folder / "test.query").read_text("utf-8").splitlines()[:LINES]

    def name(word: str) -> str:
        return number.setdefault(word, f"w{len(number)}") if (word,) in arpa else "<unk>"

    used: set[tuple[str, ...]] = {("<s>",), ("</s>",), ("<unk>",)}
    queries = []
    for words, answer in zip(tests, answers, strict=True):
        row = ["<s>", *(word if (word,) in arpa else "<unk>" for word in words), "</s>"]
        used |= {tuple(row[i : i + n]) for n in (1, 2, 3) for i in range(len(row) - n + 1)} & set(arpa)
        cells = [cell.rsplit("=", 1)[1].split() for cell in answer.split("\t")[:-1]]
        queries.append(
            {
                "words": [name(word) for word in words],
                "orders": [int(each[1]) for each in cells],
                "log10": [float(each[2]) for each in cells],
            }
        )
    orders = [sorted(gram for gram in used if len(gram) == n) for n in (1, 2, 3)]
    lines = ["\\data\\", *(f"ngram {n}={len(grams)}" for n, grams in enumerate(orders, 1))]
    for n, grams in enumerate(orders, 1):
        lines += ["", f"\\{n}-grams:"]
        for gram in grams:
            log, backoff = arpa[gram]
            lines.append("\t".join([log, " ".join(map(name, gram)), *([backoff] if backoff else [])]))
    (GOLDEN / "kenlm.arpa").write_text("\n".join([*lines, "", "\\end\\", ""]), "utf-8")
    estimates = [estimate(arpa, adjusted(sentences, n), n) for n in (2, 3)]
    golden = {"queries": queries, "estimates": estimates}
    (GOLDEN / "kenlm.json").write_text(json.dumps(golden, indent=1) + "\n", "utf-8")


def estimate(arpa: dict[tuple[str, ...], tuple[str, str]], counts: Counter[tuple[str, ...]], order: int) -> object:
    """Counts of counts of an order, and for some contexts the counts of what follows with its probabilities."""
    by_context: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for gram in sorted(counts):
        by_context.setdefault(gram[:-1], []).append(gram)
    chosen = sorted((context for context in by_context if 3 <= len(by_context[context]) <= 12), key=hash_of)[:CONTEXTS]
    return {
        "order": order,
        "counts_of_counts": [sum(1 for count in counts.values() if count == k) for k in range(1, 5)],
        "contexts": [
            {
                "adjusted": [counts[gram] for gram in by_context[context]],
                "below_log10": [float(arpa[gram[1:]][0]) for gram in by_context[context]],
                "log10": [float(arpa[gram][0]) for gram in by_context[context]],
                "backoff_log10": float(arpa[context][1]),
            }
            for context in chosen
        ],
    }


def hash_of(context: tuple[str, ...]) -> int:
    """An order that has nothing to do with the alphabet, and is the same everywhere."""
    return int(sum(ord(c) * 31**i for i, c in enumerate(" ".join(context))) % 1009)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
