from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import ConfigError
from sparkcore.runs import state
from sparkcore.runs.state import is_on_network, state_folder
from sparkcore.runs.store import RunStore

S3 = "s3://bucket/a b/runs"


@pytest.fixture(autouse=True)
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a mount table with a network file system at `tmp_path/net work`."""
    network = str(tmp_path / "net work").replace(" ", "\\040")
    table = tmp_path / "mounts"
    table.write_text(
        f"/dev/vda / ext4 rw 0 0\nhost:/export {network} nfs4 rw 0 0\n/dev/vdb {network}/disk ext4 rw 0 0\n"
    )
    monkeypatch.setattr(state, "_MOUNTS", table)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("SPARKCORE_STATE", raising=False)
    return table


def test_a_local_store_has_its_state_inside(tmp_path: Path) -> None:
    assert state_folder(str(tmp_path / "store")) == tmp_path / "store"
    assert RunStore(tmp_path / "store").jobs_path == tmp_path / "store" / "jobs.sqlite"
    assert list(tmp_path.iterdir()) == [tmp_path / "mounts"]


def test_any_other_store_has_its_state_in_the_data_folder(tmp_path: Path) -> None:
    assert state_folder(S3) == tmp_path / "data" / "sparkcore" / "runs-675f7c3c"
    assert state_folder(f"{S3}2").name.startswith("runs2-")
    on_network = str(tmp_path / "net work" / "store")
    assert state_folder(on_network).parent == tmp_path / "data" / "sparkcore"
    assert state_folder(str(tmp_path / "net work" / "disk" / "store")) == tmp_path / "net work" / "disk" / "store"


def test_without_a_data_folder_it_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder(S3).parent == tmp_path / ".local" / "share" / "sparkcore"


def test_a_given_folder_counts_first_and_the_environment_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKCORE_STATE", str(tmp_path / "environment"))
    for store in (S3, str(tmp_path / "store")):
        assert state_folder(store, tmp_path / "given") == tmp_path / "given"
        assert state_folder(store) == tmp_path / "environment"


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="which is on a network file system"):
        state_folder(S3, tmp_path / "net work" / "state")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "net work"))
    with pytest.raises(ConfigError, match="Name another folder with --state or SPARKCORE_STATE"):
        state_folder(S3)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "net work")
    assert is_on_network(tmp_path / "link" / "new")
    assert not is_on_network(tmp_path)


def test_without_a_mount_table_everything_is_local(mounts: Path, tmp_path: Path) -> None:
    mounts.unlink()
    assert not is_on_network(tmp_path / "net work")
