"""The laws of a pass, as code: what must hold after any history, told from the repository alone.

`look` takes in what stands before a pass, `judge` compares it with what stands after. Nothing of `gitops` is used here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pygit2
import yaml
from pygit2.enums import FileMode, SortMode
from support.platform import Platform

Status = dict[str, Any]
Statuses = Mapping[str, Status]

_STATUS = re.compile(r"status: \d+ Works?\b")
_DOCUMENTS = re.compile(r"(place|update|withdraw|move|destination)\((\S+|\d+ (Works?|Destinations))\): ")
_TIMES = ("firstTimestamp", "lastTimestamp")


@dataclass(frozen=True)
class Scene:
    """Where the branches stand, and what the newest status commit of the branch *home* says.

    A merge of two lines of history may leave several that are newest: then `others` is what the rest of them say, and
    the one that people let stand comes first.
    Where the log has none, as when people squash it, that is what is `standing` there. `forgotten` are the commits that
    people removed from the log: a Work that nobody can read since keeps what was recorded of it. `strange` are the
    addresses of repositories that nobody may know the way to any more.
    """

    home: str
    tips: Mapping[str, str]
    statuses: Statuses
    others: tuple[Statuses, ...] = ()
    standing: bool = False
    forgotten: frozenset[str] = frozenset()
    strange: frozenset[str] = frozenset()


def look(platform: Platform, home: str = "") -> Scene:
    """Take in what stands there now. *home* is the branch of the status, if that is not the source branch."""
    home, tips = home or platform.branch, platform.tips()
    newest = _newest(platform, home) or _newest(platform, platform.branch)
    newest.sort(key=lambda oid: not _stands(platform, home, oid))
    found = [platform.statuses(oid) for oid in newest]
    if not found:
        found = [{file: status for file, status in platform.statuses(home).items() if "status" in status}]
    return Scene(home, tips, found[0], tuple(found[1:]), standing=not newest)


def _newest(platform: Platform, branch: str) -> list[str]:
    """The status commits in the log of *branch* that no other one there builds upon."""
    newest: list[pygit2.Oid] = []
    while tip := platform.tip(branch):
        walker = platform.repo.walk(tip, SortMode.TOPOLOGICAL)
        for other in newest:
            walker.hide(other)
        found = next((commit.id for commit in walker if is_status(commit)), None)
        if found is None:
            break
        newest.append(found)
    return [str(oid) for oid in newest]


def _stands(platform: Platform, home: str, oid: str) -> bool:
    """Whether `status/` on the branch is as that commit left it."""
    return bool(platform.blobs("status/", at=home) == platform.blobs("status/", at=oid))


def destination(statuses: Statuses, name: str) -> Status:
    """The status of a Destination: its file has another name where that would be too long."""
    found = (s for f, s in statuses.items() if f.startswith("destinations/") and s["metadata"]["name"] == name)
    return statuses.get(f"destinations/{name}.yaml") or next(found, {})


def is_status(commit: pygit2.Commit) -> bool:
    return bool(_STATUS.match(commit.message)) and "Gitops-Source-Commit" in trailers(commit)


def is_documents(commit: pygit2.Commit) -> bool:
    return bool(_DOCUMENTS.match(commit.message)) and "Gitops-Source-Commit" in trailers(commit)


def trailers(commit: pygit2.Commit) -> dict[str, list[str]]:
    """The trailers of a commit; empty when its last paragraph has anything else."""
    found: dict[str, list[str]] = {}
    for line in commit.message.rstrip("\n").split("\n\n")[-1].split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or " " in key:
            return {}
        found.setdefault(key, []).append(value)
    return found


def judge(platform: Platform, before: Scene, now: str = "") -> Scene:
    """Assert every law about what happened since *before*; *now* is the time of the pass."""
    for number, statuses in enumerate(before.others):
        with suppress(AssertionError):
            return judge(platform, replace(before, statuses=statuses, others=before.others[number + 1 :]), now)
    after = replace(look(platform, before.home), forgotten=before.forgotten)
    _judge_log(platform, before, after, now, after.tips)
    _conditions_mean_what_they_say(platform, after)
    _what_left_the_inventories_is_gone(platform, before, after)
    _status_is_as_recorded(platform, after)
    return after


def judge_standing(platform: Platform, before: Scene) -> Scene:
    """Assert what holds of the status on the tip, where nothing was written since people took away its telling."""
    after = replace(before, statuses=platform.statuses(before.home))
    _conditions_mean_what_they_say(platform, after)
    return after


def judge_log(platform: Platform, before: Scene) -> None:
    """Assert what holds of each single commit since *before*, also while passes are cut off and people go on.

    Whose the paths on other branches than the home branch are is told by a status that may never have come to be.
    """
    for number, statuses in enumerate(before.others):
        with suppress(AssertionError):
            return judge_log(platform, replace(before, statuses=statuses, others=before.others[number + 1 :]))
    _judge_log(platform, before, look(platform, before.home), "", [before.home])
    return None


def _judge_log(platform: Platform, before: Scene, after: Scene, now: str, own: Iterable[str]) -> None:
    """Judge commits; on the branches *own* only what belongs to somebody may be written."""
    told = _told(platform, before, after)
    for branch in after.tips:
        _commits_are_in_order(platform, branch, before)
    _only_own_paths_are_written(platform, before, after, told, own)
    _answers_go_forward(platform, [commit for _, _, commit in told])
    for old, new, commit in told:
        _each_event_is_a_transition(old, new, commit)
        _times_move_with_status(old, new, now)
        _placements_move_with_a_reason(old, new, sure=_is_compared(platform, commit))


def _is_compared(platform: Platform, commit: pygit2.Commit) -> bool:
    """Whether anybody can tell what changed since the status before *commit*: its source is in the history still."""
    older = (c for c in platform.repo.walk(commit.id, SortMode.TOPOLOGICAL) if c.id != commit.id and is_status(c))
    last = next(older, None)
    sources = trailers(last)["Gitops-Source-Commit"] if last else []
    return bool(sources) and sources[0] in {str(each.id) for each in platform.log()}


# 7. commits


def _commits_are_in_order(platform: Platform, branch: str, before: Scene) -> None:
    old, new = before.tips.get(branch), platform.tip(branch)
    assert new, f"the branch {branch} is gone"
    ours = [c for c in platform.log(branch, until=old or "") if is_status(c) or is_documents(c)]
    for commit in ours:
        subject = commit.message.partition("\n")[0]
        assert len(commit.parents) <= 1, f"{subject}: a merge by the daemon"
        assert len(subject) <= 72, f"{subject}: longer than 72 characters"
        assert commit.message.count("\n\n") >= 1
        assert str(commit.author) == str(commit.committer)
    if old and old != new:
        assert platform.repo.descendant_of(new, old), f"{branch} lost what stood at {old}"
    if ours:
        parsed = platform.git("interpret-trailers", "--parse", given=ours[0].message)
        assert parsed == "".join(f"{k}: {v}\n" for k, vs in trailers(ours[0]).items() for v in vs)
    if ours and branch == before.home:
        assert is_status(ours[0]), "documents without a status"


def _answers_go_forward(platform: Platform, statuses: Iterable[pygit2.Commit]) -> None:
    """No status commit answers an older source than the one below it, unless people took the newer one back."""
    log = {str(commit.id) for commit in platform.log()}
    sources = [trailers(commit)["Gitops-Source-Commit"][0] for commit in statuses]
    for old, new in pairwise(sources):
        back = old != new and old in log and platform.repo.descendant_of(old, new)
        assert not back, f"{new} is answered after {old}, which was built upon it"


# 3. paths


def _told(platform: Platform, before: Scene, after: Scene) -> list[tuple[Statuses, Statuses, pygit2.Commit]]:
    """The status commits since *before*, oldest first, each with the statuses before and after it."""
    commits = platform.log(after.home, until=before.tips.get(after.home, "")) if after.tips.get(after.home) else []
    told, last = [], before.statuses
    for commit in reversed([c for c in commits if is_status(c)]):
        statuses = platform.statuses(str(commit.id))
        told.append((last, statuses, commit))
        last = statuses
    return told


def _only_own_paths_are_written(
    platform: Platform,
    before: Scene,
    after: Scene,
    told: Iterable[tuple[Statuses, Statuses, pygit2.Commit]],
    branches: Iterable[str],
) -> None:
    known = [before.statuses, after.statuses, *(new for _, new, _ in told)]
    own = {f"{branch}:{path}/" for statuses in known for branch, path in inventories(statuses, before.home)}
    places = (*own, *(place for statuses in known for place in _places(statuses, before.home)))
    for branch in branches:
        for commit in platform.log(branch, until=before.tips.get(branch, "")):
            for path in _changed(platform.repo, commit) if is_status(commit) or is_documents(commit) else ():
                if is_status(commit):
                    assert path.startswith("status/"), f"{path} written by a status commit"
                else:
                    own_place = f"{branch}:{path}/".startswith(places)
                    taken_back = _is_taken_back(platform, commit, path) or _went_again(platform, branch, path)
                    assert own_place or taken_back, f"{path} is nobody's"


def _is_taken_back(platform: Platform, commit: pygit2.Commit, path: str) -> bool:
    """Whether *commit* removes a file that an earlier documents commit wrote, and nobody has changed since.

    Perhaps to make room for a directory.
    """
    there = _file(commit, path)
    if (there and there.filemode != FileMode.TREE) or not commit.parents:
        return False
    return is_documents(_last_change(platform, commit.parents[0], path))


def _went_again(platform: Platform, branch: str, path: str) -> bool:
    """Whether a file that no status ever told of, as its daemon died before, was removed by documents commits since."""
    tip = platform.repo[platform.tip(branch) or ""]
    return _file(tip, path) is None and is_documents(_last_change(platform, tip, path))


def _last_change(platform: Platform, tip: pygit2.Commit, path: str) -> pygit2.Commit:
    log = platform.repo.walk(tip.id, SortMode.TOPOLOGICAL)
    return next(c for c in log if all(_file(c, path) != _file(parent, path) for parent in c.parents))


def _file(commit: pygit2.Commit, path: str) -> pygit2.Object | None:
    with suppress(KeyError):
        return commit.tree[path]
    return None


def _changed(repo: pygit2.Repository, commit: pygit2.Commit) -> Iterator[str]:
    """List the files that a commit changed. Only what differs is read: the rest may hold trees that nobody can."""
    waiting = [("", commit.tree, commit.parents[0].tree if commit.parents else ())]
    while waiting:
        above, *trees = waiting.pop()
        new, old = ({entry.name: entry for entry in tree} for tree in trees)
        for name in new.keys() | old.keys():
            both = [new.get(name), old.get(name)]
            if both[0] == both[1]:
                continue
            if any(entry and entry.filemode != FileMode.TREE for entry in both):
                yield above + name
            if below := [entry if entry and entry.filemode == FileMode.TREE else () for entry in both]:
                waiting += [(f"{above}{name}/", *(repo[e.id] if e else () for e in below))] if any(below) else []


def inventories(statuses: Statuses, home: str) -> Iterator[tuple[str, str]]:
    """All (branch, path) that belong to placements and Destinations."""
    for status in statuses.values():
        body = status["status"]
        for path in body.get("inventory", {}):
            yield body.get("branch", home), path
        for branch, inventory in body.get("superseded", {}).items():
            for path in inventory:
                yield branch, path


def _places(statuses: Statuses, home: str) -> Iterator[str]:
    """The directories of placements in mode nestedByMetadata, with a slash at the end and the branch in front."""
    for status in _of_kind(statuses, "WorkPlacement"):
        spec, metadata = status["spec"], status["metadata"]
        target = destination(statuses, spec["targetDestinationName"]).get("status", {})
        if target.get("mode") != "nestedByMetadata":
            continue
        short = metadata["name"].rpartition("-")[2]
        promise = spec.get("promiseName") or metadata["labels"]["kratix.io/work"]
        pipeline = metadata["labels"]["kratix.io/pipeline-name"]
        parts = ["dependencies", promise, pipeline, short]
        if "resourceName" in spec:
            parts = ["resources", metadata["namespace"], promise, spec["resourceName"], pipeline, short]
        path = "/".join(part for part in (target.get("path"), *parts) if part)
        yield f"{target.get('branch', home)}:{path}/"


def _of_kind(statuses: Statuses, kind: str) -> list[Status]:
    return [status for status in statuses.values() if status["kind"] == kind]


# 5. events


def _each_event_is_a_transition(old: Statuses, new: Statuses, commit: pygit2.Commit) -> None:
    said = Counter(trailers(commit).get("Gitops-Event", []))
    rises = _told_of_the_gone(old, new, said)
    for file in old.keys() | new.keys():
        rises += _rises(file, old.get(file, {}), new.get(file, {}), said)
    assert said == rises, f"{commit.message}: events {said} but status files tell {rises}"


def _told_of_the_gone(old: Statuses, new: Statuses, said: Counter[str]) -> Counter[str]:
    """The events of Works that are gone, and of which people had left the status of placements only."""
    folders = {file.rpartition("/")[0] for file in old.keys() - new.keys() if file.startswith("works/")}
    bare = tuple(f" Work/{f.removeprefix('works/')}" for f in folders if f"{f}/work.yaml" not in {*old, *new})
    return Counter({event: n for event, n in said.items() if event.endswith(bare)})


def _rises(file: str, old: Status, new: Status, said: Counter[str]) -> Counter[str]:
    there = new or old
    name = "/".join([there["kind"], *(there["metadata"][k] for k in ("namespace", "name") if k in there["metadata"])])
    if not new:  # an object that is gone is remembered by the log only
        return Counter({event: n for event, n in said.items() if event.endswith(f" {name}")})
    known = {_event(e): e for e in old.get("events", [])}
    rises: Counter[str] = Counter()
    assert len({_event(e) for e in new.get("events", [])}) == len(new.get("events", [])), f"{file}: an event twice"
    for event in new.get("events", []):
        before = known.get(_event(event))
        rise = event["count"] - (before["count"] if before else 0)
        assert rise >= 0, f"{file}: {event['reason']} counts less than before"
        if before and not rise:
            assert event == before, f"{file}: {event['reason']} changed without a new count"
        if before:
            assert event["firstTimestamp"] == before["firstTimestamp"]
        rises[f"{event['type']} {event['reason']} {name}"] += rise
    return +rises


def _event(event: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(event[key] for key in ("type", "reason", "from", "message"))


# 4. placements


def _placements_move_with_a_reason(old: Statuses, new: Statuses, *, sure: bool) -> None:
    for file, was in old.items():
        if was["kind"] != "WorkPlacement":
            continue
        work = f"{file.rpartition('/')[0]}/work.yaml"
        if work not in new:
            assert not any(other.startswith(f"{file.rpartition('/')[0]}/") for other in new), f"{file} without its Work"
        elif file not in new:
            message = f"workplacement reconciled: {was['metadata']['name']}, operation: deleted"
            counts = [_count(s.get(work, {}), message) for s in (old, new)]
            assert counts[1] > counts[0], f"{file} went without an event"
            place = was["spec"]["targetDestinationName"]
            gone = not destination(new, place)
            gone |= _count(new[work], f"{message} (definition removed in") > 0  # others of the Work had to wait
            gone |= _count(new[work], f"{message} (Destination/{place} removed in") > 0  # what else is there has to
            same = was["spec"]["generation"] == new[work]["metadata"]["generation"]  # it may have had to wait
            assert gone or not same or not sure, f"{file} went although nothing of its Work changed"
        else:
            _documents_move_with_a_version(file, was["status"], new[file]["status"])


def _count(status: Status, message: str) -> int:
    return sum(event["count"] for event in status.get("events", []) if event["message"].startswith(message))


def _documents_move_with_a_version(file: str, was: Status, now: Status) -> None:
    if was.get("inventory") != now.get("inventory") and now.get("inventory"):
        assert was.get("versionID") != now.get("versionID"), f"{file}: other documents, the same version"


# 6. conditions


def _times_move_with_status(old: Statuses, new: Statuses, now: str) -> None:
    for file, status in new.items():
        before = {c["type"]: c for c in old.get(file, {}).get("status", {}).get("conditions", [])}
        for condition in status["status"].get("conditions", []):
            last = before.get(condition["type"])
            when = condition["lastTransitionTime"]
            if last and last["status"] == condition["status"]:
                assert when == last["lastTransitionTime"], f"{file}: {condition['type']} moved its time without reason"
            elif now:
                assert when == max(now, last["lastTransitionTime"] if last else now), f"{file}: {condition}"


def _conditions_mean_what_they_say(platform: Platform, scene: Scene) -> None:
    for file, status in scene.statuses.items():
        conditions = {c["type"]: c for c in status["status"]["conditions"]}
        ready = conditions["Ready"]["status"] == "True"
        false = [c for c in conditions.values() if c["status"] != "True" and c["type"] != "Ready"]
        if status["kind"] == "WorkPlacement":
            assert ready == (not false and "WriteSucceeded" in conditions), f"{file}: Ready is {ready} with {false}"
            _documents_are_there(platform, scene, file, status, ready=ready)
        if status["kind"] == "Work":
            folder = file.removesuffix("work.yaml")
            bad = [f for f, s in scene.statuses.items() if f.startswith(folder) and f != file and not _ready(s)]
            invalid = conditions["Ready"]["reason"] == "InvalidDefinition"
            assert ready == (not false and not bad and not invalid), f"{file}: Ready is {ready} with {false} and {bad}"
            wanted, created = (status["status"].get(k, 0) for k in ("workPlacements", "workPlacementsCreated"))
            assert ready <= (wanted == created)


def _ready(status: Status) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["status"]["conditions"])


def _is_invalid(status: Status) -> bool:
    return any(c["type"] == "Ready" and c["reason"] == "InvalidDefinition" for c in status["status"]["conditions"])


def _documents_are_there(platform: Platform, scene: Scene, file: str, status: Status, *, ready: bool) -> None:
    body = status["status"]
    inventory, version = body.get("inventory", {}), body.get("versionID")
    if not (ready and inventory):
        return
    branch = body.get("branch", scene.home)
    assert inventory.items() <= platform.blobs(at=branch).items(), f"{file}: not all of its documents are there"
    assert version, f"{file}: Ready without a version"
    work = scene.statuses.get(f"{file.rpartition('/')[0]}/work.yaml")
    if version in scene.forgotten and work and _is_invalid(work):
        return
    assert version in platform.repo, f"{file}: the version {version} is no commit"
    tip = scene.tips[branch]
    assert version == tip or platform.repo.descendant_of(tip, version), f"{file}: the version is not in the history"
    assert inventory.items() <= platform.blobs(at=version).items(), f"{file}: the version has other documents"


def _what_left_the_inventories_is_gone(platform: Platform, before: Scene, after: Scene) -> None:
    gone = {file: status for file, status in before.statuses.items() if file not in after.statuses}
    removed = {file: status for file, status in gone.items() if status["kind"] == "Destination"}
    abandoned = {file: status for file, status in removed.items() if _may_stay(platform, status)}
    left = set(inventories(before.statuses, before.home)) - set(inventories(after.statuses, after.home))
    left -= set(inventories(abandoned, before.home))
    for branch, path in left:
        if branch.partition("#")[0] in before.strange:
            continue
        assert path not in platform.blobs(path, at=branch), f"{path} belongs to nobody any more and is still there"


def _may_stay(platform: Platform, status: Status) -> bool:
    """Whether documents of a removed Destination may stay: as was recorded, or as its definition said since then."""
    body, name = status["status"], status["metadata"]["name"]
    source, observed = body.get("source", ""), body.get("observedCommit", "")
    commits = platform.log(until=observed if observed and observed in platform.repo else "")
    texts = [platform.files(source, at=str(commit.id)).get(source, b"") for commit in commits]
    return body.get("cleanup") == "none" or any(_says_none(text, name) for text in texts)


def _says_none(text: bytes, name: str) -> bool:
    with suppress(yaml.YAMLError):
        for definition in yaml.load_all(text, yaml.CSafeLoader):
            match definition:
                case {"metadata": {"name": own}, "spec": {"cleanup": policy}} if own == name:
                    return bool(policy == "none")
                case {"metadata": {"name": own}} if own == name:
                    return True
    return False


def _status_is_as_recorded(platform: Platform, scene: Scene) -> None:
    """What stands in `status/` is what a newest status commit says, whatever others did to it."""
    newest = _newest(platform, scene.home)
    assert not newest or any(_stands(platform, scene.home, oid) for oid in newest)
