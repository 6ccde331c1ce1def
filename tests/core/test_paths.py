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
    "~.git",
    ".git~",
    "x" * 255,
    "é" * 127 + "x",
    "/".join(["x"] * 32),
    "/".join(["é"] * 32),
    "/".join(["x" * 127] * 7 + ["x" * 128]),
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
        pytest.param("/abs", "it is absolute; it must be relative", id="#2"),
        pytest.param("//abs", "it is absolute; it must be relative", id="#2 two slashes"),
        pytest.param("C:\\x", "a backslash is not allowed; write / between components", id="#3 drive, backslash"),
        pytest.param("C:/x", "it is absolute; it must be relative", id="#3 drive"),
        pytest.param("\\\\host\\x", "a backslash is not allowed; write / between components", id="#3 host"),
        pytest.param("d\\..\\x", "a backslash is not allowed; write / between components", id="#4"),
        pytest.param(".git/config", '".git" belongs to Git itself', id="#5"),
        pytest.param("x/.git/hooks/pre-push", '".git" belongs to Git itself', id="#5 below"),
        pytest.param(".GIT", '".GIT" belongs to Git itself', id="#6 upper"),
        pytest.param(".Git", '".Git" belongs to Git itself', id="#6 mixed"),
        pytest.param("git~1", '"git~1" belongs to Git itself', id="#6 short"),
        pytest.param("GIT~1", '"GIT~1" belongs to Git itself', id="#6 short, upper"),
        pytest.param(".git ", '".git " belongs to Git itself', id="#6 blank"),
        pytest.param(".git. .", '".git. ." belongs to Git itself', id="#6 dots and blanks"),
        pytest.param(".git::$INDEX_ALLOCATION", '".git::$INDEX_ALLOCATION" belongs to Git itself', id="#6 stream"),
        pytest.param(".git ::$DATA/x", '".git ::$DATA" belongs to Git itself', id="#6 stream after a blank"),
        pytest.param("git~2", '"git~2" belongs to Git itself', id="#7"),
        pytest.param("git~10", '"git~10" belongs to Git itself', id="#7 two digits"),
        pytest.param("GITMOD~1", '"GITMOD~1" belongs to Git itself', id="#7 gitmodules"),
        pytest.param("gi7eba~1", '"gi7eba~1" belongs to Git itself', id="#7 gitmodules, hashed"),
        pytest.param("gi7d29~1", '"gi7d29~1" belongs to Git itself', id="#7 gitattributes, hashed"),
        pytest.param(".gi\u200ct", "the character U+200C is not allowed", id="#8 non-joiner"),
        pytest.param(".g\u200dit", "the character U+200D is not allowed", id="#8 joiner"),
        pytest.param("\u200b.git", "the character U+200B is not allowed", id="#8 zero width"),
        pytest.param(".g\ufe0fit", '".g️it" belongs to Git itself', id="#8 ignorable but no format character"),
        pytest.param(".g\u034fit", '".g͏it" belongs to Git itself', id="#8 grapheme joiner"),
        pytest.param(" .git", '" .git" belongs to Git itself', id="#9 leading blank"),
        pytest.param("a\0b", "the character U+0000 is not allowed", id="#10"),
        pytest.param("a\nb", "the character U+000A is not allowed", id="#11 newline"),
        pytest.param("a\rb", "the character U+000D is not allowed", id="#11 CR"),
        pytest.param("a\tb", "the character U+0009 is not allowed", id="#11 tab"),
        pytest.param("a\x1b[31m", "the character U+001B is not allowed", id="#11 ESC"),
        pytest.param("a\x7f", "the character U+007F is not allowed", id="#11 DEL"),
        pytest.param("a\x9bb", "the character U+009B is not allowed", id="#11 C1"),
        pytest.param("a\u202eb", "the character U+202E is not allowed", id="#11 bidi"),
        pytest.param("a\u2028b", "the character U+2028 is not allowed", id="#11 line separator"),
        pytest.param("a\u2029b", "the character U+2029 is not allowed", id="#11 paragraph separator"),
        pytest.param("", "it is empty", id="#12"),
        pytest.param("a//b", "a component is empty", id="#12 inside"),
        pytest.param("a/", "a component is empty", id="#12 at the end"),
        pytest.param(".", 'a component is "."', id="#12 dot"),
        pytest.param("..", 'a component is ".."', id="#12 two dots"),
        pytest.param("x" * 256, "a component has 256 bytes; at most 255 are allowed", id="#13 component"),
        pytest.param("é" * 128, "a component has 256 bytes; at most 255 are allowed", id="#13 component in bytes"),
        pytest.param("/".join(["x" * 128] * 8), "it has 1031 bytes; at most 1024 are allowed", id="#13 path"),
        pytest.param("x" * 65_536, "it has 65536 bytes; at most 1024 are allowed", id="#13 unreadable tree"),
        pytest.param("/".join(["x"] * 33), "it has 33 components; at most 32 are allowed", id="#13 depth"),
        pytest.param("x/" * 3_000 + "x", "it has 6001 bytes; at most 1024 are allowed", id="#13 3,000 levels"),
        pytest.param("a\udc80b", "the character U+DC80 is not allowed", id="#15"),
        pytest.param(".gitmodules", '".gitmodules" belongs to Git itself', id="#20"),
        pytest.param("d/.gitattributes", '".gitattributes" belongs to Git itself', id="#20 below"),
        pytest.param(".GitModules ", '".GitModules " belongs to Git itself', id="#20 folded"),
    ],
)
def test_an_unsafe_path_is_refused_with_its_name_and_the_reason(path, reason):
    refusal = paths.check(path)
    assert refusal.startswith('path "')
    assert refusal.endswith(f'": {reason}')
    assert refusal.isprintable()
    assert len(refusal) < 512


def test_a_refusal_shows_as_much_of_a_long_name_as_fits_on_a_line():
    assert paths.check("x" * 1025).startswith(f'path "{"x" * 255}…": ')
    assert paths.check(".git:" + "x" * 100).endswith(f': ".git:{"x" * 58}…" belongs to Git itself')


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


def test_the_directories_above_a_path_are_those_it_is_in():
    assert list(paths.directories_above("a/b/c")) == ["a/b", "a"]
    assert list(paths.directories_above("a")) == []


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
        ("a-b", "a", False),
        ("a", "a-b/c", False),
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


@pytest.mark.parametrize(
    ("found", "common"),
    [
        ([], ""),
        (["a.yaml"], ""),
        (["a/b/c.yaml"], "a/b"),
        (["a/b/c.yaml", "a/b/d.yaml"], "a/b"),
        (["a/b/c.yaml", "a/d.yaml"], "a"),
        (["ab/c.yaml", "a/c.yaml"], ""),
    ],
)
def test_the_directory_that_files_have_in_common(found, common):
    assert paths.common_directory(found) == common
