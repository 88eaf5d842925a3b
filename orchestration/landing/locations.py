"""Finds the files of a feed on local disk or at an address such as gs:// and s3://, and brings them here as plain ones.

Remote files are copied before they are read: DuckDB would need an extension to read them itself, which it downloads.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.errors import CatalystError

# An upload in progress is named so by those who write: Spark and Hadoop (_, .), curl and rsync, browsers.
_UNFINISHED_PREFIXES = (".", "_")
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_COMPRESSIONS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_CHUNK = 1 << 22


@dataclass(frozen=True)
class SourceFile:
    """A file as its folder lists it.

    Attributes:
        name: Its path below the fixed part of the feed's pattern, by which the ledger and `_file` know it.
        address: Where it is, for the file system and for messages.
        size: Bytes.
        version: What changes when it is written again: time of change, generation or etag.
    """

    name: str
    address: str
    size: int
    version: str


@dataclass(frozen=True)
class Location:
    """A feed's pattern of files and the file system that it is on; None is the local disk."""

    pattern: str
    filesystem: Any

    def files(self, feed: Feed) -> list[SourceFile]:
        """Lists the files that the pattern matches and that are not marked as unfinished, in the order of their names.

        Raises:
            CatalystError: The folder or bucket cannot be listed.
        """
        try:
            listed = list(self._local() if self.filesystem is None else self._remote())
        except Exception as error:
            # Every file system raises errors of the libraries that it is made of.
            reason = next(iter(str(error).strip().splitlines()), "no reason given")
            raise CatalystError(
                f"Feed {feed.id}: the files at {self.pattern} cannot be listed ({type(error).__name__}: {reason}). "
                f"Check the address in {feed.path}, that it can be reached, and that this machine may read it."
            ) from error
        return sorted((file for file in listed if _finished(file.name)), key=lambda file: file.name)

    def fetch(self, file: SourceFile, target: Path) -> tuple[Path, str]:
        """Brings a file here, remote ones as a copy, and returns its path with the hash of its content.

        Raises:
            OSError: It cannot be read, or is gone.
        """
        digest = hashlib.sha256()
        if self.filesystem is None:
            path = Path(file.address)
            with path.open("rb") as source:
                digest = hashlib.file_digest(source, lambda: digest)
            return path, digest.hexdigest()
        with self.filesystem.open(file.address, "rb") as source, target.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
        return target, digest.hexdigest()

    def version(self, file: SourceFile) -> str | None:
        """Returns the present version of a local file, to tell one that is being written; None where it is remote."""
        return _version(Path(file.address)) if self.filesystem is None else None

    def _local(self) -> Iterator[SourceFile]:
        root = fixed_part(self.pattern)
        for path in root.glob(PurePosixPath(self.pattern).relative_to(root.as_posix()).as_posix()):
            if path.is_file():
                name = path.relative_to(root).as_posix()
                yield SourceFile(name, str(path), path.stat().st_size, _version(path))

    def _remote(self) -> Iterator[SourceFile]:
        pattern = self.filesystem._strip_protocol(self.pattern)
        root = PurePosixPath(fixed_part(pattern).as_posix())
        # A listing that an earlier landing of the process has cached would hide what came since.
        self.filesystem.invalidate_cache()
        for address, facts in self.filesystem.glob(pattern, detail=True).items():
            if facts["type"] == "file":
                name = PurePosixPath(address).relative_to(root).as_posix()
                known = [facts.get(key) for key in ("generation", "etag", "ETag", "md5Hash", "mtime", "LastModified")]
                yield SourceFile(name, address, facts["size"], str(next((v for v in known if v), "")))


def location(feed: Feed) -> Location:
    """Returns where the contract says that the files of a feed are.

    Raises:
        CatalystError: There is nothing that reads such an address.
    """
    pattern = feed.setting("path", feed.source.get("location") and feed.setting("location"))
    scheme, separator, _ = pattern.partition("://")
    if not separator:
        return Location(pattern, None)
    if scheme == "file":
        return Location(pattern.removeprefix("file://"), None)
    # They print what our errors say again.
    for library in ("gcsfs", "s3fs", "aiobotocore", "botocore"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    import fsspec  # type: ignore[import-untyped]

    options: dict[str, Any] = {}
    if endpoint := feed.setting("endpointUrl", ""):
        options["endpoint_url"] = endpoint
    if feed.setting("anonymous", "").lower() == "true":
        options["anon" if scheme == "s3" else "token"] = True if scheme == "s3" else "anon"
    try:
        return Location(pattern, fsspec.filesystem(scheme, **options))
    except (ImportError, ValueError) as error:
        raise CatalystError(
            f"Feed {feed.id} reads {pattern!r}, but nothing here reads {scheme}:// ({error}). Use a path, gs:// or "
            f"s3://, or install the fsspec package for it, and correct {feed.path}."
        ) from error


def fixed_part(pattern: str) -> Path:
    """Returns the folder above the first part of a pattern that has a wildcard, or above the file."""
    parts = PurePosixPath(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def uncompressed(path: Path, target: Path) -> Path:
    """Returns a plain copy of a file whose name says that it is compressed, and any other file as it is.

    DuckDB would read compressed files too, but not tell that one ends in the middle.

    Raises:
        OSError: It is not what its name says, or ends in the middle.
    """
    compression = _COMPRESSIONS.get(path.suffix.lower())
    if compression is None:
        return path
    with pa.input_stream(str(path), compression=compression) as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
    return target


def _version(path: Path) -> str:
    return str(path.stat().st_mtime_ns)


def _finished(name: str) -> bool:
    return not any(
        part.startswith(_UNFINISHED_PREFIXES) for part in PurePosixPath(name).parts
    ) and not name.lower().endswith(_UNFINISHED_SUFFIXES)
