"""What people do to a platform's repository, each in a commit or a few of a clone: `act(person)` does one of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pygit2
from support.definitions import Manifest, configmap, destination, group, selector, work
from support.oracle import is_documents, is_status
from support.platform import Content

from torture.people import Contributor, settle

ENVIRONMENTS = ("dev", "prod", "edge", "none")
SHARED = "works/shared.yaml"
_OLD = 30  # commits among which one is looked for


def first(people: list[str], output: str = "") -> dict[str, Content]:
    """What stands there in the beginning: Destinations of every mode, Works of each person and of all of them."""
    found: dict[str, Content] = {f"works/{name}.yaml": work(name, promise=name, env="dev") for name in people}
    found[SHARED] = [
        work(f"shared-{number}", promise=f"shared-{number}", request=f"shared-{number}", env=ENVIRONMENTS[number])
        for number in range(3)
    ]
    found["works/folder/work.yaml"] = work("folder", promise="folder", groups=[group(None, selector(env="prod"))])
    found["works/folder/a.yaml"] = configmap("folder")
    modes = {"dev": "nestedByMetadata", "prod": "none", "edge": "aggregatedYAML"}
    found |= {f"destinations/{name}.yaml": destination(name, mode=mode, env=name) for name, mode in modes.items()}
    if output:
        found["gitops.yaml"] = {"output": {"branch": output}}
    return found


def act(person: Contributor) -> None:
    """Do something, mostly to a Work."""
    acts, weights = zip(*_ACTS.items(), strict=True)
    person.chance.choices(acts, weights)[0](person)


def change_own(person: Contributor) -> None:
    person.clone.commit({f"works/{person.name}.yaml": _work(person, person.name)}, "Change my Work", person.person)


def change_shared(person: Contributor) -> None:
    """Change one of the Works of a file that everybody changes."""
    works = [_work(person, f"shared-{number}", one=True) for number in range(3)]
    person.clone.commit({SHARED: works}, "Change what is shared", person.person)


def come_or_go(person: Contributor) -> None:
    """Add a Work, or remove the one that was added."""
    file = f"works/{person.name}/{person.chance.choice('abc')}.yaml"
    name = file.removeprefix("works/").removesuffix(".yaml").replace("/", "-")
    there = file in person.clone.blobs()
    person.clone.commit({file: None if there else _work(person, name)}, f"Change {file}", person.person)


def change_folder(person: Contributor) -> None:
    file = f"works/folder/{person.chance.choice('abc')}.yaml"
    person.clone.commit({file: configmap(file[-6], _text(person))}, "Change a folder Work", person.person)


def relabel(person: Contributor) -> None:
    """Give a Destination other labels, so that placements come, or do not match any more."""
    name = person.chance.choice(("prod", "edge"))
    mode = {"prod": "none", "edge": "aggregatedYAML"}[name]
    made = destination(name, mode=mode, env=person.chance.choice((name, name, "dev")))
    person.clone.commit({f"destinations/{name}.yaml": made}, f"Relabel {name}", person.person)


def break_own(person: Contributor) -> None:
    person.clone.commit({f"works/{person.name}.yaml": "kind: [\n"}, "Break my Work", person.person)


def write_prose(person: Contributor) -> None:
    person.clone.commit({f"docs/{person.name}.md": _text(person)}, "Nothing for the daemon", person.person)


def meddle(person: Contributor) -> None:
    """Change or remove something that a daemon wrote."""
    written = sorted(person.clone.blobs("state/")) + sorted(person.clone.blobs("status/"))
    if written:
        path = person.chance.choice(written)
        content = person.chance.choice(("meddled: true\n", None))
        person.clone.commit({path: content}, f"Meddle with {path}", person.person)


def revert(person: Contributor) -> None:
    """Take back the newest, or an older, commit of a daemon, as `git revert` does."""
    log = person.clone.log()[:_OLD]
    ours = [commit for commit in log if commit.parents and (is_documents(commit) or is_status(commit))]
    if ours:
        commit, repo = person.chance.choice(ours[:5]), person.clone.repo
        with suppress(pygit2.GitError):
            index = repo.revert_commit(commit, log[0])
            settle(index)
            who = pygit2.Signature(*person.person)
            message = f'Revert "{commit.message.partition(chr(10))[0]}"'
            made = repo.create_commit(None, who, who, message, index.write_tree(repo), [log[0].id])
            person.clone.move(str(made))


def work_beside(person: Contributor) -> None:
    """Begin a side branch, or go on with it; it lives until it is merged."""
    file = f"works/{person.name}/side.yaml"
    changes: dict[str, Content] = {file: _work(person, f"{person.name}-side")}
    if person.chance.random() < 0.3:
        changes[SHARED] = [_work(person, f"shared-{number}", one=True) for number in range(3)]
    person.clone.commit(changes, "Work beside", person.person, "side", person.clone.tip() or "")


def merge_side(person: Contributor) -> None:
    """Merge the side branch, as a forge's button does."""
    if person.clone.tip("side"):
        person.clone.merge("side", person.person)
        person.clone.move(None, "side")


def _work(person: Contributor, name: str, *, one: bool = False) -> Manifest:
    request = name if one or person.chance.random() < 0.5 else ""
    documents = {f"{name}.yaml": configmap(name, _text(person))}
    return work(name, documents, promise=name, request=request, env=person.chance.choice(ENVIRONMENTS))


def _text(person: Contributor) -> str:
    return f"{person.name}-{person.chance.randrange(10**6)}"


_ACTS: dict[Callable[[Contributor], None], int] = {
    change_own: 8,
    change_shared: 5,
    come_or_go: 5,
    change_folder: 3,
    work_beside: 4,
    merge_side: 2,
    relabel: 1,
    break_own: 1,
    write_prose: 1,
    meddle: 2,
    revert: 1,
}
