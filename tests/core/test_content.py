"""Inline content is plain text, or Kratix's base64 of gzip; what claims to be gzip is never delivered as text."""

import base64
import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.core.content import MAX_BYTES, decode

GZIP = gzip.compress(b"apiVersion: v1\nkind: Namespace\n", mtime=0)


def b64(raw):
    return base64.b64encode(raw).decode()


def wrapped(text):
    return "\n".join(text[i : i + 20] for i in range(0, len(text), 20)) + "\n"


@pytest.mark.parametrize(
    ("content", "raw"),
    [
        ("", b""),
        ("hello\n", b"hello\n"),
        (" \n", b" \n"),
        ("aGVsbG8=", b"aGVsbG8="),
        ("caf\u00e9\r\n", b"caf\xc3\xa9\r\n"),
        ("H4s", b"H4s"),
        ("H4sI begins every gzip in base64", b"H4sI begins every gzip in base64"),
        ("text\nH4sIAAAA", b"text\nH4sIAAAA"),
        (b64(GZIP), b"apiVersion: v1\nkind: Namespace\n"),
        (b64(GZIP) + "\n", b"apiVersion: v1\nkind: Namespace\n"),
        (wrapped(b64(GZIP)), b"apiVersion: v1\nkind: Namespace\n"),
        (b64(gzip.compress(b"")), b""),
        ("x" * MAX_BYTES, b"x" * MAX_BYTES),
    ],
    ids=range(13),
)
def test_content_is_decoded(content, raw):
    assert decode(content) == raw


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b64(GZIP + GZIP), "after the end", id="#50 two members"),
        pytest.param(b64(GZIP + b"x"), "after the end", id="#50 something after it"),
        pytest.param(b64(GZIP)[:8] + "!" + b64(GZIP)[8:], "not valid base64", id="#51 junk"),
        pytest.param(b64(GZIP)[:-3], "not valid base64", id="#51 no padding"),
        pytest.param(b64(GZIP[:-9]), "cut off", id="#52 no end"),
        pytest.param(b64(GZIP[:-4]), "cut off", id="#52 no length"),
        pytest.param(b64(GZIP[:3]), "cut off", id="#52 only the beginning"),
        pytest.param(b64(GZIP[:12] + b"\xff\xff" + GZIP[14:]), "damaged", id="#52 damaged"),
        pytest.param(b64(GZIP[:-8] + b"\0\0\0\0" + GZIP[-4:]), "damaged", id="#52 wrong checksum"),
        pytest.param("x" * (MAX_BYTES + 1), "at most 10485760", id="#50 plain text"),
        pytest.param("\ud800", "surrogate", id="#42"),
    ],
)
def test_what_claims_to_be_gzip_and_is_not_is_refused(content, reason):
    with pytest.raises(ValueError, match=reason):
        decode(content)


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10**8], ids=["#50 bomb", "#50 large bomb"])
def test_a_bomb_is_refused(size):
    bomb = b64(gzip.compress(b"\0" * size))
    with pytest.raises(ValueError, match="more than 10485760 bytes"):
        decode(bomb)


def test_one_layer_is_unpacked_so_that_archives_arrive_as_they_are():
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz"):
        pass
    assert decode(b64(gzip.compress(archive.getvalue()))) == archive.getvalue()


@given(st.binary())
def test_packed_bytes_come_back(raw):
    assert decode(b64(gzip.compress(raw))) == raw


@given(st.text())
def test_text_is_delivered_byte_for_byte(text):
    if "H4sI" not in text:
        assert decode(text) == text.encode()


@given(st.binary(max_size=80).map(b64), st.integers(0, 80))
def test_damage_is_never_delivered_as_text(tail, cut):
    content = ("H4sIAAAAAAAC" + tail)[: 4 + cut]
    try:
        raw = decode(content)
    except ValueError:
        return
    assert raw != content.encode()
