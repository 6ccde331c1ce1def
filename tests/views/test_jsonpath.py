"""JSONPath in kubectl's dialect; what each template prints was recorded from kubectl 1.32."""

from __future__ import annotations

from typing import Any

import pytest

from gitops.views.jsonpath import JSONPathError, explain, find, print_results
from gitops.views.jsonpath_parser import parse, relaxed

WORK: dict[str, Any] = {
    "apiVersion": "platform.kratix.io/v1alpha1",
    "kind": "Work",
    "metadata": {
        "name": "redis",
        "namespace": "default",
        "generation": 3,
        "labels": {"kratix.io/promise-name": "redis", "team": "a"},
    },
    "spec": {
        "n": [1, 2, 3, 4, 5],
        "f": 1.5,
        "t": True,
        "z": None,
        "nest": [[1, 2], [3]],
        "m": {"a.b": 1, "c": "x"},
        "items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}, {"v": 3}],
        "empty": [],
        "s": "<x>&",
    },
    "status": {
        "conditions": [
            {"type": "ScheduleSucceeded", "status": "True"},
            {"type": "Ready", "status": "False", "message": "Pending"},
        ]
    },
}
FOUND = [
    ("{.metadata.name}", "redis"),
    ('{.metadata.name}{"\\n"}', "redis\n"),
    ("{.metadata.name}{'\\t'}x", "redis\tx"),
    ("name: {.metadata.name}", "name: redis"),
    (
        "{}",
        '{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"generation":3,"labels":{"kratix.io/promise-name":"redis","team":"a"},"name":"redis","namespace":"default"},"spec":{"empty":[],"f":1.5,"items":[{"name":"a","v":1},{"name":"b","v":2},{"v":3}],"m":{"a.b":1,"c":"x"},"n":[1,2,3,4,5],"nest":[[1,2],[3]],"s":"\\u003cx\\u003e\\u0026","t":true,"z":null},"status":{"conditions":[{"status":"True","type":"ScheduleSucceeded"},{"message":"Pending","status":"False","type":"Ready"}]}}',
    ),
    ("{.}", ""),
    (
        "{$}",
        '{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"generation":3,"labels":{"kratix.io/promise-name":"redis","team":"a"},"name":"redis","namespace":"default"},"spec":{"empty":[],"f":1.5,"items":[{"name":"a","v":1},{"name":"b","v":2},{"v":3}],"m":{"a.b":1,"c":"x"},"n":[1,2,3,4,5],"nest":[[1,2],[3]],"s":"\\u003cx\\u003e\\u0026","t":true,"z":null},"status":{"conditions":[{"status":"True","type":"ScheduleSucceeded"},{"message":"Pending","status":"False","type":"Ready"}]}}',
    ),
    (
        "{@}",
        '{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"generation":3,"labels":{"kratix.io/promise-name":"redis","team":"a"},"name":"redis","namespace":"default"},"spec":{"empty":[],"f":1.5,"items":[{"name":"a","v":1},{"name":"b","v":2},{"v":3}],"m":{"a.b":1,"c":"x"},"n":[1,2,3,4,5],"nest":[[1,2],[3]],"s":"\\u003cx\\u003e\\u0026","t":true,"z":null},"status":{"conditions":[{"status":"True","type":"ScheduleSucceeded"},{"message":"Pending","status":"False","type":"Ready"}]}}',
    ),
    ("{$.metadata.name}", "redis"),
    ("{@.metadata.name}", "redis"),
    ("{.spec.n}", "[1,2,3,4,5]"),
    ("{.spec.n[0]}", "1"),
    ("{.spec.n[-1]}", "5"),
    ("{.spec.n[-2]}", "4"),
    ("{.spec.n[0:2]}", "1 2"),
    ("{.spec.n[:2]}", "1 2"),
    ("{.spec.n[3:]}", "4 5"),
    ("{.spec.n[::2]}", "1 3 5"),
    ("{.spec.n[1:4:2]}", "2 4"),
    ("{.spec.n[-2:]}", "4 5"),
    ("{.spec.n[:-1]}", "1 2 3 4"),
    ("{.spec.n[*]}", "1 2 3 4 5"),
    ("{.spec.n[2:2]}", ""),
    ("{.spec.n[0,2]}", "1 3"),
    ("{.spec.n[0,2,-1]}", "1 3 5"),
    ("{.spec.empty[*]}", ""),
    ("{.spec.empty}", "[]"),
    ("{.spec.f}", "1.5"),
    ("{.spec.t}", "true"),
    ("{.spec.z}", "null"),
    ("{.spec.z.x}", ""),
    ("{.spec.nest}", "[[1,2],[3]]"),
    ("{.spec.nest[*]}", "[1,2] [3]"),
    ("{.spec.nest[*][0]}", "1 3"),
    ("{.spec.m.a\\.b}", "1"),
    ("{.spec.m['a.b']}", ""),
    ("{.spec.m['a\\.b']}", "1"),
    ("{.spec.m['c']}", "x"),
    ("{.spec['m']['c']}", "x"),
    ("{['spec']['m']['c']}", "x"),
    ("{.spec['f','t']}", "1.5 true"),
    ("{.spec.items[*].name}", "a b"),
    ("{.spec.items[*]['name','v']}", "a b 1 2 3"),
    ('{.spec.items[?(@.name=="a")].v}', "1"),
    ("{.spec.items[?(@.name=='a')].v}", "1"),
    ('{.spec.items[?(@.name!="a")].v}', "2"),
    ("{.spec.items[?(@.v>1)].v}", "2 3"),
    ("{.spec.items[?(@.v>=2)].v}", "2 3"),
    ("{.spec.items[?(@.v<2)].v}", "1"),
    ("{.spec.items[?(@.v<=2)].v}", "1 2"),
    ("{.spec.items[?(@.v == 2)].name}", "b"),
    ("{.spec.items[?(@.name)].v}", "1 2"),
    ("{.spec.items[?(@.nope)].v}", ""),
    ('{.spec.items[?(@.name=="a)b")].v}', ""),
    ('{.spec.items[?(@.name=="it\'s")].v}', ""),
    ("{range .spec.items[*]}{.name}={.v};{end}", "a=1;b=2;=3;"),
    ('{range .spec.items[*]}{.name}{"\\t"}{.v}{"\\n"}{end}', "a\t1\nb\t2\n\t3\n"),
    ("{range .spec.items[*]}{range .nope[*]}x{end}{.v},{end}done", "1,2,3,done"),
    ("{range .nope[*]}x{end}after", "after"),
    ("{range .spec.nest[*]}[{range @[*]}{@},{end}]{end}", "[1,2,][3,]"),
    ("{range .spec.items[*]}{.name}", "ab"),
    ('{range .spec.items[*]}{.v}{"\\n"}', "1\n2\n3\n\n"),
    ("{range .nope[*]}x", "x"),
    ("{range .spec.items[*]}{range .nope[*]}x", "xxxx"),
    ("{range .spec.items[*]}{range @.name}x{end}y", "xyxyyy"),
    ("{range .spec.nest[*]}a{range .nope[*]}x{end}y{range .z}z", "ayzayzyz"),
    ("{.nope}", ""),
    ("{.nope.nope}", ""),
    ("{.nope[0]}", ""),
    ("{.metadata.name.x}", ""),
    ("{.metadata.labels}", '{"kratix.io/promise-name":"redis","team":"a"}'),
    ("{.metadata.labels.kratix\\.io/promise-name}", "redis"),
    ("{.metadata.labels['kratix\\.io/promise-name']}", "redis"),
    ("{.metadata.labels.team}", "a"),
    ('{.status.conditions[?(@.type=="Ready")].status}', "False"),
    ('{.status.conditions[?(@.type=="Ready")].message}', "Pending"),
    ('{.status.conditions[?(@.status=="True")].type}', "ScheduleSucceeded"),
    ("{.status.conditions[*].type}", "ScheduleSucceeded Ready"),
    ("{.status.conditions[*]['type','status']}", "ScheduleSucceeded Ready True False"),
    ("{'foo'}", "foo"),
    ('{"a\\"b"}', 'a"b'),
    ('{"\\u0041\\x42\\n"}', "AB\n"),
    ("{'a\\'b'}", "a'b"),
    ('{"it\'s"}', "it's"),
    ("{1}", "1"),
    ("{-1}", "-1"),
    ("{1.5}", "1.5"),
    ("{true}", "true"),
    ("{false}", "false"),
    ("{.a=b}", ""),
    ("{.spec.s}", "<x>&"),
    ("{.spec.m}", '{"a.b":1,"c":"x"}'),
    ("{.metadata.name}}", "redis}"),
    ("x{.metadata.name}y{.metadata.namespace}z", "xredisydefaultz"),
    ("{ .metadata.name }", "redis"),
    ("{ .metadata.name .metadata.namespace }", ""),
    ("{.metadata.*.x}", ""),
    ("{.spec.items[]}", '{"name":"a","v":1}'),
    ("{.spec.n[?(@>2)]}", "3 4 5"),
    ("{.spec.n[?(@==3)]}", "3"),
    ("{.spec.items[?(@.v>1)]['name']}", "b"),
    ("plain", "plain"),
    ('{.spec.items[?(@.name=="b")]}', '{"name":"b","v":2}'),
    ("{.metadata.generation}", "3"),
    ('{.spec.items[*].v}{"\\n"}{.spec.n}', "1 2 3\n[1,2,3,4,5]"),
    ("{range}", ""),
    ("{range .spec.n[*]}{end}", ""),
    ('{range .spec.n[0:2]}{.}{", "}{end}', ", , "),
    ("{.status..type}", "ScheduleSucceeded Ready"),
    ("{.spec.items..v}", "1 2 3"),
    ("{.a..b}", ""),
    ("{.spec...v}", "1 2 3"),
]
UNREADABLE = [
    ("{.spec.n[a]}", "invalid array index a"),
    ('{.spec.items[?(@.v=~"1")].v}', "unrecognized character in action: U+007E '~'"),
    ("{.spec.items[?(@.v)}", "unclosed array expect ]"),
    ("{.spec.items[?(@.v]", "unterminated filter"),
    ("{foo", "unclosed action"),
    ("{.foo", "unclosed action"),
    ('{"foo', "unterminated quoted string"),
    ('{"\\q"}', 'unquote string "\\q" error invalid syntax'),
    ("{1.2.3}", "cannot parse number 1.2.3"),
    ("{=}", "unrecognized character in action: U+003D '='"),
    ("{(}", "unrecognized character in action: U+0028 '('"),
    ("{{.metadata.name}}", "unrecognized character in action: U+007B '{'"),
    ("{.metadata.name, .metadata.namespace}", "unrecognized character in action: U+002C ','"),
    ("{.spec.items[ 0 ]}", "invalid array index  0 "),
    ("{.spec.items[0}", "unterminated array"),
]
SENSELESS = [
    ("{.spec.n[7]}", "array index out of bounds: index 7, length 5"),
    ("{.spec.n[-7]}", "array index out of bounds: index -2, length 5"),
    ("{.spec.n[3:1]}", "starting index 3 is greater than ending index 1"),
    ("{.spec.n[0:9]}", "array index out of bounds: index 8, length 5"),
    ("{.spec.n[::0]}", "step must be > 0"),
    ("{.spec.empty[0]}", "array index out of bounds: index 0, length 0"),
    ("{.spec.items[?(@.name==1)].v}", "incompatible types for comparison"),
    ('{.spec.items[?(@.v=="1")].v}', "incompatible types for comparison"),
    ("{.spec.items[?(@.v==1.0)].v}", "incompatible types for comparison"),
    ("{.spec.f[?(@.x==1)]}", "1.5 is not array or slice and cannot be filtered"),
    ("{range .spec.items[*]}{.v}{end}{end}", "not in range, nothing to end"),
    ("{.metadata.name[0]}", "string is not array or slice"),
    ("{.spec.t[0]}", "bool is not array or slice"),
    ("{.spec.f[0]}", "float64 is not array or slice"),
    ("{.spec.m[0]}", "map[string]interface {} is not array or slice"),
    ("{foo}", "unrecognized identifier foo"),
    ("{[0]}", "map[string]interface {} is not array or slice"),
    ("{end}", "not in range, nothing to end"),
]


@pytest.mark.parametrize(("template", "printed"), FOUND)
def test_a_template_prints_what_kubectl_prints(template: str, printed: str) -> None:
    assert print_results(find(parse(template), WORK)) == printed


@pytest.mark.parametrize(("template", "message"), UNREADABLE)
def test_a_template_that_cannot_be_read_is_refused_in_kubectls_words(template: str, message: str) -> None:
    with pytest.raises(JSONPathError) as refusal:
        parse(template)
    assert str(refusal.value) == message


@pytest.mark.parametrize(("template", "message"), SENSELESS)
def test_a_template_that_makes_no_sense_for_the_object_is_refused_in_kubectls_words(
    template: str, message: str
) -> None:
    with pytest.raises(JSONPathError) as refusal:
        find(parse(template), WORK)
    assert str(refusal.value) == message


def test_recursive_descent_finds_a_field_anywhere() -> None:
    assert sorted(print_results(find(parse("{..name}"), WORK)).split()) == ["a", "b", "redis"]


def test_the_object_is_shown_with_a_template_that_makes_no_sense_for_it() -> None:
    work = {"kind": "Work", "n": [1, True, None, 'a"b\x1b'], "m": {}}
    assert explain('{.n["x"]}', JSONPathError("why"), work) == (
        r'error executing jsonpath "{.n[\"x\"]}": Error executing template: why. '
        "Printing more information for debugging the template:\n\ttemplate was:\n\t\t"
        '{.n["x"]}\n\tobject given to jsonpath engine was:\n\t\t'
        r'map[string]interface {}{"kind":"Work", "m":map[string]interface {}{}, '
        r'"n":[]interface {}{1, true, interface {}(nil), "a\"b\x1b"}}'
        "\n\n"
    )


def test_a_missing_field_is_no_error() -> None:
    assert find(parse("{.nope}"), WORK) == [[]]


@pytest.mark.parametrize("spelling", ["{.a.b}", ".a.b", "{a.b}", "a.b"])
def test_a_field_may_be_spelt_with_and_without_braces_and_dot(spelling: str) -> None:
    assert relaxed(spelling) == "{.a.b}"


@pytest.mark.parametrize("spelling", ["{.a.b", "a}", "{{a}}"])
def test_unbalanced_braces_are_no_field(spelling: str) -> None:
    with pytest.raises(JSONPathError, match="unexpected path string"):
        relaxed(spelling)
