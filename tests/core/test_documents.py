"""What a group delivers: texts and gzip, folders, templates, and what is refused."""

import base64
import gzip
from dataclasses import replace

import pytest
from support.definitions import configmap, group, work

from gitops.api.work import Work
from gitops.core import documents
from gitops.core.documents import TemplateError
from gitops.core.patch import patch
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, EXECUTABLE, FILE, LINK, SUBMODULE, Entry


@pytest.fixture
def objects():
    return Sketch()


def packed(text):
    return base64.b64encode(gzip.compress(text.encode())).decode()


def groups(objects, *found, folder=None, **fields):
    return documents.groups(Work.model_validate(work("w", groups=list(found), **fields)), folder, objects)


def content(objects, made):
    assert made.refusal is None, made.refusal
    return {path: objects.blob(oid).decode() for path, oid in made.files}


def folder(objects, files):
    return patch(
        objects, None, [(path, Entry(mode, objects.add(BLOB, text.encode()))) for path, (text, mode) in files.items()]
    )


def plain(**files):
    return {path: (text, FILE) for path, text in files.items()}


def refusal(objects, files):
    return groups(objects, group(files))[0].documents.refusal


def test_text_and_packed_content_are_told_apart(objects):
    (made,) = groups(objects, group({"plain.txt": "plain\n", "packed.txt": packed("packed\n")}))

    assert content(objects, made.documents) == {"plain.txt": "plain\n", "packed.txt": "packed\n"}


def test_content_that_claims_to_be_packed_and_is_not_sound_is_refused_by_name(objects):
    found = refusal(objects, {"good.txt": "x", "bad.txt": packed("x" * 100)[:-12]})

    assert found.reason == "InvalidDocument"
    assert found.message.startswith("bad.txt: ")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/x",
        "../x",
        "a/../b",
        "./x",
        "a//b",
        "a/",
        ".git/config",
        "a/.GIT/x",
        "git~1",
        "a\\b",
        "C:/x",
        "a\x00b",
        "x" * 256,
    ],
)
def test_k3_k4_an_unsafe_path_is_refused_and_named(objects, path):
    found = refusal(objects, {"good.txt": "x", path: "x"})

    assert found.reason == "InvalidDocument"
    assert found.message.startswith(f'path "{documents.printable(path, 256)}": ')


@pytest.mark.parametrize("other", ["d/x", "d/X", "D/x", "d/x/y", "d"])
def test_paths_that_clash_within_a_group_are_refused(objects, other):
    made = Work.model_validate(
        work("w", groups=[group(None, workloads=[{"filepath": p, "content": "x"} for p in ("d/x", other)])])
    )

    found = documents.groups(made, None, objects)[0].documents.refusal
    assert found.reason == "InvalidDocument"
    assert ("is given twice in the same group" in found.message) == (other == "d/x")


def test_a_large_file_store_pointer_is_not_delivered_as_a_document(objects):
    assert (
        "Git LFS" in refusal(objects, {"x.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"}).message
    )


def test_the_same_object_twice_in_one_group_is_unfit_for_an_agent(objects):
    (made,) = groups(objects, group({"a.yaml": configmap("x"), "b.yaml": configmap("x")}))

    assert made.documents.unfit == (
        "InvalidDocument",
        "b.yaml: ConfigMap/default/x comes twice, also in a.yaml",
        "b.yaml",
        1,
    )


@pytest.mark.parametrize(
    "text", ["- 1\n", "just text\n", "kind: X\n", "apiVersion: v1\nkind: X\nmetadata: {}\n", "a: [\n"]
)
def test_a_manifest_that_is_no_object_is_unfit_for_an_agent_and_named(objects, text):
    assert groups(objects, group({"x.yml": text}))[0].documents.unfit.message.startswith("x.yml: ")


def test_other_files_need_not_be_objects(objects):
    assert groups(objects, group({"main.tf": "resource {}", "x.json": "[1]"}))[0].documents.unfit is None


# folders


def test_a_folder_is_taken_byte_for_byte_without_what_is_not_its_own(objects):
    tree = folder(
        objects,
        {
            **plain(**{"work.yaml": "the Work", "a.yaml": configmap("a")}),
            "bin/run": ("#!/bin/sh\n", EXECUTABLE),
            "alerts/x.yaml": (configmap("x"), FILE),
        },
    )
    rest, alerts = groups(objects, group(None), group(None, directory="alerts"), folder=tree)

    assert content(objects, rest.documents) == {"a.yaml": configmap("a"), "bin/run": "#!/bin/sh\n"}
    assert content(objects, alerts.documents) == {"alerts/x.yaml": configmap("x")}


def test_a_nested_work_yaml_is_a_file_like_others(objects):
    tree = folder(objects, plain(**{"work.yaml": "w", "d/work.yaml": configmap("x")}))

    assert content(objects, groups(objects, group(None), folder=tree)[0].documents) == {"d/work.yaml": configmap("x")}


@pytest.mark.parametrize(("mode", "word"), [(LINK, "symbolic link"), (SUBMODULE, "submodule")])
def test_a_folder_with_a_link_is_refused_and_the_link_not_followed(objects, mode, word):
    tree = patch(
        objects,
        None,
        {"work.yaml": Entry(FILE, objects.add(BLOB, b"")), "l": Entry(mode, objects.add(BLOB, b"/etc/passwd"))},
    )
    (made,) = groups(objects, group(None), folder=tree)

    assert made.documents.refusal == ("InvalidDocument", f"l: is a {word}, not a file", "l", 1)


def test_a_directory_that_is_not_there_is_named(objects):
    (made,) = groups(objects, group(None, directory="nowhere"), folder=folder(objects, plain(**{"work.yaml": ""})))

    assert made.documents.refusal == ("InvalidDocument", "directory nowhere is not in the folder", "", 1)


# templates


def rendered(objects, files, renderer):
    (made,) = groups(objects, group(files))
    return documents.render(made, {"name": "edge"}, renderer, objects)


def test_a_template_waits_for_its_destination_and_loses_its_suffix(objects):
    made = rendered(
        objects, {"x.txt.j2": "T", "y.txt": "{{ T }}"}, lambda text, scope: f"{text} on {scope['name']}".encode()
    )

    assert content(objects, made) == {"x.txt": "T on edge", "y.txt": "{{ T }}"}


def test_a_template_that_fails_is_named(objects):
    def fails(text, scope):
        raise TemplateError("no", 3)

    refusal = rendered(objects, {"x.txt.j2": "T"}, fails).refusal
    assert refusal == ("TemplateError", "x.txt.j2: line 3: no", "x.txt.j2", 3)


def test_a_template_that_is_no_text_is_named(objects):
    (made,) = groups(objects, group({"x.txt.j2": "T"}))
    sources = (("x.txt.j2", objects.add(BLOB, b"\xff")),)

    refusal = documents.render(replace(made, sources=sources), {}, lambda text, scope: b"", objects).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.document, refusal.line) == ("TemplateError", "x.txt.j2", 1)
    assert refusal.message.startswith("x.txt.j2: 'utf-8' codec can't decode")


@pytest.mark.parametrize("path", [".j2", "a/.j2", "../x.j2", ".git.j2", "...j2"])
def test_the_path_is_checked_without_the_suffix(objects, path):
    assert rendered(objects, {path: "T"}, lambda text, scope: b"").refusal.reason == "InvalidDocument"


def test_two_files_that_become_one_are_refused(objects):
    assert (
        rendered(objects, {"x.txt": "a", "x.txt.j2": "b"}, lambda text, scope: b"").refusal.reason == "InvalidDocument"
    )


def test_what_a_template_makes_is_checked_like_any_document(objects):
    assert rendered(objects, {"x.yaml.j2": "T"}, lambda text, scope: b"no: object").unfit.message.startswith("x.yaml: ")
