"""Clones in the cache: made whole, replaced when damaged, and nothing else is ever removed."""

import pytest

from gitops.core.tree import BLOB
from gitops.errors import RepositoryError
from gitops.git import clones
from gitops.git.clones import cache_folder, open_clone, throw_away

URL = "https://git.example.org/team/x.git"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "gitops"


@pytest.fixture
def clone(cache):
    """A clone with one pack and one loose object in it."""
    repo = open_clone(URL, cache)
    repo.objects.add(BLOB, b"packed")
    repo.objects.flush()
    repo.handle.create_blob(b"loose")
    return repo


def objects(repo):
    return {path.name for path in repo.common_dir.glob("objects/*/*")}


def restart(monkeypatch, tmp_path):
    boot = tmp_path / "boot_id"
    boot.write_text("another run of the machine")
    monkeypatch.setattr(clones, "_BOOT", boot)


def test_a_clone_is_bare_recognisable_private_and_found_again_by_any_spelling(cache, clone):
    assert clone.workdir() is None
    assert clone.common_dir.name.startswith("git-example-org-team-x-")
    assert cache.stat().st_mode & 0o777 == 0o700
    assert objects(open_clone("git@git.example.org:team/x", cache)) == objects(clone)
    assert open_clone("https://git.example.org/team/y", cache).common_dir != clone.common_dir
    assert not list(cache.glob(".*"))


@pytest.mark.parametrize("pattern", ["pack/*.pack", "pack/*.idx", "[0-9a-f][0-9a-f]/*"])
@pytest.mark.parametrize("damage", ["empty", "short", "flipped"])
def test_what_a_power_cut_damaged_is_thrown_away(cache, clone, monkeypatch, tmp_path, pattern, damage):
    (path,) = clone.common_dir.glob(f"objects/{pattern}")
    raw = path.read_bytes()
    changed = {"empty": b"", "short": raw[:-3], "flipped": raw[:15] + bytes([raw[15] ^ 1]) + raw[16:]}[damage]
    path.chmod(0o600)
    path.write_bytes(changed)
    restart(monkeypatch, tmp_path)
    assert objects(open_clone(URL, cache)) == set()


def test_what_a_power_cut_left_whole_is_kept_and_what_it_left_unfinished_goes(cache, clone, monkeypatch, tmp_path):
    before = objects(clone)
    (clone.common_dir / "objects/pack/tmp_pack_x").touch()
    restart(monkeypatch, tmp_path)
    assert objects(open_clone(URL, cache)) == before


def test_what_a_kill_left_of_a_clone_that_was_made_or_removed_goes(cache, clone):
    unfinished = cache / f".{clone.common_dir.stem}-x1"
    (unfinished / "clone").mkdir(parents=True)
    of_others = cache / ".another-0123456789ab-x1"
    of_others.mkdir()
    before = objects(clone)
    assert objects(open_clone(URL, cache)) == before
    assert (unfinished.exists(), of_others.exists()) == (False, True)


@pytest.mark.parametrize("name", ["HEAD", "config", "gitops/clone"])
def test_a_clone_that_cannot_be_opened_is_made_again(cache, clone, name):
    (clone.common_dir / name).write_text("" if name != "gitops/clone" else "https://elsewhere.org/x\n")
    again = open_clone(URL, cache)
    assert (again.common_dir, objects(again)) == (clone.common_dir, set())


def test_a_clone_whose_damage_shows_later_can_be_thrown_away(cache, clone):
    throw_away(clone)
    assert not clone.common_dir.exists()
    assert objects(open_clone(URL, cache)) == set()


def test_what_gitops_did_not_make_is_never_removed(cache, repo):
    with pytest.raises(RepositoryError, match="gitops did not make it"):
        throw_away(repo)
    path = open_clone(URL, cache).common_dir
    (path / "gitops/clone").unlink()
    (path / "mine").touch()
    with pytest.raises(RepositoryError, match="move it away"):
        open_clone(URL, cache)
    assert (path / "mine").exists()


def test_where_no_clone_can_be_kept_the_way_out_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RepositoryError, match=r"Not a directory: .*XDG_CACHE_HOME"):
        open_clone(URL, tmp_path / "file" / "gitops")


def test_the_cache_is_where_the_user_keeps_caches(sealed_home, tmp_path):
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "gitops"
    for none in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        assert cache_folder(none) == sealed_home / ".cache" / "gitops"
