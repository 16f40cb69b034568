"""What the mixed benchmark says, and when it fails; that it measures is seen where two processes are under load."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmarks import mixed
from benchmarks.load import Measurement


@pytest.mark.parametrize(("refused", "status"), [(0, 0), (1, 1)])
@pytest.mark.parametrize("where", ["reads", "writes"])
def test_one_refused_request_fails_the_benchmark(monkeypatch, where, refused, status):
    found = {
        name: Measurement(1234.5, 1.25, 20.5, refused if name == where else 0, 0.5) for name in ("reads", "writes")
    }
    monkeypatch.setattr(mixed, "measured", lambda **_: mixed.Mixed(**found))
    done = CliRunner().invoke(mixed.main, ["--seconds", "1"])
    assert done.exit_code == status
    reads, writes = done.output.splitlines()
    assert reads.split()[:2] == ["reads", "1,234/s"]
    assert {"20.5", str(found["writes"].refused)} <= set(writes.split())


def test_a_load_generator_that_fails_ends_the_benchmark(tmp_path):
    process = mixed._started(1, tmp_path / "requests", [b"x"], 1, 0.1)
    with pytest.raises(RuntimeError, match="exit status 1"):
        mixed._ended(process, 0.1)
