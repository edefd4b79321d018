"""What papers report on 3DIEBench: each number with its source, the protocol behind it and the kind of its R²."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from iebench.errors import UsageError
from iebench.files import read_table

WORDS = ("source", "protocol", "r2_kind", "method", "transform", "note")


@dataclass(frozen=True)
class PublishedResult:
    """One row of a table or a figure of a paper.

    Attributes:
        source: the paper, and where in it.
        protocol: data, backbone, images and length of the training; "OOD" where other data are scored than were trained on.
        r2_kind: "pooled" or "uniform", see `iebench.evals.metrics`; empty where no R² is given.
        method: as the paper calls it.
        transform: what the method is told, or "none".
        note: what a reader must know to compare it.
        numbers: as printed, by the columns of the file.
    """

    source: str
    protocol: str
    r2_kind: str
    method: str
    transform: str
    note: str
    numbers: Mapping[str, str]

    @property
    def name(self) -> str:
        """The method with its transform, where it has one."""
        return self.method if self.transform == "none" else f"{self.method} ({self.transform})"

    @property
    def is_ood(self) -> bool:
        """Whether it was scored on other data than it was trained on."""
        return "OOD" in self.protocol

    @property
    def description(self) -> str:
        """Protocol, source and note in one line."""
        return "; ".join(filter(None, (self.protocol, self.source, self.note)))

    def get(self, field: str) -> str:
        """The number that fills a table's column, or "".

        Args:
            field: `Column.published`: a column of the file, the kind of R² that is asked for, and "ood", with colons between.
        """
        name, kind, place = [*field.split(":"), "", ""][:3]
        fits = kind in ("", self.r2_kind) and (place == "ood") == self.is_ood
        return self.numbers.get(name, "") if fits else ""


def read_published(protocol: str = "") -> list[PublishedResult]:
    """What papers report, those of one protocol together.

    Args:
        protocol: words with commas between, as "128 px, seq-JEPA"; only what has all of them in protocol or source.

    Raises:
        UsageError: nothing has all of them.
    """
    results = [_read_row(row) for row in read_table("published_results.csv")]
    order = list(dict.fromkeys(result.protocol for result in results))
    found = [result for result in results if _has_words(result, protocol)]
    if not found:
        there = ", ".join(dict.fromkeys(word for text in order for word in split_words(text)))
        raise UsageError(f"--protocol {protocol!r} is in no published row: take some of {there}, or words of a source.")
    return sorted(found, key=lambda result: order.index(result.protocol))


def split_words(text: str) -> list[str]:
    """What stands between commas and semicolons."""
    return [word.strip() for word in re.split("[,;]", text) if word.strip()]


def _read_row(row: Mapping[str, str]) -> PublishedResult:
    protocol = row["protocol"] if row["protocol"].startswith("3DIEBench") else f"3DIEBench, {row['protocol']}"
    numbers = {name: text for name, text in row.items() if name not in WORDS and text}
    return PublishedResult(**{name: row[name] for name in WORDS} | {"protocol": protocol}, numbers=numbers)


def _has_words(result: PublishedResult, words: str) -> bool:
    """Whether protocol or source has all the words, each whole: "table 1" is not "table 11", 3DIEBench not 3DIEBench-T."""
    text = f"{result.protocol}; {result.source}"
    return all(re.search(_word_pattern(word), text, re.IGNORECASE) for word in split_words(words))


def _word_pattern(word: str) -> str:
    """Finds a word, in which "128px" is "128 px"."""
    pieces = re.findall(r"[\d.]+|[^\s\d]+", word)
    return r"(?<!\w)" + r"\s*".join(map(re.escape, pieces)) + r"(?!-?\w)"
