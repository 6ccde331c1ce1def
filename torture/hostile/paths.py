"""Paths of documents: attacks on the places of others, on Git itself, and on the disks of those who check it out."""

from __future__ import annotations

from collections.abc import Iterator

from support.definitions import destination, group, selector, work

from torture.hostile.cases import Case, Row, delivered, file_of, held, ready, refused, request

_GIT, _DOTS, _DOT, _EMPTY = "belongs to Git itself", 'a component is ".."', 'a component is "."', "a component is empty"
_ABSOLUTE, _BACKSLASH = "it is absolute; it must be relative", "a backslash is not allowed"

UNSAFE = [
    ("#1 the directory above", "../x", _DOTS),
    ("#1 above and back", "../dev/x", _DOTS),
    ("#1 far above", "../../../../../../../../etc/passwd", _DOTS),
    ("#1 up inside", "a/../../x", _DOTS),
    ("#1 up at the end", "a/b/..", _DOTS),
    ("#1 the definitions", "../../../../../../../works/x.yaml", _DOTS),
    ("#1 the status", "a/../../../../../../../../status/works/x.yaml", _DOTS),
    ("#1 a dot first", "./x", _DOT),
    ("#1 a dot inside", "a/./b", _DOT),
    ("#1 a dot at the end", "a/.", _DOT),
    ("#2 absolute", "/abs", _ABSOLUTE),
    ("#2 two slashes", "//abs", _ABSOLUTE),
    ("#2 the root", "/", _ABSOLUTE),
    ("#2 a file of the host", "/etc/cron.d/x", _ABSOLUTE),
    ("#3 a drive", "C:\\x", _BACKSLASH),
    ("#3 a drive with a slash", "C:/x", _ABSOLUTE),
    ("#3 a drive in small", "c:/x", _ABSOLUTE),
    ("#3 a drive alone", "Z:", _ABSOLUTE),
    ("#3 a host", "\\\\host\\share", _BACKSLASH),
    ("#3 a device", "\\\\.\\PhysicalDrive0", _BACKSLASH),
    ("#3 a long path of Windows", "\\\\?\\C:\\x", _BACKSLASH),
    ("#4 up with backslashes", "d\\..\\x", _BACKSLASH),
    ("#4 a backslash at the end", "d\\", _BACKSLASH),
    ("#4 Git behind a backslash", "d\\.git\\config", _BACKSLASH),
    ("#5 settings of Git", ".git/config", _GIT),
    ("#5 a hook", "x/.git/hooks/pre-push", _GIT),
    ("#5 a link of a work tree", ".git", _GIT),
    ("#5 deep", "a/b/c/d/.git/HEAD", _GIT),
    ("#6 in capitals", ".GIT/config", _GIT),
    ("#6 mixed", ".Git/config", _GIT),
    ("#6 mixed otherwise", ".gIt/HEAD", _GIT),
    ("#6 its short name", "git~1", _GIT),
    ("#6 its short name in capitals", "GIT~1/config", _GIT),
    ("#6 a blank behind", ".git /config", _GIT),
    ("#6 a dot behind", ".git./config", _GIT),
    ("#6 dots and blanks behind", ".git. . ./config", _GIT),
    ("#6 a stream of NTFS", ".git::$INDEX_ALLOCATION/config", _GIT),
    ("#6 a named stream", ".git:x:$DATA", _GIT),
    ("#6 a stream after a blank", ".git ::$DATA/x", _GIT),
    ("#6 a stream of the short name", "git~1::$INDEX_ALLOCATION/config", _GIT),
    ("#7 the next short name", "git~2", _GIT),
    ("#7 short name with two digits", "GIT~10/x", _GIT),
    ("#7 short name of .gitmodules", "GITMOD~1", _GIT),
    ("#7 another of .gitmodules", "gitmod~4", _GIT),
    ("#7 a hashed one of .gitmodules", "gi7eba~1", _GIT),
    ("#7 a hashed one of .gitattributes", "GI7D29~1", _GIT),
    ("#7 short name of .gitattributes", "GITATT~1", _GIT),
    ("#8 a zero width non-joiner", ".gi\u200ct", "U+200C"),
    ("#8 a zero width joiner", ".g\u200dit/config", "U+200D"),
    ("#8 a zero width space", "\u200b.git", "U+200B"),
    ("#8 a byte order mark", "\ufeff.git/x", "U+FEFF"),
    ("#8 a word joiner", ".\u2060git", "U+2060"),
    ("#8 a soft hyphen", ".gi\u00adt", "U+00AD"),
    ("#8 a variation selector", ".g\ufe0fit", _GIT),
    ("#8 a combining grapheme joiner", ".g\u034fit", _GIT),
    ("#8 a Hangul filler", ".gi\u3164t/config", _GIT),
    ("#8 a variation selector of a higher plane", ".git\U000e0100", _GIT),
    ("#8 a tag character", ".gi\U000e0074t", "U+E0074"),
    ("#8 a Mongolian vowel separator", ".gi\u180et", "U+180E"),
    ("#9 a blank before Git", " .git", _GIT),
    ("#9 blanks before and behind", "  .git  /config", _GIT),
    ("#10 NUL", "a\0b", "U+0000"),
    ("#10 a suffix behind NUL", "a\0.yaml", "U+0000"),
    ("#11 a line feed", "a\nb", "U+000A"),
    ("#11 a carriage return", "a\rb", "U+000D"),
    ("#11 a tab", "a\tb", "U+0009"),
    ("#11 a colour", "a\x1b[31mb", "U+001B"),
    ("#11 a title of the terminal", "\x1b]0;owned\x07", "U+001B"),
    ("#11 a bell", "a\x07", "U+0007"),
    ("#11 a backspace", "safe\x08\x08\x08\x08evil", "U+0008"),
    ("#11 DEL", "a\x7f", "U+007F"),
    ("#11 CSI in one byte", "a\x9b31m", "U+009B"),
    ("#11 NEL", "a\x85b", "U+0085"),
    ("#11 right to left", "a\u202ebmp.exe", "U+202E"),
    ("#11 an isolate", "a\u2066b\u2069", "U+2066"),
    ("#11 a mark of direction", "a\u200fb", "U+200F"),
    ("#11 an Arabic letter mark", "a\u061cb", "U+061C"),
    ("#11 a line separator", "a\u2028b", "U+2028"),
    ("#11 a paragraph separator", "a\u2029b", "U+2029"),
    ("#11 a trailer", "x\n\nGitops-Event: Normal Forged Work/default/x", "U+000A"),
    ("#12 nothing", "", "it is empty"),
    ("#12 two slashes inside", "a//b", _EMPTY),
    ("#12 a slash at the end", "a/", _EMPTY),
    ("#12 a dot alone", ".", _DOT),
    ("#12 two dots alone", "..", _DOTS),
    ("#13 256 bytes", "x" * 256, "a component has 256 bytes; at most 255 are allowed"),
    ("#13 256 bytes of two", "é" * 128, "256 bytes; at most 255"),
    ("#13 252 bytes and four of one character", "x" * 252 + "\U0001f600", "256 bytes; at most 255"),
    ("#13 65,536 bytes: an unreadable tree", "x" * 65_536, "65536 bytes; at most 1024"),
    ("#13 1,025 bytes in all", "/".join(["x" * 204] * 5) + "y", "1025 bytes; at most 1024"),
    ("#13 33 levels", "/".join(["x"] * 33), "33 components; at most 32"),
    ("#13 3,000 levels", "x/" * 3_000 + "x", "at most"),
    ("#13 with its place too long", "/".join(["x" * 200] * 5), "at most 1024"),
    ("#13 with its place too deep", "/".join(["x"] * 26), "at most 32"),
    ("#20 .gitmodules", ".gitmodules", _GIT),
    ("#20 .gitattributes below", "d/.gitattributes", _GIT),
    ("#20 .gitmodules folded", ".GitModules ", _GIT),
    ("#20 .gitattributes with a stream", ".gitattributes::$DATA", _GIT),
]  # fmt: skip

LEGAL = [
    ("#9 a dot behind", "trailing."),
    ("#9 a blank behind", "trailing "),
    ("#9 a blank before", " leading"),
    ("#14 CON", "CON"),
    ("#14 NUL", "NUL"),
    ("#14 AUX with a suffix", "aux.txt"),
    ("#14 COM1", "COM1"),
    ("#14 LPT1", "LPT1.txt"),
    ("#16 an option", "-rf"),
    ("#16 a long option", "--upload-pack=touch x"),
    ("#16 a command", "$(touch owned)"),
    ("#16 a command in backquotes", "`id`;|&"),
    ("#16 patterns of a shell", "*?[a-z]{a,b}"),
    ("#16 magic of Git", ":(exclude)x"),
    ("#16 a revision", "@{-1}"),
    ("#20 .gitignore", ".gitignore"),
    ("#20 .mailmap", ".mailmap"),
    ("#20 .gitkeep", ".gitkeep"),
    ("#21 a workflow below a place", ".github/workflows/x.txt"),
    ("#21 three dots", ".../x"),
    ("#22 a template's suffix alone inside", "a.j2/b"),
    ("other writing", "日本語/é"),
    ("an emoji", "😀"),
    ("255 bytes", "x" * 255),
    ("quotes", "'\"quoted\"'"),
    ("HTML", "<script>alert(1)<⁄script>"),
    ("Markdown", "[x](javascript:alert(1))|`"),
    ("a colon", "a:b"),
    ("Git at the end of a name", "x.git"),
    ("Git in a longer name", ".git-hooks"),
    ("a tilde", "git~"),
    ("a file named like a status", "status.txt"),
]  # fmt: skip

CLASHES = [
    ("#12 one path twice", ("a", "a")),
    ("#17 capitals", ("d/X", "d/x")),
    ("#17 composed and decomposed", ("é", "e\u0301")),
    ("#17 sharp s", ("straße", "STRASSE")),
    ("#17 an Angstrom sign", ("\u212b", "\u00e5")),
    ("#17 a variation selector", ("x\ufe0f", "x")),
    ("#17 dotless", ("\u0130x", "i\u0307x")),
    ("#18 a file and a directory", ("d/x", "d/x/y")),
    ("#18 the directory first", ("d/x/y", "d/x")),
    ("#18 in other capitals", ("d/X", "d/x/y")),
]  # fmt: skip


_SUFFIXED = [
    (".git", ".git.j2", _GIT),
    ("nothing", ".j2", "it is empty"),
    ("a dot and nothing", "a/.j2", _EMPTY),
    ("two dots", "...j2", _DOTS),
    (".gitmodules", "x/.gitmodules.j2", _GIT),
]  # fmt: skip

_PARTS = [
    ("up", "../../x", _DOTS),
    ("Git", ".git", _GIT),
    ("a line feed", "a\nb", "U+000A"),
    ("right to left", "\u202ex", "U+202E"),
    ("256 bytes", "x" * 256, "256 bytes"),
    ("40 levels", "/".join("x" * 40), "at most 32"),
    ("backslashes", "..\\..\\x", _BACKSLASH),
    ("two slashes", "a//b", _EMPTY),
]  # fmt: skip


def rows() -> Iterator[Row]:
    for name, path, piece in UNSAFE:
        yield refused(name, {path: "x"}, piece)
    for name, path in LEGAL:
        yield delivered(name, {path: f"# {name}\n"})
    for name, both in CLASHES:
        yield Row(name, lambda own, both=both: _clash(own, both))
    for name, path, piece in _SUFFIXED:
        yield refused(f"#22 {name} once the suffix goes", {path: "x"}, piece)
    for name, part, piece in _PARTS:
        for field in ("promiseName", "resourceName"):
            yield Row(f"#22 {field}: {name}", lambda own, f=field, p=part, e=piece: _part(own, f, p, e))
    for path in (".github/workflows/x.txt", ".gitlab-ci.yml", ".kratix/x"):
        yield Row(f"#21 at the top of a Destination: {path}", lambda own, path=path: _at_the_top(own, path))


def _clash(own: str, both: tuple[str, str]) -> Case:
    definition = request(own)
    documents = [{"filepath": path, "content": "x"} for path in both]
    definition["spec"]["workloadGroups"][0]["workloads"] = documents
    said = "is given twice" if len(set(both)) == 1 else "clashes with"
    return Case({file_of(own): definition}, held(own, said))


def _part(own: str, field: str, part: str, piece: str) -> Case:
    """A part of the path that comes from another field."""
    definition = request(own, {"x": "x"})
    definition["spec"][field] = part
    return Case({file_of(own): definition}, held(own, piece))


def _at_the_top(own: str, path: str) -> Case:
    """Below `state/` it is a name like any other; only at the root of a branch would it mean something."""
    target = destination(f"flat-{own}", mode="none", row=own, initWorkloads={"enabled": False})
    definition = work(own, groups=[group({path: "x: 1\n"}, selector(row=own))], request=own)
    files = {file_of(own): definition, f"destinations/{own}.yaml": target}
    return Case(files, (ready(own),), {f"state/flat-{own}/{path}": b"x: 1\n"}, before="")
