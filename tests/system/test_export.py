"""`gitops export`: what Flux and Argo CD are told leads to where the documents really are."""

import re
import subprocess

import pytest
import yaml
from support.definitions import destination, store, work

from gitops.cli.main import main

URL = "https://git.example.com/acme/platform"
BASE = {
    "destinations/dev.yaml": destination("dev", env="dev", path="clusters/dev"),
    "destinations/edge.yaml": destination("edge", env="dev", mode="aggregatedYAML"),
    "destinations/argo.yaml": destination("argo", env="dev", agent="argocd"),
    "destinations/disk.yaml": destination("disk", env="dev", mode="none"),
    "works/redis.yaml": work("redis", env="dev"),
    "works/request.yaml": work("request", promise="search", request="r", env="dev"),
}


@pytest.fixture
def exported(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()

    def export(*arguments, code=0):
        assert main(["--repo", str(platform.path), "export", *arguments]) == code
        out, err = capsys.readouterr()
        return list(yaml.safe_load_all(out)) if code == 0 else err

    return export


def named(found, kind):
    return {obj["metadata"]["name"]: obj["spec"] for obj in found if obj["kind"] == kind}


def test_flux_gets_what_is_for_flux(exported):
    found = exported("flux", "--url", URL)

    assert list(named(found, "GitRepository")) == ["gitops-dev", "gitops-edge"]
    assert {obj["metadata"]["namespace"] for obj in found} == {"flux-system"}
    assert named(found, "GitRepository")["gitops-dev"] == {
        "interval": "1m0s",
        "url": URL,
        "ref": {"branch": "main"},
        "ignore": "/*\n!/state\n/state/*\n!/state/clusters\n/state/clusters/*\n!/state/clusters/dev\n",
    }


def test_dependencies_are_there_before_resources(exported):
    found = named(exported("flux", "dev", "--url", URL), "Kustomization")

    assert "dependsOn" not in found["dev-dependencies"]
    assert found["dev-dependencies"]["wait"] is True
    assert found["dev-resources"]["dependsOn"] == [{"name": "dev-dependencies"}]


def test_each_path_is_a_folder_with_documents(exported, platform):
    flux = named(exported("flux", "dev", "edge", "disk", "--url", URL), "Kustomization")
    argo = named(exported("argocd", "--url", URL), "Application")

    paths = [spec["path"].removeprefix("./") for spec in flux.values()]
    paths += [spec["source"]["path"] for spec in argo.values()]
    assert paths == [
        "state/clusters/dev/dependencies",
        "state/clusters/dev/resources",
        "state/edge",
        "state/disk",
        "state/argo/dependencies",
        "state/argo/resources",
    ]
    for path in paths:
        assert platform.files(f"{path}/")


@pytest.mark.parametrize("works", [BASE["works/redis.yaml"], None])
def test_without_canary_documents_no_folder_that_may_be_missing_is_named(exported, platform, works):
    bare = destination("dev", env="dev", path="clusters/[dev]", initWorkloads={"enabled": False})
    platform.commit({"destinations/dev.yaml": bare, "works/redis.yaml": works, "works/request.yaml": None})
    platform.reconcile()

    flux = exported("flux", "dev", "--url", URL)
    (argo,) = [obj for obj in exported("argocd", "dev", "--url", URL) if obj["kind"] == "Application"]

    assert bool(platform.files("state/clusters/")) == bool(works)
    assert {name: spec["path"] for name, spec in named(flux, "Kustomization").items()} == {"dev": "./"}
    assert "dependsOn" not in named(flux, "Kustomization")["dev"]
    assert named(flux, "GitRepository")["gitops-dev"]["ignore"].endswith("!/state/clusters/\\[dev]\n")
    assert argo["spec"]["source"]["path"] == "."
    assert argo["spec"]["source"]["directory"] == {"recurse": True, "include": r"state/clusters/\[dev\]/*"}
    assert argo["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"] == "/state/clusters/[dev]"


@pytest.mark.parametrize("folder", ["clusters/dev", "clusters/[a]* /?", "#/!x "])
def test_git_itself_leaves_nothing_but_the_folder_of_the_destination(exported, platform, tmp_path, folder):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", path=folder)})
    platform.reconcile()
    ignore = named(exported("flux", "dev", "--url", URL), "GitRepository")["gitops-dev"]["ignore"]
    (tmp_path / "ignore").write_text(ignore)
    listed = platform.git("ls-tree", "-r", "--name-only", "main")

    subprocess.run(["git", "init", "-q", tmp_path / "tree"], check=True)
    command = ["git", "-C", tmp_path / "tree", "-c", f"core.excludesFile={tmp_path}/ignore", "check-ignore"]
    asked = [*command, "--no-index", "--stdin", "--non-matching", "--verbose"]
    verdicts = subprocess.run(asked, input=listed, capture_output=True, text=True, check=False).stdout.splitlines()

    kept = [path for rule, _, path in (line.partition("\t") for line in verdicts) if rule == "::" or ":!" in rule]
    assert kept == [path for path in listed.splitlines() if path.startswith(f"state/{folder}/")]
    assert kept


def test_argo_cd_syncs_in_waves_within_a_project(exported):
    found = exported("argocd", "argo", "--url", URL)

    assert named(found, "AppProject")["gitops-destinations"]["sourceRepos"] == [URL]
    waves = [obj["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for obj in found]
    assert waves == ["-1", "0", "1"]
    assert {spec["destination"].get("name") for spec in named(found, "Application").values()} == {"argo"}
    alone = named(exported("argocd", "argo", "--url", URL, "--in-cluster", "-n", "argo"), "Application")
    assert {spec["destination"].get("server") for spec in alone.values()} == {"https://kubernetes.default.svc"}


@pytest.mark.parametrize("agent", ["flux", "argocd"])
@pytest.mark.parametrize("length", [50, 51, 63, 64, 253])
def test_a_name_however_long_is_a_name_and_a_label_by_which_agents_know_their_own(exported, platform, agent, length):
    """Both write the names of their objects into labels of what they apply."""
    alike = [("eu-west." * 40)[: length - 1] + end for end in "ab"]
    platform.commit({f"destinations/{name[-1]}.yaml": destination(name, path=name[-1], env="dev") for name in alike})
    platform.reconcile()

    found = exported(agent, *alike, "--url", URL)

    names = [(obj["kind"], obj["metadata"]["name"]) for obj in found]
    labels = [value for obj in found for value in obj["metadata"].get("labels", {}).values()]
    assert len(set(names)) == len(names)
    assert len(set(labels)) == 1 + len(alike)
    for value in [*labels, *(name for _, name in names)]:
        assert len(value) <= 63
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", value)
    for spec in (obj["spec"] for obj in found):
        assert ("GitRepository", spec.get("sourceRef", {}).get("name")) in names or "sourceRef" not in spec
        assert all(("Kustomization", other["name"]) in names for other in spec.get("dependsOn", ()))
    clusters = {obj["spec"]["destination"]["name"] for obj in found if obj["kind"] == "Application"}
    assert clusters == (set(alike) if agent == "argocd" else set())


@pytest.mark.parametrize("agent", ["flux", "argocd"])
@pytest.mark.parametrize("fields", [{"mode": "none"}, {"initWorkloads": {"enabled": False}}], ids=str)
def test_a_destination_that_is_named_as_a_tier_of_another_is_another(exported, platform, agent, fields):
    alike = ["dev-dependencies", "dev-resources"]
    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev", **fields) for name in alike})
    platform.reconcile()

    found = exported(agent, "dev", *alike, "--url", URL)

    names = [(obj["kind"], obj["metadata"]["name"]) for obj in found]
    assert len(set(names)) == len(names)
    alone = exported(agent, alike[0], "--url", URL)
    assert all(obj in found for obj in alone if obj["kind"] != "AppProject"), "whoever else is there"


def test_a_store_elsewhere_has_its_own_address_and_branch(exported, platform):
    far = store("far", "deploy", "docs")
    far["spec"] |= {"url": "git@git.example.com:acme/far.git", "secretRef": {"name": "far"}, "authMethod": "ssh"}
    platform.commit({"statestores/far.yaml": far, "destinations/away.yaml": destination("away", store="far")})

    spec = named(exported("flux", "away", "--secret", "far"), "GitRepository")["gitops-away"]

    assert (spec["url"], spec["ref"], spec["secretRef"]) == (
        "ssh://git@git.example.com/acme/far.git",
        {"branch": "deploy"},
        {"name": "far"},
    )


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("git@git.example.com:acme/platform.git", "ssh://git@git.example.com/acme/platform.git"),
        ("ssh://git@git.example.com:2222/platform.git", "ssh://git@git.example.com:2222/platform.git"),
        ("gitserver:platform.git", "ssh://gitserver/platform.git"),
        ("https://token@git.example.com/platform.git", "https://git.example.com/platform.git"),
        ("https://me:password@git.example.com:8443/platform.git", "https://git.example.com:8443/platform.git"),
        (f"https://git.example.com/{'long/' * 60}platform", f"https://git.example.com/{'long/' * 60}platform"),
    ],
)
def test_the_address_is_that_of_origin_as_agents_write_it(exported, platform, origin, url):
    platform.git("remote", "add", "origin", origin)

    assert named(exported("flux", "dev"), "GitRepository")["gitops-dev"]["url"] == url


@pytest.mark.parametrize(
    "origin", ["../platform.git", "/srv/platform.git", "file:///srv/platform.git", "git://h/p.git"]
)
def test_an_address_that_no_agent_reaches_is_refused(exported, platform, origin):
    platform.git("remote", "add", "origin", origin)

    assert f"no agent reaches {origin}: " in exported("flux", "dev", code=2)


def test_of_several_addresses_it_is_that_from_which_git_fetches(exported, platform):
    platform.git("remote", "add", "origin", URL)
    platform.git("remote", "set-url", "--add", "origin", f"{URL}-mirror")

    assert named(exported("flux", "dev"), "GitRepository")["gitops-dev"]["url"] == URL


def test_a_destination_that_is_named_twice_is_exported_once(exported):
    assert exported("argocd", "argo", "argo", "--url", URL) == exported("argocd", "argo", "--url", URL)


def test_what_cannot_be_exported_is_told(exported, platform):
    assert "no remote `origin`: give one with --url" in exported("flux", code=2)
    assert "no Destination none, no is defined" in exported("flux", "none", "no", "--url", URL, code=1)
    assert "no agent reaches nowhere: " in exported("flux", "--url", "nowhere", code=2)
    platform.commit({"destinations/argo.yaml": destination("argo", store="lost", agent="argocd")})
    assert "no Destination has spec.agent: argocd" in exported("argocd", "--url", URL, code=1)
    assert "argo cannot be synced: StateStoreNotFound" in exported("argocd", "argo", "--url", URL, code=1)


def test_what_the_other_agent_alone_takes_is_refused(exported):
    assert "--in-cluster is for argocd" in exported("flux", "--in-cluster", "--url", URL, code=2)
    assert "--secret is for flux" in exported("argocd", "--secret", "name", "--url", URL, code=2)


def test_a_destination_need_not_be_named(exported, capsys):
    with pytest.raises(SystemExit):
        main(["export"])
    assert capsys.readouterr().err.startswith("error: the following arguments are required: flux|argocd\n")
