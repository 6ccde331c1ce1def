"""The daemon as a process: it answers commits, one daemon a clone, and SIGTERM ends it between two passes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.definitions import destination, work

from gitops.cli.main import main
from gitops.cli.run import duration

BASE = {"destinations/dev.yaml": destination("dev", env="dev"), "works/redis.yaml": work("redis", env="dev")}
PATIENCE = 20  # seconds


class Process:
    """`gitops run` on a platform."""

    def __init__(self, platform, *arguments):
        command = [sys.executable, "-m", "gitops", "--repo", str(platform.path), "run", *arguments]
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        _, log = self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode, [json.loads(line) for line in log.splitlines()]


@pytest.fixture
def daemon(platform):
    process = Process(platform, "--interval", "1h", "--verbose")
    yield process
    if process.popen.poll() is None:
        process.stop()


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def is_done(platform):
    return platform.subjects()[:1] and platform.subjects()[0].startswith("status: ")


def test_the_daemon_answers_commits_until_sigterm(platform, daemon):
    platform.commit(BASE)
    eventually(lambda: is_done(platform))
    platform.commit({"works/kafka.yaml": work("kafka", promise="kafka", env="dev")})
    eventually(lambda: "place(default/kafka): dev (+1 ~0 -0)" in platform.subjects())
    eventually(lambda: is_done(platform))

    code, log = daemon.stop()

    assert code == 0
    assert [line["event"] for line in log][:: len(log) - 1] == ["started", "stopped"]
    told = [line for line in log if line["event"] == "reconciled"]
    assert told[-1]["status"] == "2 Works, 2 Ready"
    assert told[-1]["tip"] == platform.tip()[:12]


def test_a_branch_that_is_not_there_is_waited_for(platform):
    """As in a repository of which a person has just removed it: a daemon that begins then must not give up."""
    platform.commit(BASE, branch="other")
    process = Process(platform, "--branch", "main", "--interval", "100ms")
    eventually(lambda: "started" in process.popen.stderr.readline())
    told = json.loads(process.popen.stderr.readline())
    platform.commit({"note": "another pass"}, branch="other")
    platform.commit(BASE)
    eventually(lambda: is_done(platform))
    code, log = process.stop()

    assert told["cause"] == "branch main is not there; there are: other"
    assert (told["event"], told["level"]) == ("waiting for a commit", "warning")
    assert (code, [line["event"] for line in log]) == (0, ["reconciled", "stopped"]), "that is told once"


def test_a_burst_of_pushes_makes_few_passes_and_loses_nothing(platform, daemon):
    platform.commit(BASE)
    for number in range(30):
        platform.commit({f"works/w{number}.yaml": work(f"w{number}", promise=f"w{number}", env="dev")})
    eventually(lambda: is_done(platform) and "31 Works, 31 Ready" in platform.subjects()[0])

    _, log = daemon.stop()

    assert sum(line["event"] == "reconciled" for line in log) < 15


def test_a_second_daemon_on_the_clone_is_refused(platform, daemon):
    platform.commit(BASE)
    eventually(lambda: is_done(platform))

    for arguments in (["--once"], []):
        second = Process(platform, *arguments)
        _, said = second.popen.communicate(timeout=PATIENCE)
        assert second.popen.returncode == 75
        assert str(daemon.popen.pid) in said


def test_the_lock_of_a_killed_daemon_is_free(platform, daemon):
    platform.commit(BASE)
    eventually(lambda: is_done(platform))
    daemon.popen.kill()
    daemon.popen.communicate()

    assert main(["--repo", str(platform.path), "run", "--once"]) == 0


def test_one_pass_says_what_it_did(platform, capsys):
    assert main(["--repo", str(platform.path), "run", "--once"]) == 0
    assert capsys.readouterr().out == "nothing to do (branch main has no commit yet)\n"
    platform.commit(BASE)
    assert main(["--repo", str(platform.path), "run", "--once"]) == 0
    assert capsys.readouterr().out == f"1 Work, 1 Ready: 3 commits, 4 events, tip {platform.tip()[:7]}\n"
    assert main(["--repo", str(platform.path), "run", "--once"]) == 0
    assert capsys.readouterr().out == "nothing to do (1 Work, 1 Ready)\n"


def test_what_cannot_be_reconciled_is_an_exit_code(tmp_path, capsys):
    assert main(["--repo", str(tmp_path), "run", "--once"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1m30s", 90), ("250ms", 0.25), ("1.5h", 5400)])
def test_durations_are_written_as_in_go(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1m 30s", "-1s"])
def test_other_durations_are_wrong_usage(platform, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--repo", str(platform.path), "run", "--once", "--interval", text])
    assert ended.value.code == 2


def test_a_log_on_a_full_disk_stops_nothing():
    told = "import structlog; from gitops import logs; logs.configure(); structlog.get_logger().error(1); print(2)"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", told], stdout=subprocess.PIPE, stderr=full, text=True)
    assert done.stdout == "2\n"
