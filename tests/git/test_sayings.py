"""What servers say becomes one safe line that reads the same each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.git import sayings


@pytest.mark.parametrize(
    ("said", "stable"),
    [
        ("push of 4f1c2a9d88 declined", "push of <id> declined"),
        ("request 0b6f3f0e-93c1-4a39-9f4e-0f2f6f1d2c3b failed", "request <id> failed"),
        ("at 2026-01-01T10:11:12.5Z", "at <time>"),
        ("at 10:11:12", "at <time>"),
        ("connect to 127.0.0.1 port 41385", "connect to 127.0.0.1 <port>"),
        ("CAfile: /tmp/gitops-x1/ca.crt, none", "CAfile: <path>, none"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07bell", "red bell"),
        ("GH006: Protected branch update failed for refs/heads/main.", None),
        ("TF401027: You need the Git 'GenericContribute' permission", None),
        ("main is defaced, 12 of 200 files", None),
    ],
)
def test_what_differs_each_time_is_left_out_and_the_rest_stays(said, stable):
    assert sayings.stable(said) == (stable or said)


@given(st.text())
def test_a_message_is_one_bounded_printable_line(said):
    for message in (sayings.stable(said), sayings.cause(said), sayings.refusal("", f"remote: {said}")):
        assert message.isprintable()
        assert len(message) <= 400


def test_progress_is_not_part_of_what_a_server_says():
    report = "!\ta:b\t[remote rejected] (atomic push failure)\n!\tc:d\t[remote rejected] (hook declined)\n"
    said = "Writing objects: 50% (1/2)\rremote: Resolving deltas: 100% (1/1)\rremote: no ticket   \nTotal 2 (delta 0)\n"
    assert sayings.refusal(report, said) == "hook declined: no ticket"
    assert sayings.cause("Counting objects: 1, done.\nfatal: odd\n") == "odd"
    assert sayings.cause("") == "the git command failed without a word"


def test_a_user_without_a_name_with_whom_ssh_does_not_begin_is_told_and_not_a_lost_connection():
    said = "No user exists for uid 1000\r\nfatal: Could not read from remote repository.\n"
    assert sayings.cause(said) == "ssh does not run for uid 1000, which has no name here: add that user to /etc/passwd"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("fatal: write error: Input/output error\nfatal: fetch-pack: invalid index-pack output\n",
         "write error: Input/output error"),
        ("fatal: fsync error on '/tmp/x/tmp_pack_1': No space left on device\nfatal: fetch-pack: invalid output\n",
         "fsync error on '<path>': No space left on device"),
        ("fatal: cannot exec 'pack-objects': Too many open files\nfatal: protocol error: bad pack header\n",
         "cannot exec 'pack-objects': Too many open files"),
        ("remote: fatal: write error: Input/output error\nfatal: the remote end hung up\n", "the connection was cut"),
    ],
)  # fmt: skip
def test_what_this_machine_fails_at_is_told_and_not_what_follows_from_it(said, cause):
    assert sayings.cause(said) == cause
