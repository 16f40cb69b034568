"""What the tests of the administrator's side share: servers of a tiny application, and a clean environment."""

import os
import subprocess
import sys
import textwrap
import time

import pytest
import requests

PROGRAM = textwrap.dedent(
    """
    import os, sys, time
    from contextlib import closing
    from pathlib import Path
    from odata_server.admin.first_start import prepare_authority
    from odata_server.admin.serving import Program, serve
    from odata_server.engine.authority_store import open_authority_database
    from odata_server.engine.places import storage_place
    from odata_server.settings import Settings

    data, port, workers, scheme, storage = sys.argv[1:]

    def build(settings):
        if "BROKEN" in os.environ:
            raise RuntimeError("no application")
        def application(environ, start_response):
            path = environ["PATH_INFO"]
            if path == "/slow":
                Path(data, "slow-began").touch()
                time.sleep(1)
            if path == "/die":
                os._exit(3)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        return application

    def prepare(settings, known):
        with closing(open_authority_database(storage_place(settings).authority())) as database:
            return prepare_authority(settings, database, known, "the-organization")[1]

    settings = Settings(Path(data), Path(data), port=int(port), workers=int(workers), plain_http=scheme == "http",
                        in_memory=storage == "memory")
    try:
        status = serve(settings, Program(prepare, build), lambda url: print("ready", url, flush=True))
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)
    """
)


class Running:
    """A server process; `url` is empty when it did not become ready."""

    def __init__(self, data, *, port=0, workers=1, scheme="https", storage="files", **environ):
        self.data = data
        arguments = [str(data), str(port), str(workers), scheme, storage]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
        )
        self.url = self.process.stdout.readline().removeprefix("ready ").strip()

    def get(self, path):
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                self.url + path, verify=str(self.data / "certificates" / "ca-bundle.pem"), timeout=10
            ).text

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self):
        """Wait for the end; return exit status, the rest of standard output, and standard error."""
        output, error = self.process.communicate(timeout=20)
        return self.process.returncode, output, error


@pytest.fixture
def start(tmp_path):
    """Start servers; those that still run at the end of the test are stopped."""
    started = []

    def begin(data=tmp_path / "data", **options):
        started.append(Running(data, **options))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.process.terminate()
        server.process.communicate()


@pytest.fixture
def eventually():
    """Wait until a condition holds; fail after five seconds."""

    def wait_for(condition):
        until = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < until, "the condition did not come to hold"
            time.sleep(0.02)

    return wait_for


@pytest.fixture
def clean(monkeypatch, tmp_path):
    """Be in an empty directory, without variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TALENTVERSE_")]:
        monkeypatch.delenv(name)
    return tmp_path
