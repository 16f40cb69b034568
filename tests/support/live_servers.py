"""A live server over TLS with sample data, clients with MSAL tokens, and the real commands as subprocesses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msal
import requests
from databases import url_of_data

SCRIPTS = Path(sys.executable).parent


def plain_environment() -> dict[str, str]:
    """Return the variables of a shell that knows nothing of a server."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in kept if name in os.environ}


@dataclass(frozen=True)
class Server:
    """A running `talentverse serve`."""

    process: subprocess.Popen[str]
    data: Path
    environment: dict

    @property
    def url(self) -> str:
        return self.environment["url"]

    def token(self, client_id: str, client_secret: str) -> str:
        """Return a token as MSAL gets it: nothing set but the documented discovery switch."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self.environment["ca_bundle"]
        application = msal.ConfidentialClientApplication(
            client_id,
            client_credential=client_secret,
            authority=self.environment["authority"],
            instance_discovery=False,
            http_client=session,
        )
        answer = application.acquire_token_for_client([f"{self.url}/.default"])
        session.close()
        return answer["access_token"]

    def client(self, application: str) -> Client:
        """Return a client of one of the applications of environment.json."""
        names = self.environment[application]
        return Client(self, self.token(names["client_id"], names["client_secret"]))

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands against this server."""
        return subprocess.run(
            [SCRIPTS / command, *arguments, "--data", self.data],
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the administrator's script."""
        return self.run("talentverse", "setup", "talent-hub", *arguments)

    def export(self, *candidates: dict) -> subprocess.CompletedProcess[str]:
        """Export candidates with the adapter."""
        path = self.data / "candidates.json"
        path.write_text(json.dumps(list(candidates)), "utf-8")
        return self.run("talent-hub-adapter", "export", "--file", str(path))

    def reset(self) -> None:
        """Put the data back to the state of the first start."""
        headers = {"Authorization": f"TalentverseControl {self.environment['control_key']}"}
        answer = requests.post(
            f"{self.url}/_talentverse/reset", headers=headers, verify=self.environment["ca_bundle"], timeout=30
        )
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Client:
    """An application with its token."""

    server: Server
    token: str

    def send(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """Send one request; `path` is relative to the Web API unless it begins with a slash."""
        url = path if path.startswith("https:") else f"{self.server.url}{path}"
        if not path.startswith(("/", "https:")):
            url = f"{self.server.url}/api/data/v9.2/{path}"
        return requests.request(
            method,
            url,
            json=body,
            headers={"Authorization": f"Bearer {self.token}", **headers},
            verify=self.server.environment["ca_bundle"],
            timeout=60,
        )

    def get(self, path: str) -> dict:
        """Read, expecting 200."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str) -> list[dict]:
        """Read a collection."""
        return self.get(path)["value"]

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str, str]:
        """Send a request that is refused; return status, code and message."""
        answer = self.send(method, path, body)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]


def begin(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin to start a server."""
    url = None if {"--in-memory", "--database-url"} & set(arguments) else url_of_data(data)
    return subprocess.Popen(
        [SCRIPTS / "talentverse", "serve", "--port", "0", "--data", data, *arguments],
        env=plain_environment() | ({"TALENTVERSE_DATABASE_URL": url} if url else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(data: Path, *arguments: str) -> Server:
    """Start a server and wait for its ready line."""
    process = begin(data, *arguments)
    line = process.stdout.readline()
    if not line.startswith("Talentverse is ready at "):
        process.kill()
        raise AssertionError(f"{line}{process.communicate()[1]}")
    return Server(process, data, json.loads((data / "environment.json").read_text()))


def stop(server: Server) -> None:
    """Ask a server to end and check that it does so in order."""
    server.process.send_signal(signal.SIGTERM)
    _, errors = server.process.communicate(timeout=60)
    assert server.process.returncode == 0, errors
