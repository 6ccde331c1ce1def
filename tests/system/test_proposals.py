"""`gitops plan --base --head`: what a pull request comes to is told exactly, before the merge. Nothing is written."""

import json
import re
import subprocess

import pytest
from support.definitions import configmap, destination, store, work
from support.platform import Platform

from gitops.cli.main import main

BASE = {
    "destinations/dev.yaml": destination("dev", env="dev"),
    "destinations/far.yaml": destination("far", env="dev", store="other"),
    "statestores/other.yaml": store("other", "other", "docs"),
    "works/redis.yaml": work("redis", env="dev"),
}
KAFKA = {"works/kafka.yaml": work("kafka", promise="kafka", env="dev")}


@pytest.fixture
def proposed(platform):
    """A platform at work, with a branch `kafka` that adds a Work, while `main` goes on."""
    platform.commit(BASE)
    platform.reconcile()
    platform.commit(KAFKA, branch="kafka", onto=platform.tip())
    platform.commit({"works/redis.yaml": work("redis", {"new.yaml": configmap("new")}, env="dev")})
    platform.reconcile()
    return platform


def plan(capsys, path, *arguments, code=0):
    assert main(["--repo", str(path), "plan", "-o", "json", *arguments]) == code
    out, err = capsys.readouterr()
    return json.loads(out) if code == 0 else err


def objects(path):
    return sorted(p for p in (path / "objects").rglob("*") if p.is_file())


def test_what_is_told_is_what_the_merge_comes_to(proposed, capsys):
    before = proposed.tips(), objects(proposed.path)

    told = plan(capsys, proposed.path, "--head", "kafka")

    assert (proposed.tips(), objects(proposed.path)) == before
    assert [(row["action"], row["placement"]) for row in told["placements"]] == [
        ("place", "kafka.dev-5058f"),
        ("place", "kafka.far-5058f"),
    ]
    proposed.merge("kafka")
    proposed.reconcile()
    assert told["documentTrees"] == {
        "embedded": proposed.git("rev-parse", "main:state").strip(),
        "GitStateStore/other": proposed.git("rev-parse", "other:docs").strip(),
    }


def test_a_clone_made_for_a_check_knows_the_branches_of_its_remote(proposed, capsys, tmp_path):
    proposed.commit({"gitops.yaml": "output: {branch: written}\n"})
    proposed.reconcile()
    clone = tmp_path / "check"
    subprocess.run(["git", "clone", "-q", proposed.path, clone], check=True)
    for command in (["checkout", "-q", "--detach", "origin/kafka"], ["branch", "-q", "-D", "main"]):
        subprocess.run(["git", "-C", clone, *command], check=True)

    told = plan(capsys, clone, "--base", "origin/main")

    assert told == plan(capsys, proposed.path, "--base", "main", "--head", "kafka")
    assert [row["action"] for row in told["placements"]] == ["place", "place"]


def test_of_a_remote_branches_are_proposed(proposed, command):
    url = proposed.path.as_uri()

    told = json.loads(command("--repo", url, "plan", "-o", "json", "--head", "kafka").out)

    assert [row["placement"] for row in told["placements"]] == ["kafka.dev-5058f", "kafka.far-5058f"]
    code, _, said = command("--repo", url, "plan", "--base", "main")
    assert (code, "--base needs --head" in said) == (2, True)
    code, _, said = command("--repo", url, "plan", "--head", "none")
    assert (code, "none is no branch there" in said) == (1, True)


@pytest.mark.parametrize(("base", "head"), [("main", "main~1"), ("main~1", "main")])
def test_what_one_contains_already_needs_no_merge(proposed, capsys, base, head):
    assert plan(capsys, proposed.path, "--base", base, "--head", head)["placements"] == []


def test_a_wrong_definition_is_told(proposed, capsys):
    proposed.commit({"works/kafka.yaml": "kind: [\n"}, branch="kafka")

    told = plan(capsys, proposed.path, "--head", "kafka")
    assert [problem["file"] for problem in told["problems"]] == ["works/kafka.yaml"]

    main(["--repo", str(proposed.path), "plan", "--head", "kafka"])
    assert re.search(r"\nProblems\n  works/kafka\.yaml:\d+:\d+: expected", capsys.readouterr().out)


def test_a_conflict_is_named(proposed, capsys):
    proposed.commit({"works/redis.yaml": work("redis", {"x.yaml": configmap("x")}, env="dev")}, branch="kafka")

    assert "1 file conflicts: works/redis.yaml;" in plan(capsys, proposed.path, "--head", "kafka", code=1)


def test_what_cannot_be_merged_is_told(proposed, capsys, tmp_path):
    other = Platform(tmp_path / "other.git")
    other.commit(KAFKA)
    proposed.git("fetch", "-q", str(other.path), "main:stranger")

    main_, stranger = (proposed.git("rev-parse", "--short=7", name).strip() for name in ("main", "stranger"))
    told = plan(capsys, proposed.path, "--head", "stranger", code=1)
    assert f"{main_} and {stranger} have no history in common" in told
    assert "nowhere is no commit here" in plan(capsys, proposed.path, "--head", "nowhere", code=1)


def test_an_empty_name_is_not_taken_for_none(proposed, capsys, command):
    assert " is no commit here" in plan(capsys, proposed.path, "--base", "", code=1)
    assert " is no commit here" in plan(capsys, proposed.path, "--head", "", code=1)
    code, _, said = command("--repo", proposed.path.as_uri(), "plan", "--head", "")
    assert (code, " is no branch there" in said) == (1, True)


def test_in_a_work_tree_the_head_is_what_is_checked_out(tmp_path, capsys):
    platform = Platform(tmp_path / "origin.git")
    platform.commit(BASE)
    platform.reconcile()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", platform.path, clone], check=True)
    subprocess.run(["git", "-C", clone, "checkout", "-q", "-b", "kafka"], check=True)
    (clone / "works" / "kafka.yaml").write_text(json.dumps(KAFKA["works/kafka.yaml"]))
    subprocess.run(["git", "-C", clone, "add", "works"], check=True)
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", clone, *who, "commit", "-qm", "Kafka"], check=True)

    told = plan(capsys, clone, "--base", "origin/main")

    assert [row["placement"] for row in told["placements"]] == ["kafka.dev-5058f", "kafka.far-5058f"]


def said(capsys, path, *arguments):
    assert main(["--repo", str(path), "plan", *arguments]) == 0
    return capsys.readouterr().out


def test_the_patch_makes_of_the_documents_what_they_become(proposed, capsys, tmp_path):
    proposed.commit({"works/redis.yaml": None, **KAFKA})
    patch = said(capsys, proposed.path, "-o", "diff")
    work_tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", proposed.path, work_tree], check=True)
    subprocess.run(["git", "-C", work_tree, "apply", "--include=state/*", "-"], input=patch, text=True, check=True)

    proposed.reconcile()

    after = proposed.files("state/")
    assert {str(p.relative_to(work_tree)): p.read_bytes() for p in (work_tree / "state").rglob("*.*")} == after
    assert said(capsys, proposed.path, "-o", "diff") == ""


def test_where_several_branches_change_each_has_a_patch_of_its_own(proposed, capsys, tmp_path):
    proposed.commit({"statestores/other.yaml": store("other", "other", "state"), "destinations/far.yaml": destination(
        "far", env="dev", store="other", path="dev"
    )})  # fmt: skip
    proposed.reconcile()
    proposed.commit({"works/redis.yaml": work("redis", {"new.yaml": configmap("new", "newer")}, env="dev")})

    told = said(capsys, proposed.path, "-o", "diff")
    _, *each = re.split("^branch (.*)$\n", told, flags=re.MULTILINE)
    patches = dict(zip(each[::2], each[1::2], strict=True))

    path = "state/dev/dependencies/redis/instance-configure/5058f/new.yaml"
    assert told.count(f"diff --git a/{path} b/{path}\n") == 2
    comment = said(capsys, proposed.path, "-o", "markdown")
    assert f"<code>{path}</code></summary>" in comment
    assert f"<code>{path}</code> (branch <code>other</code>)</summary>" in comment
    trees = {}
    for branch, patch in patches.items():
        trees[branch] = tmp_path / branch
        subprocess.run(["git", "clone", "-q", "-b", branch, proposed.path, trees[branch]], check=True)
        subprocess.run(["git", "-C", trees[branch], "apply", "-"], input=patch, text=True, check=True)
    proposed.reconcile()
    assert {name: (tree / path).read_bytes() for name, tree in trees.items()} == {
        name: proposed.files(at=name)[path] for name in ("main", "other")
    }


def test_the_patch_of_the_home_branch_alone_names_none(proposed, capsys):
    proposed.commit({"destinations/far.yaml": destination("far", env="other", store="other")})
    proposed.reconcile()
    proposed.commit({"destinations/near.yaml": destination("near", env="dev")})

    assert said(capsys, proposed.path, "-o", "diff").startswith("diff --git a/state/near/")


def test_the_patch_keeps_the_line_ends_of_documents(proposed, capsys, tmp_path):
    crlf = {"x.txt": "one\r\ntwo\r\n", "y.txt": "\x1b[31m"}
    proposed.commit({"works/text.yaml": work("text", crlf, promise="text", env="dev")})
    patch = said(capsys, proposed.path, "-o", "diff")
    applied = ["git", "-C", tmp_path, "apply", "--include=*/x.txt", "-"]
    subprocess.run(applied, input=patch.encode(), check=True)

    assert [found.read_bytes() for found in tmp_path.glob("state/dev/**/x.txt")] == [b"one\r\ntwo\r\n"]
    assert "\x1b" not in patch


def test_a_file_that_is_of_another_kind_goes_and_comes(proposed, capsys):
    (path,) = (path for path in proposed.files("state/dev/dependencies/redis") if path.endswith("new.yaml"))
    proposed.link(path, configmap("new"))

    patch = said(capsys, proposed.path, "-o", "diff")

    assert [line for line in patch.splitlines() if line.startswith(("deleted", "new"))] == [
        "deleted file mode 100644",
        "new file mode 100644",
    ]


@pytest.mark.parametrize("output", ["text", "diff", "markdown", "json"])
def test_names_that_are_no_text_and_no_line_are_told_in_one(proposed, capsys, output):
    (path,) = (path for path in proposed.files("state/dev/dependencies/redis") if path.endswith("new.yaml"))
    folder = path.rpartition("/")[0]
    commit = "commit refs/heads/main\ncommitter Ada <ada@example.org> 0 +0000\ndata 0\nfrom refs/heads/main^0\n"
    files = (f'M 100644 inline "{folder}/{name}"\ndata 1\nx\n' for name in (r"\377.yaml", r"a\nplace: b.yaml"))
    proposed.git("fast-import", "--quiet", given=commit + "".join(files))

    told = said(capsys, proposed.path, "-o", output)

    assert told.isascii()
    assert not [line for line in told.splitlines() if line.startswith("place:")]


def test_a_comment_tells_placements_and_changes(proposed, capsys):
    told = said(capsys, proposed.path, "--head", "kafka", "-o", "markdown")

    assert told.startswith("### Plan: 2 to place; 2 files (+2 ~0 -0).\n")
    assert "| + place | `default/kafka.dev-5058f` | `dev` | its selectors match |" in told
    assert "<details><summary>+ <code>state/dev/dependencies/kafka" in told
    assert told.count("```diff\n") == 2
    assert told.count("</details>") == 2


def test_nothing_of_a_document_ends_what_it_stands_in(platform, capsys):
    evil = configmap("x") + "# ```\n# ````\n# </details>\n# \u202e\n"
    platform.commit({**BASE, "works/a|`b.yaml": "kind: ['`|<b>\n"})
    platform.commit({"works/evil.yaml": work("evil", {"x.yaml": evil}, promise="evil", env="dev")})

    told = said(capsys, platform.path, "-o", "markdown")

    assert "\u202e" not in told
    assert "`````diff\n" in told
    assert "<b>" not in told.partition("<details>")[0]


def test_a_comment_is_no_longer_than_forges_take(platform, capsys):
    documents = {f"{n:03}.yaml": configmap(f"x{n}", "v" * 1000) for n in range(150)}
    platform.commit({**BASE, **{f"works/w{n}.yaml": work(f"w{n}", promise=f"p{n}", env="dev") for n in range(120)}})
    platform.commit({"works/large.yaml": work("large", documents, promise="large", env="dev")})

    told = said(capsys, platform.path, "-o", "markdown")

    assert len(told) < 65_536
    assert "| | … " in told
    assert "more files: `gitops plan -o diff` shows all." in told


def test_neither_is_one_that_is_full_of_long_names_and_of_what_terminals_obey(platform, capsys):
    names = [f"{n:03}{'x' * 150}" for n in range(101)]
    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev") for name in names})
    platform.commit({f"works/{name}.yaml": work(name, promise=name, env="none") for name in names})
    platform.commit({f"works/bad/{name}.yaml": "kind: [\n" for name in names})
    documents = {
        f"{n:03}.yaml": configmap(f"x{n}") + "# \u202e\u202e\u202e\u202e\u202e\u202e\n" * 100 for n in range(9)
    }
    platform.commit({"works/odd.yaml": work("odd", documents, promise="odd", env="dev")})

    told = said(capsys, platform.path, "-o", "markdown")

    assert len(told) < 65_536
    assert "| | … " in told
    assert told.count("\n- … ") == 2
    assert "\\u202e" in told
