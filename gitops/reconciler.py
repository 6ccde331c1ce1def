"""One pass: the order of effects, and the retry.

    observe   tips, trees, and what changed since the last pass
    decide    pure; `gitops plan` is this alone
    write     documents commits; other branches of this repository are moved here
    record    pure; what was done, as status
    push      the status commit, and one compare-and-swap of the home branch; lost the race: observe again
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.config import OVERVIEW, Templates
from gitops.core import definitions, memory, messages, object_status, overview, provenance, statusfile, work_status
from gitops.core.catalog import STATUS
from gitops.core.delivery import PlacementDelivery, UnitId
from gitops.core.documents import Render
from gitops.core.manifests import Key, Manifest, Problem
from gitops.core.overview import Verdict
from gitops.core.plan import Branch, Plan, decide
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName, Facts, Record
from gitops.core.survey import survey
from gitops.core.tree import BLOB, DIRECTORY, FILE, Entry, Oid, Sketch, patch, subtree
from gitops.core.world import World
from gitops.errors import GitOpsError, Moved
from gitops.git import history, refs
from gitops.git.commits import Sign
from gitops.git.repository import Repository
from gitops.observe import Observation, newest, observe
from gitops.publish import Chain, Publisher
from gitops.sandbox import Sandbox

_ATTEMPTS = 20
_PAUSE = 0.05  # seconds; grows with each lost race, with jitter
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the time of day, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outcome:
    """What a pass did: the new commits of the home branch, oldest first, how the Works stand, and events."""

    commits: tuple[Oid, ...] = ()
    tally: str = ""
    events: int = 0
    tip: Oid | None = None
    unfinished: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.commits)


class Reconciler:
    """Reconciles one branch of one repository, and remembers between passes what makes the next one cheap."""

    def __init__(self, repo: Repository, branch: str, clock: Clock = wall_clock, renderer: Render | None = None) -> None:
        self._repo, self._branch, self._clock = repo, branch, clock
        self._renderer = renderer or Sandbox()
        self._world = World()
        self._failures: dict[str, str] = {}

    def reconcile(self) -> list[Outcome]:
        """Run passes until there is nothing left to do; more than one when a move between branches takes two steps.

        Busy and other GitOpsErrors leave everything as it was.
        """
        self._failures = {}
        done = [self._until_it_holds()]
        while done[-1].unfinished:
            done.append(self._until_it_holds())
        return done

    def plan(self) -> tuple[Observation, Plan, Sketch] | None:
        """Decide what a pass would do, and write nothing."""
        seen = observe(self._repo, self._branch)
        if seen is None:
            return None
        sketch = Sketch(self._repo.objects)
        return seen, self._decide(seen, sketch), sketch

    def _until_it_holds(self) -> Outcome:
        for attempt in range(_ATTEMPTS):
            try:
                return self._pass()
            except Moved:
                self._repo.objects.discard()
                time.sleep(_PAUSE * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            except BaseException:
                self._repo.objects.discard()
                self._world = World()
                raise
        raise GitOpsError(f"the branch moved {_ATTEMPTS} times while a pass was decided; the next pass tries again")

    def _pass(self) -> Outcome:
        seen = observe(self._repo, self._branch)
        if seen is None:
            return Outcome()
        sketch = Sketch(self._repo.objects)
        plan = self._decide(seen, sketch)
        return _Pass(self, seen, plan, sketch).run()

    def _decide(self, seen: Observation, sketch: Sketch) -> Plan:
        found = survey(self._world, sketch, seen.seen)
        branches = {name: self._branch_state(seen, name) for name in sorted(found.branches)}
        return decide(self._world, found, branches, sketch, self._renderer)

    def _branch_state(self, seen: Observation, name: str) -> Branch:
        home = name == seen.seen.home
        tip = seen.tip if home else refs.tip(self._repo, name)
        root = self._repo.objects.commit_tree(tip) if tip else None
        left = self._world.trees.get(name)
        if left is None and tip:
            last = seen.last if home else newest(self._repo, tip, messages.is_documents)
            left = last.tree if last else None
        return Branch(tip, root, left)


def _signer(key: str) -> Sign:
    from gitops.git.signing import ssh_signer

    return ssh_signer(key)


class _Pass:
    """The writing half of a pass."""

    def __init__(self, owner: Reconciler, seen: Observation, plan: Plan, sketch: Sketch) -> None:
        self._owner, self._seen, self._plan, self._sketch = owner, seen, plan, sketch
        self._repo, self._world = owner._repo, owner._world
        self._now = owner._clock().replace(microsecond=0)
        settings = seen.seen.settings
        sign = _signer(settings.commit.signing_key) if settings.commit.signing_key else None
        self._publisher = Publisher(self._repo, sketch, settings, int(self._now.timestamp()), sign)
        self._home = seen.seen.home

    def run(self) -> Outcome:
        removed = self._removed()
        versions = self._write_elsewhere(removed)
        branch = self._plan.branches[self._home]
        chain = self._publisher.documents(
            self._home, branch.tip, branch.root, self._plan.delivery.units, self._seen.source, removed
        )
        record = self._record({**versions, **chain.versions})
        verdicts = self._verdicts(record)
        root, status = self._with_status(chain, record, verdicts)
        outcome = self._push(chain, root, record, verdicts)
        self._adopt(root, status, verdicts)
        return outcome

    # write

    def _write_elsewhere(self, removed: dict[Key, CommitName]) -> dict[UnitId, Oid]:
        versions: dict[UnitId, Oid] = {}
        for name, branch in self._plan.branches.items():
            if name == self._home or not any(at.branch == name for at in self._plan.delivery.units):
                continue
            chain = self._publisher.documents(
                name, branch.tip, branch.root, self._plan.delivery.units, self._seen.source, removed
            )
            assert chain.tip
            self._repo.objects.flush()
            refs.move(self._repo, name, branch.tip, chain.tip, "gitops: documents")
            self._world.trees.pop(name, None)  # what the log says is right, should the rest of this pass fail
            versions |= chain.versions
        return versions

    def _removed(self) -> dict[Key, CommitName]:
        gone = {key: d.recorded.text("source") for key, d in self._plan.decided.items() if d.effective.removed}
        found = self._commits([path for path in gone.values() if path])
        return {key: found[path] for key, path in gone.items() if path in found}

    # record

    def _record(self, versions: Mapping[UnitId, Oid]) -> Record:
        plan = self._plan
        origins = self._provenances()
        facts = self._facts(versions, origins)
        record = Record()
        made: dict[Key, list[PlacementDelivery]] = {key: [] for key in plan.decided}
        for placed in plan.delivery.placements:
            made[placed.work].append(placed)
        for key, decided in plan.decided.items():
            work_status.record_work(record, decided, made[key], origins[key], facts)
        for destination in plan.delivery.destinations:
            object_status.record_destination(record, destination, origins[destination.object.key], facts)
        for key, known in plan.survey.objects.items():
            if key.kind != "Destination":
                object_status.record_store(record, known, plan.survey.stores.get(f"{key.kind}/{key.name}"), origins[key], facts)
        return record

    def _provenances(self) -> dict[Key, Provenance]:
        trace = provenance.trace
        found = {k: trace(self._sketch, k, d.effective, d.recorded) for k, d in self._plan.decided.items()}
        return found | {k: trace(self._sketch, k, o.effective, o.recorded) for k, o in self._plan.survey.objects.items()}

    def _facts(self, versions: Mapping[UnitId, Oid], origins: Mapping[Key, Provenance]) -> Facts:
        plan = self._plan
        paths = {origin.path for origin in origins.values() if origin.path}
        paths |= {d.recorded.text("source") for d in plan.decided.values() if d.effective.removed}
        paths |= {o.recorded.text("source") for o in plan.survey.objects.values() if o.effective.removed}
        return Facts(
            now=self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            home=self._home,
            versions=versions,
            known_versions=self._known_versions(),
            sources=self._commits(path for path in paths if path),
            meddlers=self._meddlers(),
            failures=self._owner._failures,
        )

    def _commits(self, paths: Iterable[str]) -> dict[str, CommitName]:
        asked = list(paths)
        found = history.last_changed(self._repo, self._seen.source_tip, asked) if asked else {}
        return {path: CommitName(commit.oid, commit.author_name) for path, commit in found.items()}

    def _meddlers(self) -> dict[tuple[str, str], CommitName]:
        named: dict[tuple[str, str], CommitName] = {}
        for name, branch in self._plan.branches.items():
            paths = [p for made in self._plan.delivery.placements if made.branch == name for p in made.restored]
            if paths and branch.tip:
                for path, commit in history.last_changed(self._repo, branch.tip, paths).items():
                    named[name, path] = CommitName(commit.oid, commit.author_name)
        return named

    def _known_versions(self) -> dict[tuple[Key, str], Oid]:
        named: dict[tuple[Key, str], Oid] = {}
        for name, branch in self._plan.branches.items():
            asked = [m for m in self._plan.delivery.placements if m.branch == name and m.version_paths]
            if not asked or not branch.tip:
                continue
            found = history.last_changed(self._repo, branch.tip, {p for made in asked for p in made.version_paths})
            for made in asked:
                commits = [found[path] for path in made.version_paths if path in found]
                if commits:
                    named[made.work, made.name] = max(commits, key=lambda c: (c.committed, c.oid)).oid
        return named

    def _verdicts(self, record: Record) -> dict[Key, Verdict]:
        verdicts = dict(self._world.verdicts)
        for key, decided in self._plan.decided.items():
            status = record.files.get(f"works/{key.namespace}/{key.name}/work.yaml")
            if decided.effective.removed or status is None:
                verdicts.pop(key, None)
            else:
                verdicts[key] = overview.verdict(status)
        return verdicts

    def _with_status(self, chain: Chain, record: Record, verdicts: dict[Key, Verdict]) -> tuple[Oid, Oid]:
        """Return the root with the new `status/` in it, and that tree."""
        edits: dict[str, Entry | None] = {
            file: self._file(statusfile.dump(status)) if status else None for file, status in record.files.items()
        }
        problems = sorted(set(self._problems()), key=lambda p: p[:4])
        edits["README.md"] = self._file(self._overview(record, verdicts, problems))
        found = object_status.repository_file(problems)
        edits["repository.yaml"] = self._file(found) if found else None
        status = patch(self._sketch, self._seen.seen.status, edits)
        return patch(self._sketch, chain.root, {STATUS: Entry(DIRECTORY, status)}), status

    def _file(self, content: bytes) -> Entry:
        return Entry(FILE, self._sketch.add(BLOB, content))

    def _problems(self) -> list[Problem]:
        survey = self._plan.survey
        found = [p for p in survey.catalog.problems() if p.key is None or survey.catalog.candidates(p.key)]
        for key, paths in survey.catalog.by_key.items():
            if len(paths) > 1 or len(survey.catalog.candidates(key)) > 1:
                found += definitions.duplicates(survey.catalog, key, self._chosen(key))
        return found + list(self._seen.seen.settings_problems)

    def _chosen(self, key: Key) -> Manifest | None:
        if key in self._plan.decided:
            return self._plan.decided[key].effective.manifest
        if key in self._world.works:
            return self._world.works[key].manifest
        known = self._plan.survey.objects.get(key)
        return known.effective.manifest if known else None

    def _overview(self, record: Record, verdicts: dict[Key, Verdict], problems: list[Problem]) -> bytes:
        objects = {k: o.recorded.status for k, o in self._plan.survey.objects.items() if o.recorded.status}
        for status in record.files.values():
            if status and status.kind not in ("Work", "WorkPlacement"):
                objects[Key(status.kind, "", status.name)] = status
        gone = [k for k, o in self._plan.survey.objects.items() if record.files.get(memory.object_file(k), ()) is None]
        objects = {k: s for k, s in objects.items() if k not in gone}
        templates = Templates(self._sketch, self._seen.seen.source, self._owner._renderer)
        scope = overview.scope(verdicts, objects, self._counts(), [str(p) for p in problems])
        return templates.render(OVERVIEW, scope)

    def _counts(self) -> dict[str, int]:
        index, works = self._world.index, self._world.works
        counts = {name: index.count(name) for name in self._plan.survey.targets}
        for key, decided in self._plan.decided.items():
            for state, step in ((works.get(key), -1), (decided.state, 1)):
                for name in state.destinations if state else ():
                    counts[name] = counts.get(name, 0) + step
        return counts

    # push

    def _push(self, chain: Chain, root: Oid, record: Record, verdicts: dict[Key, Verdict]) -> Outcome:
        branch = self._plan.branches[self._home]
        tally = overview.tally(verdicts.values())
        unfinished = any(made.superseded for made in self._plan.delivery.placements)
        if root == branch.root or not self._something(verdicts):
            return Outcome(tally=tally, tip=branch.tip)
        changed = [key for key in self._plan.decided if self._status_changed(key, root)]
        message = messages.status(tally, record.happened, changed, record.versions, self._seen.source)
        tip = self._publisher.commit(chain.tip, root, message)
        self._repo.objects.flush()
        refs.move(self._repo, self._home, branch.tip, tip, "gitops: status")
        commits = (*dict.fromkeys(chain.versions.values()), tip)
        return Outcome(commits, tally, len(record.happened), tip, unfinished)

    def _something(self, verdicts: dict[Key, Verdict]) -> bool:
        """Whether there is anything to tell: a repository without definitions gets no status."""
        return bool(verdicts or self._plan.survey.objects or self._seen.seen.status or self._problems())

    def _status_changed(self, key: Key, root: Oid) -> bool:
        folder = f"{STATUS}/works/{key.namespace}/{key.name}"
        before = subtree(self._sketch, self._seen.seen.status, folder.removeprefix(f"{STATUS}/"))
        return before != subtree(self._sketch, root, folder)

    def _adopt(self, root: Oid, status: Oid, verdicts: dict[Key, Verdict]) -> None:
        world, survey = self._world, self._plan.survey
        world.adopt({key: decided.state for key, decided in self._plan.decided.items()})
        world.catalog, world.objects = survey.catalog, survey.objects
        world.targets, world.matcher = survey.targets, survey.matcher
        world.status, world.verdicts, world.seen = status, verdicts, True
        for name in self._plan.branches:
            tip = refs.tip(self._repo, name)
            world.trees[name] = self._repo.objects.commit_tree(tip) if tip else root
        world.trees[self._home] = root
