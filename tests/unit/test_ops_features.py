"""Features of Keycloak: server and realm follow the same value of the contract, whichever way the stack runs."""

from pathlib import Path

import pytest

from ops.containers.images import features_of_image, image_names
from ops.distribution import STAMP, build_options
from ops.features import METADATA_DOCUMENTS, features_of_contract, features_of_realm
from ops.keycloak import features_of, make_instance, version_of
from ops.realm import read_lock
from service.contract import load_contract

CIMD = (METADATA_DOCUMENTS,)


def test_contract_lock_file_and_image_agree() -> None:
    declared = features_of_contract(load_contract().registration)
    assert declared == features_of_realm(read_lock()) == features_of_image(image_names(declared).keycloak) == ()


def test_open_documents_need_the_feature_everywhere() -> None:
    opened = dict(load_contract().registration) | {"metadata_documents": "trusted_hosts"}
    assert features_of_contract(opened) == CIMD
    assert features_of_image(image_names(CIMD).keycloak) == CIMD
    assert build_options(CIMD)[-1] == "--features=cimd"
    profile = {"name": "p", "executors": [{"executor": "client-id-metadata-document", "configuration": {}}]}
    assert features_of_realm({"clientProfiles": {"profiles": [profile]}}) == CIMD


def distribution(folder: Path, *features: str, version: str = "26.7.4") -> Path:
    for part in ("bin", "lib", "conf"):
        (folder / part).mkdir(parents=True)
        (folder / part / "file").write_text(",".join(features))
    (folder / "version.txt").write_text(f"Keycloak - Version {version}\n")
    (folder / STAMP).write_text(" ".join(build_options(features)))
    return folder


@pytest.mark.parametrize(("before", "after"), [((), CIMD), (CIMD, ())])
def test_an_instance_changes_its_build_and_keeps_its_data(
    tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    home = tmp_path / "instance"
    assert make_instance(distribution(tmp_path / "one", *before), home)
    (home / "data").mkdir()
    (home / "data" / "database").write_text("kept")
    assert features_of(home) == before
    assert not make_instance(distribution(tmp_path / "two", *after), home)
    assert features_of(home) == after
    assert (home / "data" / "database").read_text() == "kept"
    assert (home / "lib" / "file").read_text() == ",".join(after)
    assert (tmp_path / "one" / "lib" / "file").read_text() == ",".join(before), "the shared distribution was changed"
    assert not make_instance(tmp_path / "two", home)


def test_an_exchange_that_was_stopped_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "instance"
    make_instance(distribution(tmp_path / "one"), home)
    (home / "data").mkdir()
    (home / "data" / "database").write_text("kept")
    new = distribution(tmp_path / "two", *CIMD)
    whole = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if self.name == "lib":
            raise KeyboardInterrupt
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        make_instance(new, home)
    monkeypatch.undo()
    assert features_of(home) == ()
    make_instance(new, home)
    assert (features_of(home), (home / "data" / "database").read_text()) == (CIMD, "kept")


def test_an_instance_of_another_release_is_upgraded_and_keeps_its_data(tmp_path: Path) -> None:
    home = tmp_path / "instance"
    make_instance(distribution(tmp_path / "one", version="26.6.4"), home)
    (home / "data").mkdir()
    (home / "data" / "database").write_text("kept")
    assert version_of(home) == "26.6.4"
    assert not make_instance(distribution(tmp_path / "two"), home)
    assert (version_of(home), (home / "data" / "database").read_text()) == ("26.7.4", "kept")
    assert version_of(tmp_path / "nothing") == ""
