"""Trailers are those that git reads."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops.git.trailers import trailers

LINES = st.sampled_from(
    """Key: value|A-b:c|Key : spaced  | continued|\tmore |text||  |# comment|[skip ci]|9: 9|Signed-off-by: Ada <a@b>
|(cherry picked from commit 12)|: none|two words: x|Key:|é: x|K: a: b\r""".replace("\n", "").split("|")
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=9))
def test_trailers_are_read_as_git_reads_them(git, tmp_path, lines):
    message = "\n".join(["subject", *lines]) + "\n"
    parsed = git(tmp_path, "interpret-trailers", "--parse", "--no-divider", stdin=message)
    assert "\n".join(f"{key}: {value}" for key, value in trailers(message)) == parsed


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (
            "place(a): b\n\nwhy\n\nGitops-Work: default/a\nGitops-Path: p\n",
            [("Gitops-Work", "default/a"), ("Gitops-Path", "p")],
        ),
        ("Gitops-Work: in the subject\n", []),
        ("s\n\nGitops-Work: a\n[skip ci]\n", []),
        ("", []),
    ],
)
def test_the_last_paragraph_counts_when_all_of_it_are_trailers(message, found):
    assert trailers(message) == found
