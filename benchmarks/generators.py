"""Which load generator measures: `wrk` where it is installed, else our own; both send the same prepared requests."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load import SEPARATOR, Measurement
from benchmarks.processors import Processors, pinned
from benchmarks.servers import Server

CONNECTIONS: Final = 4
_REPOSITORY: Final = Path(__file__).parent.parent

_WRK_SCRIPT: Final = r"""
local requests, position = {}, 0
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local content, start = file:read("*a"), 1
  file:close()
  while true do
    local stop = string.find(content, "\0", start, true)
    requests[#requests + 1] = string.sub(content, start, stop and stop - 1 or #content)
    if not stop then break end
    start = stop + 1
  end
end
function request()
  position = position % #requests + 1
  return requests[position]
end
function done(summary, latency)
  local errors = summary.errors
  local refused = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\n{"per_second": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "busy": 0}\n',
    (summary.requests - errors.status) / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, refused))
end
"""


@dataclass(frozen=True, slots=True)
class Generator:
    """A load generator; `wrk` is the path of that program, None for our own."""

    wrk: str | None
    processors: Processors
    directory: Path

    def name(self) -> str:
        """Return what measures, for the report."""
        return "wrk" if self.wrk else "own load generator (benchmarks/load.py; wrk is not installed)"

    def measure(self, server: Server, requests: list[bytes], seconds: float) -> Measurement:
        """Load a server with requests, again and again in their order.

        Raises:
            RuntimeError: the generator failed; its own words are on stderr.
        """
        listed = self.directory / "requests"
        listed.write_bytes(SEPARATOR.join(requests))
        command = self._wrk(server, listed, seconds) if self.wrk else _own(server, listed, seconds)
        with pinned(self.processors.generator):
            done = subprocess.run(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the load generator failed on {server.name}")
        found = Measurement(**json.loads(done.stdout.strip().splitlines()[-1]))
        if found.refused:
            raise RuntimeError(f"{server.name} refused {found.refused} requests")
        return found

    def _wrk(self, server: Server, listed: Path, seconds: float) -> list[str]:
        assert self.wrk is not None
        script = self.directory / "requests.lua"
        script.write_text(_WRK_SCRIPT, encoding="utf-8")
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        return [self.wrk, *options, f"http://127.0.0.1:{server.port}/", "--", str(listed)]


def _own(server: Server, listed: Path, seconds: float) -> list[str]:
    numbers = ["--port", str(server.port), "--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    return [sys.executable, "-m", "benchmarks.load", *numbers, "--requests", str(listed)]


def choose_generator(processors: Processors, directory: Path) -> Generator:
    """Return `wrk` where it is installed, else our own load generator."""
    return Generator(shutil.which("wrk"), processors, directory)
