"""Templates of others see their scope and nothing else, cannot change it, and take no more than their share."""

import os
import resource
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops.core.documents import TemplateError
from gitops.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    made = Sandbox()
    yield made
    made.close()


def test_a_template_sees_its_scope(sandbox):
    assert (
        sandbox("{{ work.name }}: {{ values.n + 1 }}\n", {"work": {"name": "é"}, "values": {"n": 1}})
        == "é: 2\n".encode()
    )


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2000, reason="no more than 1,024 files may be open")
def test_it_answers_a_process_that_has_many_files_open(tmp_path):
    """A numbered file beyond 1,023 is more than select() can wait for."""
    with ExitStack() as held:
        for _ in range(1100):
            held.enter_context((tmp_path / "x").open("a"))
        crowded = Sandbox()
        held.callback(crowded.close)
        assert crowded("{{ 1 + 1 }}", {}) == b"2"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% if %}", "line 1"),
        ("{{ values.update({'n': 2}) }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ [1, 2] | random }}", "No filter named 'random'"),
        ("{% include 'x' %}", "no loader"),
        ("{{ now() }}", "'now' is undefined"),
        ("{{ lipsum(n=100) }}", "'lipsum' is undefined"),
        ("{{ 'x' * 2000000 }}", "more than 1 MiB of output"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{" * 20000, ""),
    ],
)
def test_what_a_template_may_not(sandbox, template, reason):
    if template.startswith("{{{{"):
        template = "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}"
    with pytest.raises(TemplateError, match=None if not reason else "(?i).*" + reason.replace("(", r"\(")):
        sandbox(template, {"values": {"n": 1}})


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10 ** 9 }}",
        "{{ 2 ** (10 ** 9) }}",
    ],
)
def test_a_template_that_costs_too_much_is_ended_and_the_next_one_is_not_affected(sandbox, template):
    with pytest.raises(TemplateError):
        sandbox(template, {})
    assert sandbox("{{ a }}", {"a": 1}) == b"1"


def test_a_template_that_takes_too_much_memory_is_told_the_limit(sandbox):
    with pytest.raises(TemplateError, match="256 MiB of memory"):
        sandbox('{{ "x" * 10 ** 10 }}', {})


def test_nothing_of_the_environment_is_within_reach(sandbox, monkeypatch):
    monkeypatch.setitem(os.environ, "SECRET", "canary")
    sandbox.close()
    assert sandbox("{{ 1 }}", {}) == b"1"
    pid = sandbox._process.pid
    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_refusal_is_remembered_and_costs_nothing_more():
    sandbox = Sandbox()
    with pytest.raises(TemplateError, match="more than its share") as first:
        sandbox("{{ 'x' * 10 ** 9 }}", {})
    sandbox._ask = None  # it is not asked again
    with pytest.raises(TemplateError) as second:
        sandbox("{{ 'x' * 10 ** 9 }}", {})
    assert str(first.value) == str(second.value)
