"""The data directory: its lock, its form, its secrets."""

import json
import stat
from contextlib import closing

import pytest

from odata_server.admin.data_directory import (
    DATA_FORMAT,
    DataDirectoryError,
    Secrets,
    locked_directory,
    read_secrets,
    write_secrets,
)
from odata_server.admin.first_start import prepare_authority
from odata_server.engine.authority_store import open_authority_database
from odata_server.engine.places import storage_place
from odata_server.settings import Settings


def test_secrets_survive_and_stay_private(tmp_path):
    assert read_secrets(tmp_path) == Secrets("", "", "")
    write_secrets(tmp_path, Secrets("key", "one", "two"))
    assert read_secrets(tmp_path) == Secrets("key", "one", "two")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_the_directory_is_free_again_after_its_user_let_go(tmp_path):
    for _ in range(2):
        with locked_directory(tmp_path / "data") as directory:
            assert directory.is_absolute()


def test_a_directory_in_use_is_refused_with_what_to_do(tmp_path):
    with (
        locked_directory(tmp_path),
        pytest.raises(DataDirectoryError, match=r"another server is running.*--data"),
        locked_directory(tmp_path),
    ):
        raise AssertionError("both hold the lock")


@pytest.mark.parametrize("found", [DATA_FORMAT + 1, "two"])
def test_data_of_a_newer_release_is_refused(tmp_path, found):
    (tmp_path / "secrets.json").write_text(json.dumps({"data_format": found}))
    with pytest.raises(DataDirectoryError, match="newer release"), locked_directory(tmp_path):
        raise AssertionError("the directory was opened")


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_damaged_secrets_are_not_replaced_by_new_ones(tmp_path, content):
    (tmp_path / "secrets.json").write_text(content)
    with pytest.raises(DataDirectoryError, match=r"secrets\.json"):
        read_secrets(tmp_path)


def test_a_path_that_is_no_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match="cannot be used"), locked_directory(tmp_path / "file"):
        raise AssertionError("a file was locked as a directory")


def prepared(settings, known):
    with closing(open_authority_database(storage_place(settings).authority())) as database:
        return prepare_authority(settings, database, known, "o")[1]


def test_client_secrets_stay_the_same_from_start_to_start(tmp_path):
    settings = Settings(tmp_path, tmp_path)
    first = prepared(settings, Secrets("", "", ""))
    known = Secrets("", first.admin_client_secret, first.adapter_client_secret)
    assert prepared(settings, known) == first


def test_an_application_whose_secret_was_lost_gets_a_new_one(tmp_path):
    settings = Settings(tmp_path, tmp_path)
    first = prepared(settings, Secrets("", "", ""))
    second = prepared(settings, Secrets("", first.admin_client_secret, "not the secret"))
    assert second.admin_client_secret == first.admin_client_secret
    assert second.adapter_client_secret not in {"not the secret", first.adapter_client_secret}
