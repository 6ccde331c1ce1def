"""What a safe path is: the attacks of documents and Destinations on the places of others, and on Git itself."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.core import paths

SAFE = [
    "a",
    "a/b.yaml",
    "static/redis-dependencies.yaml",
    ".gitignore",
    ".mailmap",
    ".gitkeep",
    ".github",
    ".git-hooks/x",
    "git",
    "git~",
    "x.git",
    "...",
    "a b/c d",
    " leading",
    "trailing ",
    "trailing.",
    "CON",
    "aux.yaml",
    "COM1",
    "-rf",
    "--upload-pack=x",
    "a[1].yaml",
    "*",
    "é/ü",
    "日本語.yaml",
    "a:b",
    "x" * 255,
    "/".join(["x"] * 32),
    "/".join(["x" * 127] * 8),
]


@pytest.mark.parametrize("path", SAFE)
def test_what_git_can_hold_everywhere_is_safe(path):
    assert paths.check(path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("../x", 'a component is ".."', id="#1"),
        pytest.param("a/../../x", 'a component is ".."', id="#1 inside"),
        pytest.param("./x", 'a component is "."', id="#1 dot"),
        pytest.param("a/./b", 'a component is "."', id="#1 dot inside"),
        pytest.param("/abs", "absolute", id="#2"),
        pytest.param("//abs", "absolute", id="#2 two slashes"),
        pytest.param("C:\\x", "backslash", id="#3 drive, backslash"),
        pytest.param("C:/x", "absolute", id="#3 drive"),
        pytest.param("\\\\host\\x", "backslash", id="#3 host"),
        pytest.param("d\\..\\x", "backslash", id="#4"),
        pytest.param(".git/config", "belongs to Git", id="#5"),
        pytest.param("x/.git/hooks/pre-push", "belongs to Git", id="#5 below"),
        pytest.param(".GIT", "belongs to Git", id="#6 upper"),
        pytest.param(".Git", "belongs to Git", id="#6 mixed"),
        pytest.param("git~1", "belongs to Git", id="#6 short"),
        pytest.param("GIT~1", "belongs to Git", id="#6 short, upper"),
        pytest.param(".git ", "belongs to Git", id="#6 blank"),
        pytest.param(".git. .", "belongs to Git", id="#6 dots and blanks"),
        pytest.param(".git::$INDEX_ALLOCATION", "belongs to Git", id="#6 stream"),
        pytest.param(".git ::$DATA/x", "belongs to Git", id="#6 stream after a blank"),
        pytest.param("git~2", "belongs to Git", id="#7"),
        pytest.param("git~10", "belongs to Git", id="#7 two digits"),
        pytest.param("GITMOD~1", "belongs to Git", id="#7 gitmodules"),
        pytest.param("gi7eba~1", "belongs to Git", id="#7 gitmodules, hashed"),
        pytest.param("gi7d29~1", "belongs to Git", id="#7 gitattributes, hashed"),
        pytest.param(".gi\u200ct", "U+200C", id="#8 non-joiner"),
        pytest.param(".g\u200dit", "U+200D", id="#8 joiner"),
        pytest.param("\u200b.git", "U+200B", id="#8 zero width"),
        pytest.param(".g\ufe0fit", "belongs to Git", id="#8 ignorable but no format character"),
        pytest.param(".g\u034fit", "belongs to Git", id="#8 grapheme joiner"),
        pytest.param(" .git", "belongs to Git", id="#9 leading blank"),
        pytest.param("a\0b", "U+0000", id="#10"),
        pytest.param("a\nb", "U+000A", id="#11 newline"),
        pytest.param("a\rb", "U+000D", id="#11 CR"),
        pytest.param("a\tb", "U+0009", id="#11 tab"),
        pytest.param("a\x1b[31m", "U+001B", id="#11 ESC"),
        pytest.param("a\x7f", "U+007F", id="#11 DEL"),
        pytest.param("a\x9bb", "U+009B", id="#11 C1"),
        pytest.param("a\u202eb", "U+202E", id="#11 bidi"),
        pytest.param("a\u2028b", "U+2028", id="#11 line separator"),
        pytest.param("", "it is empty", id="#12"),
        pytest.param("a//b", "a component is empty", id="#12 inside"),
        pytest.param("a/", "a component is empty", id="#12 at the end"),
        pytest.param(".", 'a component is "."', id="#12 dot"),
        pytest.param("..", 'a component is ".."', id="#12 two dots"),
        pytest.param("x" * 256, "256 bytes; at most 255", id="#13 component"),
        pytest.param("é" * 128, "256 bytes; at most 255", id="#13 component in bytes"),
        pytest.param("/".join(["x" * 128] * 8), "1031 bytes; at most 1024", id="#13 path"),
        pytest.param("x" * 65_536, "65536 bytes", id="#13 unreadable tree"),
        pytest.param("/".join(["x"] * 33), "33 components; at most 32", id="#13 depth"),
        pytest.param("x/" * 3_000 + "x", "at most", id="#13 3,000 levels"),
        pytest.param("a\udc80b", "U+DC80", id="#15"),
        pytest.param(".gitmodules", "belongs to Git", id="#20"),
        pytest.param("d/.gitattributes", "belongs to Git", id="#20 below"),
        pytest.param(".GitModules ", "belongs to Git", id="#20 folded"),
    ],
)
def test_an_unsafe_path_is_refused_with_its_name_and_the_reason(path, reason):
    refusal = paths.check(path)
    assert refusal.startswith('path "')
    assert reason in refusal
    assert refusal.isprintable()
    assert len(refusal) < 512


@given(st.text(alphabet=".gGiItT~1/\\ :\u200c\ufe0f\u0130\u0131\0", max_size=12))
def test_no_spelling_of_git_passes(path):
    if paths.check(path) is None:
        for part in path.split("/"):
            assert paths.fold(part).rstrip(" .") not in (".git", "git~1")
            assert part not in ("", ".", "..")


@given(st.text())
def test_what_is_safe_can_be_written_and_read_as_it_is(path):
    if paths.check(path) is None:
        assert len(path.encode()) <= 1024
        assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in path)
        assert paths.directory(path) == path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("d/X", "d/x"),
        ("caf\u00e9", "cafe\u0301"),
        ("CAF\u00c9", "cafe\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("a\u200bb", "ab"),
        ("\u212b", "\u00e5"),
        ("\u1e9b\u0323", "\u1e69"),
    ],
)
def test_one_file_on_some_disk_folds_to_one_name(one, other):
    assert paths.fold(one) == paths.fold(other)


@given(st.text())
def test_folding_again_changes_nothing(path):
    assert paths.fold(paths.fold(path)) == paths.fold(path)


@given(st.text())
def test_other_normal_forms_fold_alike(path):
    assert paths.fold(unicodedata.normalize("NFD", path)) == paths.fold(path)
    assert paths.fold(unicodedata.normalize("NFC", path)) == paths.fold(path)


def test_different_names_stay_different():
    assert paths.fold("d/x") != paths.fold("d/y")
    assert paths.fold("d/x") != paths.fold("dx")


def test_join_leaves_out_what_is_empty():
    assert paths.join("state", "", "worker-1", "a/b") == "state/worker-1/a/b"
    assert paths.join("", "") == ""


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        ("a", "a"),
        ("a/", "a"),
        ("./a", "a"),
        ("/a", "a"),
        ("a//b", "a/b"),
        ("a/./b/", "a/b"),
        (".", ""),
        ("/", ""),
        ("", ""),
        ("./", ""),
    ],
)
def test_a_directory_has_one_spelling(path, directory):
    assert paths.directory(path) == directory


@pytest.mark.parametrize("path", ["..", "a/../b", "/..", ".git", "a\\b", "a\nb", "x" * 256])
def test_a_directory_elsewhere_is_refused(path):
    with pytest.raises(ValueError, match=r'^path "'):
        paths.directory(path)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "a/b", True),
        ("a/b", "a", True),
        ("", "a", True),
        ("", "", True),
        ("A", "a", True),
        ("A/b", "a", True),
        ("a", "b", False),
        ("a", "ab", False),
        ("a/b", "a/c", False),
    ],
)
def test_overlap(one, other, expected):
    assert paths.overlap(one, other) is expected
