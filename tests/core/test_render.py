"""Templates of strangers: what they may say, and what they may not do."""

import pytest

from gitops.core.documents import TemplateError
from gitops.core.render import MAX_OUTPUT_BYTES, render


def fails(text, **scope):
    with pytest.raises(TemplateError) as caught:
        render(text, scope)
    return str(caught.value)


def test_values_are_filled_in_and_the_last_newline_is_kept():
    assert render("{{ values.size }}\n", {"values": {"size": 3}}) == b"3\n"


def test_a_field_may_have_the_name_of_a_method():
    assert render("{% for i in values.items %}{{ i }}{% endfor %}", {"values": {"items": [1, 2]}}) == b"12"
    assert render("{% for k, v in values.items() %}{{ k }}{{ v }}{% endfor %}", {"values": {"a": 1}}) == b"a1"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_ends_of_a_template_are_kept(end):
    text = "a: {{ v }}{% if v %}\nb: 1\n{% endif %}\nc: 2\n".replace("\n", end)

    assert render(text, {"v": 1}) == "a: 1\nb: 1\n\nc: 2\n".replace("\n", end).encode()


def test_nothing_is_escaped_and_text_may_be_of_any_language():
    assert render("{{ v }} ü", {"v": "<a & 'b'>"}) == "<a & 'b'> ü".encode()


def test_a_value_that_is_not_there_is_an_error_that_names_it():
    assert "'size' is undefined" in fails("{{ size }}")
    assert "'size' is undefined" in fails("{{ {'sizes': [size]} }}")


@pytest.mark.parametrize(
    "wrong",
    ["{% if %}", "{{ size }}", "{{ 1 / 0 }}", "{% for x in [1] %}{{ x.y.z }}{% endfor %}", "{{ ''.__class__ }}"],
)
def test_a_wrong_template_is_an_error_with_its_line(wrong):
    assert fails(f"ok\n{wrong}\nok\n").startswith("line 2: ")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(v) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ v.update(a=1) }}",
        "{{ l.append(1) }}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{{ [1, 2]|random }}",
        "{{ lipsum() }}",
        "{{ now() }}",
        "{{ 1 / 0 }}",
        "{{ range(10**9) }}",
        "{{ " + "(" * 10_000 + ")" * 10_000 + " }}",
    ],
)
def test_what_a_template_may_not_do_is_its_error_and_nobodys_harm(text):
    scope = {"v": {}, "l": []}

    with pytest.raises(TemplateError):
        render(text, scope)

    assert scope == {"v": {}, "l": []}


def test_output_is_bounded():
    assert "1 MiB" in fails("{% for _ in range(1000) %}{{ 'x' * 10000 }}{% endfor %}")
    assert MAX_OUTPUT_BYTES == 1 << 20


def test_the_same_scope_gives_the_same_bytes():
    text = "{% for k in v %}{{ k }}{% endfor %}{{ v|tojson }}"

    assert len({render(text, {"v": {"b": 1, "a": 2}}) for _ in range(3)}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{{ v|map('upper') }}",
        "{{ v|map('upper')|pprint }}",
        "{{ v|map('upper')|escape }}",
        "{{ 'a' ~ (v|select) }}",
        "{{ [v.index] }}",
        "{{ '%s' % cycler(1) }}",
        "{{ {'a': range} }}",
        "{% macro m() %}{{ v|reject }}{% endmacro %}{{ m() }}",
        "{{ {}[v|map('upper')] }}",
    ],
)
def test_an_address_in_memory_gets_neither_into_a_document_nor_into_a_message(text):
    """It is another one in each process: two daemons would put back each other's documents for ever."""
    error = fails(f"ok\n{text}\n", v=["a"])

    assert error.startswith("line 2: ")
    assert "0x" not in error


def test_numbers_that_look_like_an_address_are_nothing_but_text():
    assert (
        render("<f at 0x1f> {{ v }}", {"v": "mapped at 0x7f00, <= 0x8000>"})
        == b"<f at 0x1f> mapped at 0x7f00, <= 0x8000>"
    )
