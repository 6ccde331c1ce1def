"""Addresses of repositories: two spellings of one are one, and what could leak or reach a secret is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitops.core import urls

SAME = [
    "https://git.example.com/team/x",
    "https://git.example.com/team/x.git",
    "https://git.example.com/team/x/",
    "https://git.example.com//team/./x.git/",
    "https://GIT.Example.com:443/team/x",
    "https://git.example.com./team/x",
    "https://git.example.com/team/%78",
    "http://git.example.com/team/x",
    "ssh://git@git.example.com/team/x.git",
    "ssh://git.example.com:22/team/x",
    "git@git.example.com:team/x.git",
    "git@git.example.com:/team/x",
    "git.example.com:team/x",
]


@pytest.mark.parametrize("url", SAME)
def test_spellings_of_one_repository_are_one(url):
    assert urls.canonical(url) == "https://git.example.com/team/x"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/x", "https://h/y"),
        ("https://h/x", "https://h/X"),
        ("https://h:8443/x", "https://h/x"),
        ("ssh://h:2222/x", "git@h:x"),
        ("/srv/x", "/srv/x.git"),
        ("/srv/x", "https://srv/x"),
        ("https://h/x", "https://h/x/.git"),
    ],
)
def test_other_repositories_are_others(one, other):
    assert urls.canonical(one) != urls.canonical(other)


@pytest.mark.parametrize("url", ["/srv/x", "/srv//x/", "file:///srv/x", "file://localhost/srv/x/.git", "/srv/y/../x"])
def test_a_local_path_is_the_same_as_its_url(url):
    assert urls.canonical(url) == "file:///srv/x"


ADDRESSES = st.one_of(
    st.from_regex(
        r"(https?|ssh|git|file|FILE)://([a-z]+@)?[A-Za-z0-9.\[\]:]{0,9}/[ -~é]{0,12}(\.git)*/?", fullmatch=True
    ),
    st.from_regex(r"([a-z]+@)?[a-z0-9.]{1,6}:[ -~é]{1,9}(\.git)*", fullmatch=True),
    st.from_regex(r"/[ -~é]{0,9}(/\.git)*", fullmatch=True),
    st.text(max_size=20),
)


@example("A:..git")
@given(ADDRESSES)
def test_the_one_spelling_is_its_own_and_covers_itself(url):
    try:
        one = urls.canonical(url)
    except ValueError:
        one = ""
    if not one:
        assert urls.problem(url, urls.ANY)
        return
    assert urls.canonical(one) == one
    assert urls.covers(one, one)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", "empty"),
        ("works/x", "neither a URL"),
        ("--upload-pack=evil", "neither a URL"),
        ("https://-oProxyCommand=evil/x", "host"),
        ("ssh://-oProxyCommand=evil/x", "host"),
        ("-oProxyCommand=evil@host:x", "user"),
        ("git@host:-x", "path"),
        ("ext::sh -c evil", "spaces"),
        ("ext::evil", "neither a URL"),
        ("ext://evil/x", '"ext" is no protocol'),
        ("ftp://h/x", '"ftp" is no protocol'),
        ("https://h/x\n", "control"),
        ("https://h/%0ax", "path"),
        ("https://h/%ff", "decode"),
        ("https://h", "path"),
        ("https://h/..", "path"),
        ("https://h/x?token=1", "path"),
        ("https://h/x#y", "path"),
        ("https://h:99999/x", "port"),
        ("https://2852039166/x", "host"),
        ("https://0xa9fea9fe/x", "host"),
        ("https://169.254.43518/x", "host"),
        ("https://169.254.169.254/latest", "link-local"),
        ("https://[::ffff:169.254.169.254]/x", "link-local"),
        ("https://[fe80::1]/x", "link-local"),
        ("file://elsewhere/x", "neither a URL"),
        ("https://h/" + "x" * 2048, "longer"),
    ],
)
def test_what_could_hide_an_option_a_command_or_another_host_is_refused(url, cause):
    assert cause in (urls.problem(url, urls.ANY) or "accepted")


@pytest.mark.parametrize(
    "url",
    [
        "https://me:canary@h/x",
        "https://canary@h/x",
        "ssh://me:canary@h/x",
        "https://a@b:canary@h/x",
        "me:canary@h:x.git",
        "me:canary@h:team/x.git",
    ],
)
def test_a_password_is_refused_and_never_shown(url):
    assert "belong into the secret" in (urls.problem(url) or "")
    assert "canary" not in (urls.problem(url) or "") + urls.shown(url)
    assert "canary" not in urls.shown(url + "\n")


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://h/x", True),
        ("git@h:x", True),
        ("http://h/x", False),
        ("git://h/x", False),
        ("file:///x", False),
        ("/x", False),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("git://localhost/x", True),
        ("http://localhost.evil.org/x", False),
        ("http://127.0.0.1.evil.org/x", False),
    ],
)
def test_a_definition_may_name_what_is_encrypted_or_this_machine(url, trusted):
    assert (urls.problem(url) is None) == trusted
    assert urls.problem(url, urls.ANY) is None


@pytest.mark.parametrize(
    ("prefix", "url", "covered"),
    [
        ("https://h/", "https://h/x.git", True),
        ("https://h", "https://h/x.git", True),
        ("https://h/team", "https://h/team/x", True),
        ("https://h/team/", "https://h/team/x", True),
        ("https://h/team/x.git", "https://h/team/x", True),
        ("https://h/team/x", "https://h/team/x.git", True),
        ("https://H:443/team", "https://h/team/x", True),
        ("git@h:team", "ssh://git@h/team/x", True),
        ("https://h/team", "https://h/teams/x", False),
        ("https://h/team", "https://h/team/../other", False),
        ("https://h/", "https://h.evil.org/x", False),
        ("https://h/", "http://h/x", False),
        ("https://h/", "https://h:8443/x", False),
        ("https://h/", "ssh://h/x", False),
    ],
)
def test_a_secret_goes_to_its_scheme_host_and_path_only(prefix, url, covered):
    assert urls.covers(prefix, url) == covered
