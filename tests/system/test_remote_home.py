"""`--repo URL`: the repository behind real servers, its clone in the cache, and the commands that look at it."""

import shutil

import pytest
from support.definitions import configmap, destination, store, work
from support.platform import ADA, BOB, Platform
from support.servers import HOST, KINDS, PASSWORD, Silent, hook, until

P, W = "works/default/r/r.dev-5058f.yaml", "works/default/r/work.yaml"
BASE = {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", env="dev")}
DOCUMENT = "state/dev/resources/default/redis/r/instance-configure/5058f/r.yaml"


class Home:
    """The platform's repository on a server, and the secret of the daemon."""

    def __init__(self, servers, command, clock):
        self.servers, self.command, self.clock = servers, command, clock
        self.again()

    def again(self):
        """Make the server's repository, or make it anew."""
        self.platform = Platform(self.servers.make("home"), self.clock)

    def url(self, kind="file"):
        url = self.servers.url(kind, "home")
        self.command.secret("gitops-repository", self.servers.secret(kind))
        return url

    def cached(self):
        return next((self.command.folder / "cache/gitops").glob("*.git"))


@pytest.fixture
def home(servers, command, clock):
    return Home(servers, command, clock)


@pytest.mark.parametrize("kind", KINDS)
def test_a_repository_on_a_server_is_reconciled_and_read(home, kind):
    url = home.url(kind)
    home.platform.commit(BASE)
    told = home.command.settle(url)

    assert told.startswith("1 Work, 1 Ready: 3 commits, ")
    assert DOCUMENT in home.platform.files()
    assert home.platform.condition(W)[0] == "True"
    assert home.platform.subjects()[0].startswith("status: ")
    home.platform.git("fsck", "--strict")
    assert home.command("--repo", url, "get", "works").out == "NAME   STATUS\nr      Ready\n"


def test_every_command_that_reads_does_so_on_a_server(home):
    url = home.url()
    home.platform.commit(BASE)
    home.command.once(url)

    def said(*arguments):
        done = home.command("--repo", url, *arguments)
        assert done.code == 0, done
        return done.out

    assert "AllWorkplacementsScheduled" in said("describe", "work", "r")
    assert "WorkloadsWrittenToStateStore" in said("events")
    assert "condition met" in said("wait", "work/r", "--for=condition=Ready")
    assert "WorkplacementReconciled" in said("history", "work", "r")
    assert said("plan") == "Plan: nothing to change.\n"
    assert said("validate") == "2 definitions, 0 problems\n"
    home.platform.commit({"works/q.yaml": work("q", {"q.yaml": configmap("q")}, request="q", env="dev")})
    assert "q.yaml" in said("plan")
    assert home.command("--repo", url, "plan", "--detailed-exitcode").code == 2


def test_commits_name_the_repository_where_people_have_it(home):
    url = home.url("http")
    home.platform.commit(BASE)
    home.command.once(url)

    message = next(c.message for c in home.platform.log() if c.message.startswith("place("))
    assert f"Argocd-reference-commit-repourl: {url}" in message


def test_an_empty_repository_and_a_branch_that_is_not_there_yet_are_waited_for(home):
    url = home.url()
    assert home.command.once(url) == "nothing to do (branch main has no commit yet)\n"
    assert home.command("--repo", url, "--branch", "other", "run", "--once").code == 0
    home.platform.commit(BASE, branch="main")
    home.command.settle(url)
    for command in (["run", "--once"], ["get", "works"], ["plan"]):
        ended = home.command("--repo", url, "--branch", "other", *command)
        assert ended.code == 1
        assert ended.err.endswith("branch other is not there; there are: main\n")


def test_the_default_branch_of_the_server_is_the_source(home):
    home.platform.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    home.platform.commit(BASE, branch="trunk")
    home.command.settle(home.url())

    assert DOCUMENT in home.platform.files(at="trunk")


def test_an_output_branch_and_stores_on_other_branches_are_the_servers(home):
    url = home.url()
    home.platform.commit(
        {
            **BASE,
            "gitops.yaml": {"output": {"branch": "out"}},
            "statestores/s.yaml": store("s", "deploy"),
            "destinations/prod.yaml": destination("prod", store="s", env="prod"),
            "works/all.yaml": work("all", {"all.yaml": configmap("all")}, env="prod"),
        }
    )
    source = home.platform.tip()
    home.command.settle(url)

    assert home.platform.tip() == source
    assert DOCUMENT in home.platform.files(at="out")
    assert any(path.startswith("prod/") for path in home.platform.files(at="deploy"))
    assert "all" in home.command("--repo", url, "get", "works").out


def test_a_store_whose_address_is_that_of_the_repository_is_a_branch_of_it(home):
    url = home.url()
    made = store("s", "deploy")
    made["spec"]["url"] = f"file://localhost{home.servers.path('home')}/"
    inside = {"destinations/dev.yaml": destination("dev", store="s", env="dev")}
    home.platform.commit({**BASE, "statestores/s.yaml": made, **inside})
    home.command.settle(url)

    assert home.platform.status(P)["status"]["branch"] == "deploy"
    assert home.platform.tip("deploy")


@pytest.mark.parametrize("how", ["rewound", "amended", "deleted and made again", "another history"])
def test_what_people_force_is_followed_and_what_they_removed_is_never_pushed_back(home, how):
    url = home.url()
    home.platform.commit(BASE)
    begun = home.platform.tip()
    home.platform.commit({"secret.txt": "oops"}, "Oops")
    home.command.settle(url)
    if how == "rewound":
        home.platform.move(begun)
    elif how == "amended":
        home.platform.move(begun)
        home.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})
    else:
        home.platform.move(None)
        if how == "another history":
            home.again()
        home.platform.commit(BASE, "Begin anew")
    home.command.settle(url)

    assert "Oops" not in home.platform.subjects()
    assert "secret.txt" not in home.platform.files()
    assert home.platform.condition(W)[0] == "True"
    assert DOCUMENT in home.platform.files()


def test_a_server_that_refuses_fails_the_pass_with_its_words(home):
    url = home.url("http")
    home.platform.commit(BASE)
    tip = home.platform.tip()
    hook(home.servers.path("home"), "pre-receive", "echo 'main is frozen' >&2; exit 1")
    done = home.command("--repo", url, "run", "--once")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: {url} refuses the push: pre-receive hook declined: main is frozen\n"
    assert home.platform.tip() == tip

    hook(home.servers.path("home"), "pre-receive", "exit 0")
    home.command.settle(url)


def test_a_wrong_password_names_the_secret_and_never_itself(home):
    url = home.url("http")
    home.platform.commit(BASE)
    home.command.secret("gitops-repository", {"password": "canary-wrong-91c2"})
    for arguments in (["run", "--once"], ["get", "works"], ["plan"]):
        done = home.command("--repo", url, *arguments)
        assert done.code == 1
        assert "it does not accept the credentials" in done.err
        assert "default/gitops-repository" in done.err
        assert "canary-wrong" not in done.err + done.out

    home.command.secret("gitops-repository", {"password": PASSWORD})
    home.command.settle(url)
    log = "".join(commit.message for commit in home.platform.log())
    assert PASSWORD not in log


def test_without_a_secret_the_server_is_asked_without_one(home):
    url = home.url("http")
    shutil.rmtree(home.command.secrets / "default")
    done = home.command("--repo", url, "run", "--once")

    assert (done.code, "asks for some and none are given" in done.err) == (1, True)
    assert home.command("--repo", home.url("git"), "run", "--once").code == 0


def test_a_secret_from_the_environment(home):
    url = home.servers.url("http", "home")
    home.platform.commit(BASE)
    for key, value in home.servers.secret("http").items():
        home.command.setenv(**{f"GITOPS_SECRET_DEFAULT_GITOPS_REPOSITORY_{key.upper()}": value})

    home.command.settle(url)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repo", "https://me:pw@example.org/x", "get", "works"], "a user name or password stands in it"),
        (["--repo", "https://169.254.169.254/x", "run", "--once"], "link-local"),
        (["--repo", "file:///x", "--secrets", "/none", "get", "works"], "--secrets /none: there is no such folder"),
        (["--repo", "https://example.org/x", "init"], "init makes a repository on this machine"),
    ],
)
def test_what_cannot_be_meant_is_refused(command, arguments, said):
    done = command(*arguments)

    assert done.code == 2
    assert said in done.err
    assert "pw" not in done.err


def test_a_folder_of_secrets_that_is_missing_is_named_as_it_was_given(command):
    command.setenv(GITOPS_SECRETS="/none")

    assert "GITOPS_SECRETS /none: there is no such folder" in command("--repo", "file:///x", "get", "works").err


@pytest.mark.parametrize("how", ["gone", "emptied", "truncated", "refs lost"])
def test_a_damaged_clone_in_the_cache_is_made_anew_in_the_same_pass(home, how):
    url = home.url()
    home.platform.commit(BASE)
    home.command.settle(url)
    home.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})
    clone = home.cached()
    for pack in clone.glob("objects/pack/*"):
        pack.chmod(0o644)
    if how == "gone":
        shutil.rmtree(clone)
    elif how == "emptied":
        shutil.rmtree(clone / "objects/pack")
        (clone / "objects/pack").mkdir()
    elif how == "truncated":
        for pack in clone.glob("objects/pack/*.pack"):
            half = pack.read_bytes()[:20]
            pack.unlink()  # for this process may have it mapped
            pack.write_bytes(half)
    else:
        shutil.rmtree(clone / "refs")
        (clone / "refs/heads").mkdir(parents=True)
    home.command.settle(url)

    assert b"new" in home.platform.files()[DOCUMENT]


@pytest.mark.parametrize("how", ["shallow", "packed-refs", "pack flipped"])
def test_damage_for_which_git_fails_is_no_fault_of_the_server(home, how):
    """`git fetch` and `git push` cannot do their work then: the clone is made anew in the same pass."""
    url = home.url()
    home.platform.commit(BASE)
    home.command.settle(url)
    home.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})
    clone = home.cached()
    if how == "pack flipped":
        for pack in clone.glob("objects/pack/*.pack"):
            raw = pack.read_bytes()
            pack.unlink()
            pack.write_bytes(raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 255]) + raw[len(raw) // 2 + 1 :])
    else:
        (clone / how).write_text("damaged\n")
    home.command.settle(url)

    assert b"new" in home.platform.files()[DOCUMENT]
    home.platform.git("fsck", "--strict")


@pytest.mark.parametrize("how", ["flipped", "missing", "shallow"])
def test_what_commands_read_is_made_anew_when_it_is_damaged(home, how):
    url = home.url()
    home.platform.commit(BASE)
    home.command.settle(url)
    words = ("get", "works,workplacements", "-o", "yaml")
    expected = home.command("--repo", home.platform.path, *words)
    assert home.command("--repo", url, *words) == expected
    clone = next((home.command.folder / "cache/gitops/readers").glob("*.git"))
    for pack in clone.glob("objects/pack/*.pack"):
        raw = pack.read_bytes()
        pack.unlink()
        if how == "flipped":
            pack.write_bytes(raw[:12] + bytes(byte ^ 255 for byte in raw[12:-20]) + raw[-20:])
        elif how == "shallow":
            pack.write_bytes(raw)
            (clone / "shallow").write_text("damaged\n")

    assert home.command("--repo", url, *words) == expected


def test_a_running_daemon_survives_damage_outages_and_new_passwords(home):
    url = home.url("http")
    home.platform.commit(BASE)

    def answer(text):
        home.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", text)}, request="r", env="dev")})
        until(lambda: text.encode() in home.platform.files().get(DOCUMENT, b""), f"{text} is not answered")

    with home.command.daemon("--repo", url, "run", "--interval", "50ms") as daemon:
        answer("one")
        away = home.servers.path("home").rename(home.servers.root / "away")
        until(lambda: not home.servers.path("home").exists(), "")
        away.rename(home.servers.path("home"))
        answer("two")
        home.servers.passwords(daemon="canary-new-22d1")
        home.command.secret("gitops-repository", {"password": "canary-new-22d1"})
        answer("three")
        shutil.rmtree(home.cached() / "objects/pack", ignore_errors=True)  # it may be thrown away meanwhile
        answer("four")
        home.platform.rewind(3)
        answer("five")
        code, log = daemon.stop()
    home.servers.passwords(daemon=PASSWORD)

    assert code == 0
    assert "canary" not in str(log)
    home.platform.git("fsck", "--strict")


def test_a_daemon_waits_for_a_server_that_is_not_there_yet(home):
    away = home.servers.path("home").rename(home.servers.root / "later")
    with home.command.daemon("--repo", home.url(), "run", "--interval", "50ms") as daemon:
        until(lambda: "cannot begin" in daemon.popen.stderr.readline(), "it does not complain")
        away.rename(home.servers.path("home"))
        home.platform.commit(BASE)
        until(lambda: DOCUMENT in home.platform.files(), "no answer")
        assert daemon.stop()[0] == 0


def test_sigterm_ends_what_hangs_at_once(home):
    with Silent() as silent:
        url = f"git://{HOST}:{silent.port}/home.git"
        with home.command.daemon("--repo", url, "run") as daemon, silent.accept() as line:
            daemon.stop()
            line.settimeout(5)
            while line.recv(1 << 16):
                pass


# two daemons


def test_one_machine_runs_one_daemon_for_a_repository(home):
    home.platform.commit(BASE)
    with home.command.daemon("--repo", home.url(), "run", "--interval", "1h") as daemon:
        until(lambda: DOCUMENT in home.platform.files(), "no answer")
        done = home.command("--repo", home.url(), "run", "--once")
        assert done.code == 75
        assert str(daemon.popen.pid) in done.err
        assert home.command("--repo", home.url(), "get", "works").code == 0


def test_two_daemons_with_a_clone_each_answer_every_commit_once_and_keep_every_commit_of_people(home):
    url = home.url("http")
    home.platform.commit(BASE)
    people = []
    with (
        home.command.daemon("--repo", url, "run", "--interval", "20ms", cache="one") as one,
        home.command.daemon("--repo", url, "run", "--interval", "20ms", cache="two") as two,
    ):
        for number in range(6):
            name = f"w{number}"
            made = work(name, {f"{name}.yaml": configmap(name)}, request=name, env="dev")
            people.append(_merge(home.platform, {f"works/{name}.yaml": made}, BOB if number % 2 else ADA))
            if number == 3:
                one.popen.kill()  # the other goes on alone
        until(lambda: home.platform.condition("works/default/w5/work.yaml")[0] == "True", "no answer")
        assert two.stop()[0] == 0
    assert "nothing to do" in home.command.once(url)

    assert {str(c.id) for c in home.platform.log()} >= set(people)
    for name in ("r", *(f"w{number}" for number in range(6))):
        placed = [s for s in home.platform.subjects() if s.startswith(f"place(default/{name})")]
        assert len(placed) == 1
        counts = [e["count"] for e in home.platform.status(f"works/default/{name}/work.yaml")["events"]]
        assert counts == [1, 1]
    home.platform.git("fsck", "--strict")


def _merge(platform, files, by):
    """Commit as a forge does: on whatever the tip is then, and again if it has moved."""
    while True:
        tip = platform.tip()
        made = platform.commit(files, by=by, branch=f"side-{len(platform.log())}", onto=tip)
        done = platform.repo.references.get("refs/heads/main")
        try:
            platform.git("update-ref", "refs/heads/main", made, tip)
        except Exception:
            continue
        assert done
        return made


def test_a_stale_daemon_can_do_nothing(home, monkeypatch):
    """One that stood still in the middle of a pass wakes up with an old tip: its push is refused by the lease."""
    from gitops.git.remote import Remote

    url = home.url()
    home.platform.commit(BASE)
    push, stood = Remote.push, []

    def late(self, moves):
        if not stood:
            stood.append(moves)
            made = work("q", {"q.yaml": configmap("q")}, request="q", env="dev")
            home.platform.commit({"works/q.yaml": made}, by=BOB)
        return push(self, moves)

    monkeypatch.setattr(Remote, "push", late)
    home.command.settle(url)

    assert [c.author.name for c in home.platform.log() if c.author.name != "gitops"] == [BOB.name, ADA.name]
    assert len([s for s in home.platform.subjects() if s.startswith("status: ")]) == 1


def test_what_others_answer_between_two_looks_at_a_server_is_not_taken_for_removed(home, monkeypatch):
    """Of two branches one was fetched before a commit of people, and the other after its answer."""
    from gitops.git.remote import Remote

    url = home.url()
    home.platform.commit({**BASE, "gitops.yaml": {"output": {"branch": "out"}}})
    home.command.settle(url)
    fetch = Remote.fetch

    def slow(self, branches):
        if "main" in branches and "works/q.yaml" not in home.platform.files():
            fetch(self, ["main"])
            made = work("q", {"q.yaml": configmap("q")}, request="q", env="dev")
            home.platform.commit({"works/q.yaml": made}, by=BOB)
            home.platform.reconciler().reconcile()
            branches = [name for name in branches if name != "main"]
        fetch(self, branches)

    monkeypatch.setattr(Remote, "fetch", slow)
    home.command.settle(url)
    assert [subject for subject in home.platform.subjects("out") if "default/q" in subject] == [
        "place(default/q): dev (+1 ~0 -0)"
    ]
