"""How far an import has come, in a file beside the one that is imported: an import that is killed goes on from there.

```
line 1      what is imported, by its digest, where to and how
other lines one per finished step: how far the file is done, what follows later, how long the list of refusals is
```

A line is written behind the step that it tells of. The step that was under way is done again, which changes nothing:
every row has an id or a key, and is written by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

_PIECE: Final = 1024 * 1024


class ResumeError(Exception):
    """An import cannot go on where it ended; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    Attributes:
        items: rows and pairs of the file that are done.
        later: changes of the second pass that are done.
        written: rows that the server took.
        refused: rows that it did not.
        refusals: length of the list of refused rows in bytes.
    """

    items: int = 0
    later: int = 0
    written: int = 0
    refused: int = 0
    refusals: int = 0


def digest_of(path: Path) -> bytes:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


class Journal:
    """The file that tells how far an import is."""

    def __init__(self, path: Path, *, about: Mapping[str, object], resume: bool) -> None:
        """Open the journal, to begin or to go on.

        Args:
            path: where it lies.
            about: what is imported where and how; an import goes on only if all of it is the same.
            resume: whether to go on; without a journal an import begins.

        Raises:
            ResumeError: the journal tells of something else.
        """
        self._path = path
        self.progress = Progress()
        if resume and path.exists():
            self.progress = self._read(about)
            self._file: TextIO = path.open("a", encoding="utf-8")
        else:
            self._file = path.open("w", encoding="utf-8")
            self._write(about)

    def _read(self, about: Mapping[str, object]) -> Progress:
        """Return how far the import is, and cut off a line that was not finished."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = [json.loads(line) for line in whole.splitlines()]
        if not lines or lines[0] != about:
            raise ResumeError(
                f"{self._path} tells of another file, server or way to import: import from the start, without --resume"
            )
        with self._path.open("r+b") as file:
            file.truncate(len(whole))
        return Progress(**lines[-1]["progress"]) if len(lines) > 1 else Progress()

    def note(self, progress: Progress, later: Iterable[Mapping[str, object]] = ()) -> None:
        """Note that a step is done, and what is to follow from it in the second pass."""
        self.progress = progress
        self._write({"progress": {name: getattr(progress, name) for name in Progress.__slots__}, "later": list(later)})

    def later(self) -> Iterator[Mapping[str, object]]:
        """Yield what is to follow in the second pass, in the order in which it was noted."""
        with self._path.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                yield from json.loads(line)["later"]

    def close(self, *, done: bool) -> None:
        """Close the file; remove it when the import is done."""
        self._file.close()
        if done:
            self._path.unlink(missing_ok=True)

    def _write(self, line: Mapping[str, object]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
