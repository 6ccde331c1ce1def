"""What mutations begin with: the example repository, definitions of the tests, and texts of every kind."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import yaml
from support.definitions import configmap, destination, group, selector, store, work

_EXAMPLE = Path(__file__).parents[1] / "example-repo"
_MADE = [
    work("a", env="dev", values={"size": 1}),
    work(
        "b", request="b", groups=[group({"x.yaml": configmap("x"), "t.j2": "{{ values.size }}"}, selector(env="dev"))]
    ),
    work("f", groups=[group(None, selector(env="dev"), directory="sub")]),
    {"kind": "List", "items": [work("l", env="dev"), destination("m")]},
    destination("dev", mode="none", env="dev", path="a/b"),
    destination("agg", mode="aggregatedYAML", filename="all.yaml", agent="none"),
    store("s", "documents", "below"),
    {"output": {"branch": "out"}, "commit": {"author": "A <a@b>", "granularity": "pass"}},
]

DEFINITIONS = tuple(
    [path.read_bytes() for path in sorted(_EXAMPLE.rglob("*.yaml"))]
    + [yaml.safe_dump(each, sort_keys=False).encode() for each in _MADE]
    + [yaml.safe_dump(each, default_flow_style=True).encode() for each in _MADE[:3]]
    + [
        b"a: &a [x, {b: c}]\nd: *a\n",
        b"a: |\n  x\n\n  y\nb: >-\n  c\n  d\n",
        b"? a\n: b\n",
        b'{"a": "\\ud83d\\ude00"}\n',
    ]
)

_STATUS = {
    "apiVersion": "platform.kratix.io/v1alpha1",
    "kind": "WorkPlacement",
    "metadata": {"name": "a.dev-5058f", "namespace": "default", "labels": {"kratix.io/work": "a"}, "generation": 1},
    "spec": {"id": "5058f1af8388633f609cadb75a75dc9d", "targetDestinationName": "dev"},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "X", "message": "Ready", "lastTransitionTime": "x"}
        ],
        "versionID": "0123456789" * 4,
        "inventory": {"state/dev/a.yaml": "0123456789" * 4},
    },
    "events": [{"type": "Normal", "reason": "X", "from": "Scheduler", "message": "x", "count": 2}],
}
STATUSES = (yaml.safe_dump(_STATUS, sort_keys=False).encode(),)

TEXTS = (
    configmap("a").encode(),
    (configmap("a") + "---\n" + configmap("b", namespace="n")).encode(),
    b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: &m {name: a}\n"
    b"- kind: X\n  <<: {apiVersion: v1}\n  metadata: *m\n",
    base64.b64encode(gzip.compress(b"some text " * 40, mtime=0)),
    base64.b64encode(gzip.compress(configmap("z").encode(), mtime=0)),
    b"{{ values.size }} {% for n in range(3) %}{{ n }}{% endfor %}",
)

PATHS = tuple(
    path.encode()
    for path in (
        "a/b.yaml",
        "static/redis-dependencies.yaml",
        ".gitignore",
        ".git/config",
        "x/.git/hooks",
        "git~1",
        ".gitmodules",
        "é/ü/日本語.yaml",
        "a b/c.d/e-f_g",
        "..",
        "./a",
        "C:/x",
        "/".join("abcdefgh" * 4),
        "x" * 254,
    )
)
