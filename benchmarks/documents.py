"""Kubernetes documents of 1 to 4 KB, as a platform's pipelines write them: the same for the same `Random`."""

from __future__ import annotations

from random import Random

_SECTIONS = ("server", "cache", "queue", "storage", "auth", "metrics", "tracing", "limits", "search", "billing")
_KEYS = ("timeout", "endpoint", "retries", "pool", "window", "region", "threshold", "prefix", "interval", "batch")
_VALUES = ("eu-central", "us-east", "standard", "enabled", "disabled", "https://api.internal.example", "round-robin")
_LINES = range(24, 80)  # of about 40 bytes
_VARIABLES = range(6, 48)  # of about 70 bytes


def configmap(chance: Random, name: str, namespace: str) -> str:
    """Return a ConfigMap with an application's properties in one key."""
    lines = "".join(f"    {_setting(chance, '.')}={_value(chance)}\n" for _ in range(chance.choice(_LINES)))
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        f"  labels:\n    app.kubernetes.io/name: {name}\n    app.kubernetes.io/managed-by: kratix\n"
        f"data:\n  application.properties: |\n{lines}"
    )


def deployment(chance: Random, name: str, namespace: str, revision: int) -> str:
    """Return a Deployment with many variables; *revision* is in the tag of its image and nowhere else."""
    variables = "".join(
        f"        - name: {_setting(chance, '_').upper()}_{number}\n          value: {_value(chance)!r}\n"
        for number in range(chance.choice(_VARIABLES))
    )
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {name}
spec:
  replicas: {chance.randint(1, 9)}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      containers:
      - name: app
        image: registry.example.org/platform/{name}:1.0.{revision}
        ports:
        - containerPort: {chance.randint(1024, 65535)}
        resources:
          requests:
            cpu: {chance.randint(1, 20) * 50}m
            memory: {chance.randint(1, 16) * 64}Mi
        readinessProbe:
          httpGet:
            path: /ready
            port: 8080
        env:
{variables}"""


def _setting(chance: Random, separator: str) -> str:
    return f"{chance.choice(_SECTIONS)}{separator}{chance.choice(_KEYS)}"


def _value(chance: Random) -> str:
    return f"{chance.choice(_VALUES)}-{chance.randrange(10**6)}"
