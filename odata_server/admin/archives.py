"""ZIP files from elsewhere: only what is wanted is unpacked, in memory, and never more than is reasonable."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

_MOST_MEMBERS: Final = 20_000
_LARGEST: Final = 512 * 1024 * 1024
_EXPANSION: Final = 200
_SMALL: Final = 4 * 1024 * 1024
"""Below this a member may expand as it likes: short XML that repeats itself packs very well."""
_ENCRYPTED: Final = 0x1


class ArchiveError(Exception):
    """A ZIP file cannot be used; one line that says why."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The members of a ZIP file that were wanted, by lower-case name."""

    members: dict[str, bytes]

    def member(self, name: str) -> bytes | None:
        """Return a member by name, whatever its case."""
        return self.members.get(name.lower())


def unpacked(data: bytes, wanted: Collection[str]) -> Archive:
    """Return some members of a ZIP file.

    Args:
        data: the file.
        wanted: names of members, in lower case.

    Raises:
        ArchiveError: it is no ZIP file, is encrypted, leaves its directory, or holds more than is reasonable.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            listed = archive.infolist()
            _check(listed)
            found = {
                info.filename.lower(): _content(archive, info) for info in listed if info.filename.lower() in wanted
            }
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ArchiveError(f"the file is no ZIP archive that can be read ({error})") from error
    return Archive(found)


def _check(listed: list[ZipInfo]) -> None:
    if len(listed) > _MOST_MEMBERS:
        raise ArchiveError(f"the archive has {len(listed)} members: {_MOST_MEMBERS} are allowed")
    if sum(info.file_size for info in listed) > _LARGEST:
        raise ArchiveError(f"the archive unpacks to more than {_LARGEST // 2**20} MiB")
    for info in listed:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in info.filename:
            raise ArchiveError(f"the archive's member '{info.filename[:100]}' leaves its directory")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError("the archive is encrypted")
        if info.file_size > _SMALL and info.file_size > _EXPANSION * max(info.compress_size, 1):
            raise ArchiveError(f"the archive's member '{info.filename[:100]}' unpacks to more than it can hold")


def _content(archive: ZipFile, info: ZipInfo) -> bytes:
    """Unpack a member; one that holds more than it says is cut off, and its checksum then tells."""
    with archive.open(info) as member:
        return member.read(info.file_size + 1)
