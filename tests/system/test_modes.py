"""The three filepath modes: what is delivered where, and who keeps a path that two want."""

import base64
import gzip

import pytest
import yaml
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle
from support.platform import BOB

NESTED, FLAT, AGGREGATED = "nestedByMetadata", "none", "aggregatedYAML"


def dev(mode=NESTED, **fields):
    return {
        "destinations/dev.yaml": destination("dev", mode=mode, env="dev", initWorkloads={"enabled": False}, **fields)
    }


def request(name, documents, **fields):
    return {f"works/{name}.yaml": work(name, documents, request=name, env="dev", **fields)}


def placement(name, short="5058f"):
    return f"works/default/{name}/{name}.dev-{short}.yaml"


def delivered(platform):
    return {path.removeprefix("state/dev/"): raw.decode() for path, raw in platform.files("state/").items()}


# what is delivered


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        (NESTED, "r", "resources/default/redis/r/instance-configure/5058f/sub/x.txt"),
        (NESTED, "", "dependencies/redis/instance-configure/5058f/sub/x.txt"),
        (FLAT, "r", "sub/x.txt"),
        (FLAT, "", "sub/x.txt"),
        (AGGREGATED, "r", "aggregated.yaml"),
        (AGGREGATED, "", "aggregated.yaml"),
    ],
)
def test_each_mode_has_its_place_and_delivers_byte_for_byte(platform, mode, kind, expected):
    text = "no newline at the end\r\n\ttabs, \u00fc and {{ braces }}"
    platform.commit(
        {**dev(mode, agent="none"), "works/r.yaml": work("r", {"sub/x.txt": text}, request=kind, env="dev")}
    )
    settle(platform)

    assert platform.files("state/") == {f"state/dev/{expected}": text.encode()}


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_a_destination_at_the_root_of_a_branch_has_no_prefix(platform, mode):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            **dev(mode, path="/", store="s", agent="none"),
            **request("r", {"x.txt": "x"}),
        }
    )
    settle(platform)

    assert platform.files(at="deploy").keys() == {
        {
            NESTED: "resources/default/redis/r/instance-configure/5058f/x.txt",
            FLAT: "x.txt",
            AGGREGATED: "aggregated.yaml",
        }[mode]
    }


def test_packed_content_is_delivered_unpacked(platform):
    platform.commit(
        {**dev(FLAT), **request("r", {"x.bin": base64.b64encode(gzip.compress(b"\x00\xff bytes")).decode()})}
    )
    settle(platform)

    assert platform.files("state/") == {"state/dev/x.bin": b"\x00\xff bytes"}


def test_an_empty_document_is_a_file(platform):
    platform.commit({**dev(FLAT), **request("r", {"empty.txt": ""})})
    settle(platform)

    assert delivered(platform) == {"empty.txt": ""}


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_a_document_that_is_no_more_in_the_work_goes(platform, mode):
    platform.commit({**dev(mode, agent="none"), **request("r", {"x.txt": "x", "d/y.txt": "y"})})
    settle(platform)
    platform.commit(request("r", {"x.txt": "x"}))
    settle(platform)

    assert list(delivered(platform).values()) == ["x"]
    version = platform.status("works/default/r/r.dev-5058f.yaml")["status"]["versionID"]
    assert platform.repo[version].message.startswith("update(default/r): dev (+0 ~")


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_a_work_without_documents_is_ready_and_leaves_nothing(platform, mode):
    platform.commit({**dev(mode), **request("r", {"x.txt": "x"})})
    settle(platform)
    platform.commit(request("r", {}))
    settle(platform)

    assert delivered(platform) == {}
    assert platform.condition(placement("r"))[0] == "True"


@pytest.mark.parametrize("mode", [NESTED, FLAT])
def test_k20_odd_names_are_names_and_nothing_else(platform, mode):
    documents = {
        name: name for name in ("a[1].txt", "a1.txt", "*.txt", "?", "-rf", "CON", "a b", "\u00fc", "...", "a:b")
    }
    platform.commit(
        {
            **dev(mode),
            ".gitignore": "*\n",
            "state/.gitignore": "*\n",
            "state/dev/.gitattributes": "* -text filter=lfs\n",
            **request("r", documents),
        }
    )
    settle(platform)
    assert {
        p.rpartition("/")[2] for p in delivered(platform) if not p.endswith((".gitattributes", "state/.gitignore"))
    } - {".gitignore"} == set(documents)

    del documents["a[1].txt"]
    platform.commit(request("r", documents))
    settle(platform)

    assert {p.rpartition("/")[2]: text for p, text in delivered(platform).items() if ".git" not in p} == documents


@pytest.mark.parametrize("path", ["a", "a/", "./a", "/a", "a//"])
def test_k18_every_spelling_of_a_path_gives_the_same_tree(platform, path):
    platform.commit({**dev(FLAT, path=path), "state/a/a/y.txt": "mine", **request("r", {"x.txt": "x", "y.txt": "y"})})
    settle(platform)
    platform.commit(request("r", {"x.txt": "x"}))
    settle(platform)

    assert platform.files("state/") == {"state/a/x.txt": b"x", "state/a/a/y.txt": b"mine"}


def test_k19_names_that_join_alike_keep_their_files(platform):
    works = [("a", "b-c"), ("a-b", "c")]
    for namespace, name in works:
        platform.commit(
            {
                **dev(FLAT),
                f"works/{name}.yaml": work(name, {f"{name}.txt": name}, namespace=namespace, request=name, env="dev"),
            }
        )
    settle(platform)
    platform.remove("works/c.yaml")
    settle(platform)

    assert delivered(platform) == {"b-c.txt": "b-c"}


# canaries


@pytest.mark.parametrize(
    ("mode", "paths"),
    [
        (NESTED, {"dependencies/kratix-canary-namespace.yaml", "resources/kratix-canary-configmap.yaml"}),
        (FLAT, {"kratix-canary-namespace.yaml", "kratix-canary-configmap.yaml"}),
        (AGGREGATED, {"kratix-canary-namespace.yaml", "kratix-canary-configmap.yaml"}),
    ],
)
def test_canaries_come_and_go_with_init_workloads(platform, mode, paths):
    platform.commit({"destinations/dev.yaml": destination("dev", mode=mode)})
    settle(platform)

    assert delivered(platform).keys() == paths
    assert platform.condition("destinations/dev.yaml") == (
        "True",
        "TestDocumentsWritten",
        "Test documents written to State Store",
    )
    assert platform.events("destinations/dev.yaml") == ["DestinationReady: Destination is Ready"]
    assert platform.subjects()[1] == "destination(dev): own documents (+2 ~0 -0)"

    platform.commit(dev(mode))
    settle(platform)

    assert delivered(platform) == {}
    assert platform.condition("destinations/dev.yaml") == ("True", "DestinationReady", "Destination is ready")
    assert platform.events("destinations/dev.yaml") == ["DestinationReady: Destination is Ready"]
    assert platform.subjects()[1] == "destination(dev): own documents (+0 ~0 -2)"


def test_canaries_are_what_kratix_writes(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", mode=FLAT)})
    settle(platform)
    found = {path: yaml.safe_load(text) for path, text in delivered(platform).items()}

    assert found == {
        "kratix-canary-namespace.yaml": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "kratix-worker-system"},
        },
        "kratix-canary-configmap.yaml": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kratix-info", "namespace": "kratix-worker-system"},
            "data": {"canary": "this confirms your infrastructure is reading from Kratix state stores"},
        },
    }


@pytest.mark.parametrize("document", ["kratix-canary-namespace.yaml", "kratix-canary-namespace.yaml/mine"])
def test_a_work_may_not_take_the_place_of_a_canary(platform, document):
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", mode=FLAT, env="dev"),
            **request("r", {document: "mine"}),
        }
    )
    settle(platform)

    assert platform.condition(placement("r"), "WriteSucceeded")[1] == "PathConflict"
    assert platform.condition(placement("r"), "WriteSucceeded")[2].endswith(" belongs to Destination dev")
    assert "kratix-worker-system" in delivered(platform)["kratix-canary-namespace.yaml"]


# conflicts


@pytest.mark.parametrize(("first", "second"), [("a", "z"), ("z", "a")])
@pytest.mark.parametrize(
    ("held", "wanted"), [("x.txt", "x.txt"), ("x.txt", "X.TXT"), ("d/x", "d/x/y"), ("d/x/y", "d/x")]
)
def test_k8_in_mode_none_the_first_recorded_owner_keeps_a_path(platform, first, second, held, wanted):
    platform.commit({**dev(FLAT), **request(first, {held: "owner's"})})
    settle(platform)
    platform.commit(request(second, {wanted: "newcomer's", "more.txt": "more"}))
    settle(platform)

    assert delivered(platform) == {held: "owner's"}
    status, reason, message = platform.condition(placement(second), "WriteSucceeded")
    assert (status, reason) == ("False", "PathConflict")
    assert message.endswith(f"belongs to default/{first}.dev-5058f")
    assert platform.condition(placement(second)) == ("False", "PathConflict", "Failing")
    assert platform.condition(placement(first))[0] == "True"
    assert platform.condition(f"works/default/{second}/work.yaml")[1] == "WorkplacementsFailing"


def test_groups_of_one_work_are_in_each_others_way_as_works_are(platform):
    groups = [group({"x.txt": own}, selector(env="dev"), id=own) for own in ("first", "second")]
    platform.commit({**dev(FLAT), "works/r.yaml": work("r", groups=groups)})
    settle(platform)

    assert delivered(platform) == {"x.txt": "first"}
    message = platform.condition(placement("r", "secon"), "WriteSucceeded")[2]
    assert message == "x.txt belongs to default/r.dev-first"


def test_of_two_newcomers_the_first_by_name_gets_it(platform):
    platform.commit({**dev(FLAT), **request("b", {"x.txt": "b"}), **request("a", {"x.txt": "a"})})
    settle(platform)

    assert delivered(platform) == {"x.txt": "a"}


def test_losing_and_leaving_deletes_nothing_of_the_owner(platform):
    platform.commit({**dev(FLAT), **request("a", {"x.txt": "a"})})
    settle(platform)
    platform.commit(request("b", {"x.txt": "b"}))
    settle(platform)
    platform.remove("works/b.yaml")
    settle(platform)

    assert delivered(platform) == {"x.txt": "a"}


def test_when_the_owner_goes_the_other_gets_it_in_the_same_pass(platform):
    platform.commit({**dev(FLAT), **request("a", {"x.txt": "a"}), **request("b", {"x.txt": "b", "y.txt": "y"})})
    settle(platform)
    platform.remove("works/a.yaml")
    platform.reconcile()

    assert delivered(platform) == {"x.txt": "b", "y.txt": "y"}
    assert platform.condition(placement("b")) == ("True", "WorkloadsWrittenToTargetDestination", "Ready")
    settle(platform)


def test_works_of_one_name_in_two_namespaces_hand_over_an_equal_file(platform):
    platform.commit(
        {
            **dev(FLAT),
            **{f"works/{ns}.yaml": work("r", {"x.txt": "same"}, namespace=ns, env="dev") for ns in ("ns1", "ns2")},
        }
    )
    settle(platform)
    platform.remove("works/ns1.yaml")
    settle(platform)

    assert delivered(platform) == {"x.txt": "same"}
    assert list(platform.status("works/ns2/r/r.dev-5058f.yaml")["status"]["inventory"]) == ["state/dev/x.txt"]


def test_who_loses_a_path_keeps_its_last_good_documents(platform):
    platform.commit({**dev(FLAT), **request("a", {"x.txt": "a"}), **request("b", {"y.txt": "b"})})
    settle(platform)
    platform.commit(request("b", {"x.txt": "b", "z.txt": "b"}))
    settle(platform)

    assert delivered(platform) == {"x.txt": "a", "y.txt": "b"}


@pytest.mark.parametrize("together", [True, False])
def test_what_a_loser_keeps_is_not_a_newcomers(platform, together):
    """Its last good documents would be overwritten."""
    platform.commit({**dev(FLAT), **request("a", {"x.txt": "a"}), **request("b", {"y.txt": "b"})})
    settle(platform)
    loser, newcomer = request("b", {"x.txt": "b"}), request("c", {"y.txt": "c"})
    for files in ({**loser, **newcomer},) if together else (loser, newcomer):
        platform.commit(files)
        settle(platform)

    assert delivered(platform) == {"x.txt": "a", "y.txt": "b"}
    assert platform.condition(placement("b"), "WriteSucceeded")[2] == "x.txt belongs to default/a.dev-5058f"
    assert platform.condition(placement("c"), "WriteSucceeded")[2] == "y.txt belongs to default/b.dev-5058f"


def test_k8_in_nested_mode_equal_directories_of_two_namespaces_are_noticed(platform):
    """Dependencies of one Promise and pipeline in two namespaces share a directory in Kratix, and wipe each other."""
    documents = {ns: {f"{ns}.txt": ns} for ns in ("ns1", "ns2")}
    platform.commit(
        {**dev(), **{f"works/{ns}.yaml": work("r", d, namespace=ns, env="dev") for ns, d in documents.items()}}
    )
    settle(platform)

    assert list(delivered(platform)) == ["dependencies/redis/instance-configure/5058f/ns1.txt"]
    assert platform.condition("works/ns2/r/r.dev-5058f.yaml", "WriteSucceeded") == (
        "False",
        "PathConflict",
        "dependencies/redis/instance-configure/5058f belongs to ns1/r.dev-5058f",
    )

    platform.remove("works/ns2.yaml")
    settle(platform)
    assert list(delivered(platform)) == ["dependencies/redis/instance-configure/5058f/ns1.txt"]


def test_swapping_two_paths_between_works_ends_well(platform):
    platform.commit({**dev(FLAT), **request("a", {"x.txt": "a"}), **request("b", {"y.txt": "b"})})
    settle(platform)
    platform.commit({**request("a", {"y.txt": "a"}), **request("b", {"x.txt": "b"})})
    settle(platform)

    assert delivered(platform) == {"y.txt": "a", "x.txt": "b"}


# aggregates


def test_parts_are_joined_as_kratix_joins_them(platform):
    platform.commit(
        {**dev(AGGREGATED), **request("r", {"one.yaml": configmap("a").rstrip("\n"), "two.yaml": configmap("b")})}
    )
    settle(platform)

    assert delivered(platform) == {"aggregated.yaml": configmap("a").rstrip("\n") + "\n---\n" + configmap("b")}


def test_an_aggregate_of_several_works_comes_with_the_canaries_in_one_commit(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", mode=AGGREGATED, env="dev")})
    platform.commit({**request("a", {"a.yaml": configmap("a")}), **request("b", {"b.yaml": configmap("b")})})
    settle(platform)

    print(platform.subjects(), platform.files("state/"))
    assert platform.subjects()[1:3] == ["destination(dev): default/a, default/b (+3 ~0 -0)", "Edit"]


def test_a_commit_of_an_aggregate_says_what_happens_to_its_one_work(platform):
    platform.commit({**dev(AGGREGATED, agent="none"), **request("a", {"x.txt": "a"})})
    settle(platform)
    platform.commit({"state/dev/aggregated.yaml": "mine"})
    settle(platform)
    restored = platform.log()[1].message
    platform.commit(request("b", {"x.txt": "b"}))
    settle(platform)
    platform.commit(request("b", {"x.txt": "c"}))
    settle(platform)
    for name in "ab":
        platform.remove(f"works/{name}.yaml")
        settle(platform)

    assert [told for told in reversed(platform.subjects()) if "(default/" in told] == [
        "place(default/a): dev (+1 ~0 -0)",
        "update(default/a): dev (+0 ~1 -0)",
        "place(default/b): dev (+0 ~1 -0)",
        "update(default/b): dev (+0 ~1 -0)",
        "withdraw(default/a): dev (+0 ~1 -0)",
        "withdraw(default/b): dev (+0 ~0 -1)",
    ]
    assert "Files changed outside gitops are restored" in restored


def test_k9_the_order_is_by_namespace_name_and_group(platform):
    works = {}
    for namespace, name in (("b", "a"), ("a", "z"), ("a", "b"), ("a-a", "a")):
        groups = [
            group({"x.txt": f"{namespace}/{name}/{own}"}, selector(env="dev"), id=own, directory=own)
            for own in ("zz", "aa")
        ]
        works[f"works/{namespace}-{name}.yaml"] = work(name, namespace=namespace, request=name, groups=groups)
    platform.commit({**dev(AGGREGATED, agent="none"), **works})
    settle(platform)

    order = [f"{work}/{own}" for work in ("a/b", "a/z", "a-a/a", "b/a") for own in ("aa", "zz")]
    assert delivered(platform)["aggregated.yaml"].split("\n---\n") == order


@pytest.mark.parametrize("beside", ["another Work", "what somebody wrote"])
def test_an_aggregate_that_another_commit_makes_is_not_in_the_verb_of_the_work(platform, beside):
    qa, both = {"destinations/qa.yaml": destination("qa", env="qa")}, selector(on="yes")
    platform.commit({**qa, "works/a.yaml": work("a", {"x.txt": "a"}, request="", env="qa")})
    settle(platform)
    changed = {"works/a.yaml": work("a", {"x.txt": "b"}, groups=[group({"x.txt": "b"}, both)])}
    qa = {"destinations/qa.yaml": destination("qa", env="qa", on="yes")}
    more = {"another Work": {"works/b.yaml": work("b", {"y.txt": "b"}, on="yes")}}
    written = {"state/dev/aggregated.yaml": "b"}
    platform.commit({**dev(AGGREGATED, agent="none", on="yes"), **qa, **changed, **more.get(beside, written)})
    settle(platform)
    assert "update(default/a): qa (+0 ~1 -0)" in platform.subjects()


def test_works_that_share_an_aggregate_and_others_change_together(platform):
    places = {**dev(AGGREGATED, agent="none"), "destinations/qa.yaml": destination("qa", env="qa")}
    where = {"a": "qa", "b": "dev", "c": "dev", "d": "qa"}
    works = {f"works/{n}.yaml": work(n, {"x.txt": n}, request=n, env=env) for n, env in where.items()}
    platform.commit({**places, **works})
    settle(platform)
    platform.commit({path: yaml.safe_dump(made).replace("x.txt", "y.txt") for path, made in works.items()})
    settle(platform)

    written = [path for path in platform.files("state/qa/") if path.endswith(".txt")]
    assert [path.rpartition("/")[2] for path in written] == ["y.txt", "y.txt"]


def test_the_last_part_takes_the_file_with_it(platform):
    platform.commit({**dev(AGGREGATED, agent="none"), **request("a", {"x.txt": "a"}), **request("b", {"x.txt": "b"})})
    settle(platform)
    platform.remove("works/a.yaml")
    settle(platform)
    assert delivered(platform) == {"aggregated.yaml": "b"}

    platform.remove("works/b.yaml")
    settle(platform)
    assert delivered(platform) == {}


def test_works_that_lose_an_aggregate_together_make_no_empty_commit(platform):
    platform.commit(
        {**dev(AGGREGATED, agent="none", cleanup="all"), **request("a", {"a.txt": "a"}), **request("b", {"b.txt": "b"})}
    )
    settle(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)

    assert delivered(platform) == {}
    assert [told for told in platform.subjects() if told.startswith("withdraw")] == [
        "withdraw(default/a): dev (+0 ~0 -1)"
    ]


def test_each_subject_counts_what_its_own_commit_changes(platform):
    def told(name, text):
        return {f"works/{name}.yaml": work(name, {"x.txt": text}, promise=name, env="dev")}

    other = {"destinations/other.yaml": destination("other", env="dev", initWorkloads={"enabled": False})}
    platform.commit(
        {**dev(AGGREGATED, agent="none", cleanup="all"), **other, **told("a", "old"), **told("b", "old")},
    )
    settle(platform)
    platform.remove("destinations/dev.yaml")
    platform.commit(told("b", "new"))
    settle(platform)

    assert platform.subjects()[1:3] == [
        "update(default/b): dev, other (+0 ~1 -0)",
        "withdraw(default/a): dev (+0 ~0 -1)",
    ]


def test_k9_a_changed_filename_moves_the_aggregate_in_one_commit(platform):
    platform.commit({**dev(AGGREGATED, agent="none"), **request("a", {"x.txt": "a"})})
    settle(platform)
    platform.commit(dev(AGGREGATED, agent="none", filename="all/documents.yaml"))
    settle(platform)

    assert delivered(platform) == {"all/documents.yaml": "a"}
    changed = platform.git("show", "--format=", "--name-status", "--no-renames", f"{platform.tip()}~1")
    assert changed.split() == ["D", "state/dev/aggregated.yaml", "A", "state/dev/all/documents.yaml"]
    assert platform.subjects()[1].startswith("move(dev): dev ")


@pytest.mark.parametrize(
    "bad", [{"b.yaml": "kind: Nothing\n"}, {"b.txt.j2": "{{ nothing }}"}, {"b.yaml": configmap("a")}]
)
def test_a_part_that_is_held_back_stays_as_it_was_and_the_others_go_on(platform, bad):
    parts = {name: {f"{name}.yaml": configmap(name)} for name in "abc"}
    platform.commit({**dev(AGGREGATED), **{k: v for name, d in parts.items() for k, v in request(name, d).items()}})
    settle(platform)
    platform.commit({**request("b", bad), **request("c", {"c.yaml": configmap("c", "new")})})
    settle(platform)

    assert delivered(platform)["aggregated.yaml"].split("\n---\n") == [
        configmap("a"),
        configmap("b"),
        configmap("c", "new"),
    ]
    assert platform.condition(placement("b"))[2] == "Failing"
    assert platform.condition(placement("c"))[0] == "True"


@pytest.mark.parametrize("parts", [{}, {"default/a/a.dev-5058f": 1}, {"nobody": 7}])
def test_parts_that_somebody_changed_in_status_are_told_as_they_are(platform, parts):
    platform.commit({**dev(AGGREGATED), **request("a", {"a.yaml": configmap("a")})})
    settle(platform)
    told = platform.status("destinations/dev.yaml")
    told["status"]["parts"] = parts
    before = delivered(platform)
    platform.commit({"status/destinations/dev.yaml": yaml.safe_dump(told)})
    settle(platform)
    assert delivered(platform) == before
    assert platform.status("destinations/dev.yaml")["status"]["parts"] != parts


@pytest.mark.parametrize("owner", [{"b.yaml": configmap("x")}, {"../b.yaml": ""}, {"b.yaml": configmap("c")}])
def test_an_object_of_an_aggregate_stays_with_its_first_owner_whoever_comes_first_by_name(platform, owner):
    """Be the owner as it was, bad now, or held back itself because it wants what is another's."""
    platform.commit(
        {**dev(AGGREGATED), **request("b", {"b.yaml": configmap("x")}), **request("c", {"c.yaml": configmap("c")})}
    )
    settle(platform)
    platform.commit({**request("a", {"a.yaml": configmap("x", "mine")}), **request("b", owner)})
    settle(platform)

    assert delivered(platform)["aggregated.yaml"] == "\n---\n".join((configmap("x"), configmap("c")))
    lost = "ConfigMap/default/x is already delivered by default/b.dev-5058f"
    assert platform.condition(placement("a"), "WriteSucceeded") == ("False", "InvalidDocument", lost)
    platform.remove("works/b.yaml")
    settle(platform)
    assert delivered(platform)["aggregated.yaml"] == "\n---\n".join((configmap("x", "mine"), configmap("c")))


def test_an_object_comes_once_in_an_aggregate_whatever_the_names_of_the_documents(platform):
    platform.commit(
        {**dev(AGGREGATED), **request("a", {"a.txt": configmap("x")}), **request("b", {"b": configmap("x")})}
    )
    settle(platform)

    assert delivered(platform)["aggregated.yaml"] == configmap("x")
    lost = "ConfigMap/default/x is already delivered by default/a.dev-5058f"
    assert platform.condition(placement("b"), "WriteSucceeded") == ("False", "InvalidDocument", lost)
    platform.commit(request("a", {"a.yaml": configmap("a"), "a.json": configmap("a")}))
    settle(platform)
    twice = "a.json: ConfigMap/default/a comes twice, also in a.yaml"
    assert platform.condition(placement("a"), "WriteSucceeded") == ("False", "InvalidDocument", twice)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"README.md": "# Notes\n\n: {"}, "README.md: "),
        ({"x.json": '{"a": 1}'}, "x.json: "),
        ({"notes.txt": "some notes"}, "notes.txt: line 1: expected a Kubernetes object, found"),
    ],
)
def test_what_is_no_object_is_kept_out_of_an_aggregate_that_an_agent_reads(platform, document, reason):
    """Whatever its name: there it is YAML among the others, and the agent would stop at all of them."""
    platform.commit({**dev(AGGREGATED), **request("a", {"a.yaml": configmap("a")}), **request("b", document)})
    settle(platform)

    assert delivered(platform) == {"aggregated.yaml": configmap("a")}
    refused = platform.condition(placement("b"), "WriteSucceeded")
    assert refused[:2] == ("False", "InvalidDocument")
    assert refused[2].startswith(reason)


def test_an_aggregate_keeps_objects_that_stand_where_its_destination_had_them_before(platform):
    platform.commit({**dev(NESTED), **request("b", {"b.yaml": configmap("x")})})
    settle(platform)
    platform.commit({**dev(AGGREGATED), **request("b", {"../b.yaml": ""}), **request("a", {"a.yaml": configmap("x")})})
    settle(platform)

    assert list(delivered(platform).values()) == [configmap("x")]


@pytest.mark.parametrize("place", [{"filename": "all.yaml"}, {"path": "moved"}])
def test_an_aggregate_moves_with_the_part_that_is_held_back_and_the_others_go_on(platform, place):
    platform.commit({**dev(AGGREGATED), **request("a", {"a": configmap("a")}), **request("b", {"b": configmap("b")})})
    settle(platform)
    platform.commit(
        {**dev(AGGREGATED, **place), **request("a", {"a": configmap("a", "new")}), **request("b", {"b": "-"})}
    )
    settle(platform)

    assert list(platform.files("state/").values()) == [f"{configmap('a', 'new')}\n---\n{configmap('b')}".encode()]
    assert platform.condition(placement("a"))[0] == "True"
    assert platform.condition(placement("b"))[1] == "InvalidDocument"


def test_documents_are_not_cut_by_the_lengths_of_an_aggregate_that_is_no_more(platform):
    platform.commit({**dev(AGGREGATED), **request("a", {"a.yaml": configmap("a")})})
    settle(platform)
    longer = configmap("a", "a" * 100)
    platform.commit({**dev(NESTED), **request("a", {"a.yaml": longer})})
    settle(platform)
    platform.commit({**dev(AGGREGATED), **request("a", {"a.yaml": "no object"})})
    settle(platform)

    assert list(delivered(platform).values()) == [longer]


def test_an_aggregate_that_somebody_edited_is_restored_whole(platform):
    platform.commit({**dev(AGGREGATED, agent="none"), **request("a", {"x.txt": "a"}), **request("b", {"x.txt": "b"})})
    settle(platform)
    commit = platform.commit({"state/dev/aggregated.yaml": "mine"}, by=BOB)
    settle(platform)

    assert delivered(platform) == {"aggregated.yaml": "a\n---\nb"}
    for name in "ab":
        assert (
            f"DriftCorrected: 1 files changed outside gitops in {commit[:7]} by Bob Babbage were restored"
            in platform.events(placement(name))
        )
    assert platform.subjects()[1] == "destination(dev): default/a, default/b (+0 ~1 -0)"
    assert "Gitops-Work: default/a\nGitops-Work: default/b\n" in platform.log()[1].message


def test_a_part_that_comes_while_somebody_edited_the_aggregate_is_not_told_of_it(platform):
    dev = {"destinations/dev.yaml": destination("dev", mode="aggregatedYAML", env="dev")}
    platform.commit({**dev, "works/a.yaml": work("a", env="dev")})
    settle(platform)
    platform.commit({"state/dev/aggregated.yaml": "mine\n"}, by=BOB)
    platform.commit({"works/b.yaml": work("b", env="dev")})
    settle(platform)

    reasons = {n: [e.partition(":")[0] for e in platform.events(f"works/default/{n}/{n}.dev-5058f.yaml")] for n in "ab"}
    assert "DriftCorrected" in reasons["a"]
    assert reasons["b"] == ["WorkloadsWrittenToStateStore"]


def test_every_part_has_the_version_that_last_changed_the_file(platform):
    platform.commit({**dev(AGGREGATED, agent="none"), **request("a", {"x.txt": "a"}), **request("b", {"x.txt": "b"})})
    settle(platform)
    platform.commit(request("b", {"x.txt": "new"}))
    settle(platform)

    newest = platform.git("log", "-1", "--format=%H", "--", "state/dev/aggregated.yaml").strip()
    assert {platform.status(placement(name))["status"]["versionID"] for name in "ab"} == {newest}
