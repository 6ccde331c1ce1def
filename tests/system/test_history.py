"""`gitops history`: what the log says of one object, as far as there is a log."""

import json
import subprocess

import pytest
from support.definitions import configmap, destination, work

from gitops.cli.main import main
from gitops.core import messages


@pytest.fixture
def changed(platform):
    """A Work that was placed, and then changed twice."""
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    for text in ("one", "two", "three"):
        platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", text)}, env="dev")})
        platform.reconcile()
        platform.clock.advance()
    return platform


def said(capsys, path, *arguments):
    assert main(["--repo", str(path), "history", *arguments]) == 0
    return capsys.readouterr()


def test_an_object_is_named_as_for_get(changed, capsys):
    told = said(capsys, changed.path, "work", "r").out

    assert told.count("operation: created") == 1
    assert said(capsys, changed.path, "work/r").out == told
    assert said(capsys, changed.path, "wk/r", "-n", "default").out == told


@pytest.mark.parametrize("command", ["history", "explain"])
@pytest.mark.parametrize("words", [[], ["work"], ["work", "a", "b"], ["work/a", "work/b"], ["work", "work/a"]])
def test_it_is_one_object(changed, capsys, command, words):
    assert main(["--repo", str(changed.path), command, *words]) == 2
    assert "name one object: " in capsys.readouterr().err


def test_in_a_clone_of_limited_depth_the_last_commit_did_not_do_it_all(changed, capsys, tmp_path):
    whole = json.loads(said(capsys, changed.path, "work", "r", "-o", "json").out)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "3", f"file://{changed.path}", clone], check=True)
    end = (clone / ".git" / "shallow").read_text()[:7]

    told = said(capsys, clone, "work", "r", "-o", "json")

    entries = json.loads(told.out)
    assert entries
    assert entries == whole[-len(entries) :]
    warning = f"the log of this shallow clone ends at {end}; `git fetch --unshallow` brings what was before"
    assert told.err == f"warning: {warning}\n"
    assert said(capsys, changed.path, "work", "r").err == ""


@pytest.mark.parametrize("end", ["", "Signed-off-by: Ada <ada@example.org>\n", "\nLooks good to me.\n"])
def test_a_status_commit_that_people_amend_is_not_told_again(changed, capsys, end):
    told = [
        (row["reason"], row.get("message")) for row in json.loads(said(capsys, changed.path, "wk/r", "-o", "json").out)
    ]
    commit = changed.repo[changed.tip()]
    changed.move(str(commit.parents[0].id))
    amended = changed.commit({"docs/r.md": "x", **changed.files("status/", str(commit.id))}, commit.message + end)
    changed.reconciler().reconcile()
    changed.reconcile()

    again = [
        (row["reason"], row.get("message")) for row in json.loads(said(capsys, changed.path, "wk/r", "-o", "json").out)
    ]
    assert changed.tip() == amended
    assert again == told


def test_what_a_bounded_message_leaves_out_is_told_all_the_same(platform, capsys, monkeypatch):
    """The status files of the commit are the whole record, and the versions are those of the documents' commits."""
    monkeypatch.setattr(messages, "MAX_BYTES", messages._RESERVE)
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", env="dev")})
    platform.reconcile()
    version = platform.status("works/default/r/r.dev-5058f.yaml")["status"]["versionID"]
    assert "Gitops-Event" not in platform.log()[0].message

    told = said(capsys, platform.path, "work", "r").out
    for each in ("workplacement reconciled: r.dev-5058f, operation: created", f"r.dev-5058f: {version[:7]}"):
        assert told.count(each) == 1
    platform.remove("status")
    platform.reconciler().reconcile()
    assert platform.status("works/default/r/r.dev-5058f.yaml")["status"]["versionID"] == version


def test_where_the_log_ends_is_told_also_when_nothing_is_left_of_it(changed, capsys, tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{changed.path}", clone], check=True)

    assert main(["--repo", str(clone), "history", "work", "r"]) == 1
    assert "`git fetch --unshallow`" in capsys.readouterr().err
