"""The `content` of a workload: plain text, or Kratix's base64 of gzip, and how they are told apart."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

MAX_BYTES = 10 * 1024 * 1024
"""Of one document, when it is unpacked."""

_MAGIC = "H4sI"  # the bytes 1f 8b 08, with which every gzip begins, in base64
_CLAIM = re.compile(rf"\s*{_MAGIC}\S*(?:\s*\n\s*\S+)*\s*")  # no blank inside a line: no prose
_GZIP = 31  # for zlib: a gzip header, and the largest window


def decode(content: str) -> bytes:
    """Return the bytes of a document. ValueError in plain words when *content* claims to be gzip and is not sound."""
    if content.lstrip()[:4] == _MAGIC and _CLAIM.fullmatch(content):
        return _gunzip(_base64("".join(content.split())))
    try:
        raw = content.encode()
    except UnicodeEncodeError:
        raise ValueError("the content has half a surrogate pair, which is no character") from None
    if len(raw) > MAX_BYTES:
        raise ValueError(f"the content has {len(raw)} bytes; at most {MAX_BYTES} are allowed")
    return raw


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the content begins like base64 of gzip but is not valid base64") from None


def _gunzip(packed: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed, MAX_BYTES + 1)
    except zlib.error:
        raise ValueError("the content is base64 of damaged gzip") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"the content has more than {MAX_BYTES} bytes when it is unpacked")
    if not stream.eof:
        raise ValueError("the content is base64 of gzip that was cut off")
    if stream.unused_data:
        raise ValueError("the content has something after the end of its gzip")
    return content
