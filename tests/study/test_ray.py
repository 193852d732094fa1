"""A study on a Ray cluster of several nodes on this machine, one of which is killed half-way."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import painters
from gramarye import cluster as clusters
from gramarye import demo
from gramarye.errors import SettingsError
from gramarye.presets import preset
from gramarye.study import on_ray
from gramarye.study.record import Pair
from gramarye.study.work import PAINTING, Job

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gramarye[ray]' (270 MB)")
# Ray leaves sockets and files to the interpreter, and warns of its own future.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Two nodes of one processor each beside a head that paints nothing; loopback only, no dashboard."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(Path(painters.__file__).parent))
    monkeypatch.setenv(painters.LOG, str(tmp_path / "log"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": clusters.LOOPBACK}
        made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    ray.shutdown()
    made.shutdown()


def job_for(tmp_path: Path, count: int, painter: str) -> Job:
    job = Job(str(tmp_path / "store"), None, "x", painter=f"painters:{painter}")
    job.open().add("x", painters.trials(count), {"ssim": "higher"})
    return job


def begun(tmp_path: Path) -> Counter[int]:
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    return Counter(int(number) for word, number, _ in lines if word == "begin")


def test_a_node_is_killed_half_way(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "0.5")
    nodes = [cluster.add_node(num_cpus=1, node_ip_address=f"127.0.0.{part}") for part in (3, 4)]
    job = job_for(tmp_path, 12, "quick")
    kept, killed = job.open(), False
    for _ in on_ray.run(job, cluster.address):
        summary = kept.summary("x")
        if not killed and summary.counts["done"] >= 4 and summary.counts["running"] == 2:
            cluster.remove_node(nodes[0], allow_graceful=False)
            killed = True
    assert killed
    records = kept.records("x")
    assert [record.state for record in records] == ["done"] * 12
    assert [record.scores for record in records] == [painters.outcome(record.trial).scores for record in records]
    redone = {number: count for number, count in begun(tmp_path).items() if count > 1}
    assert len(redone) <= 1
    assert set(redone.values()) <= {2}
    assert sum(record.tries for record in records) <= 13


def test_what_fails_and_what_kills_its_worker(cluster: Any, tmp_path: Path) -> None:
    cluster.add_node(num_cpus=2, node_ip_address="127.0.0.3")
    job = job_for(tmp_path, 4, "bad")
    for _ in on_ray.run(job, cluster.address):
        pass
    records = job.open().records("x")
    assert [record.state for record in records] == ["done", "set aside", "done", "done"]
    assert records[1].error == "a picture must be a file that can be read; got a.jpg"
    assert records[2].tries == 2
    job = Job(job.store, None, "y", painter="painters:poison")
    job.open().add("y", painters.trials(3))
    for _ in on_ray.run(job, cluster.address):
        pass
    records = job.open().records("y")
    assert [record.state for record in records] == ["done", "set aside", "done"]
    assert "its worker ended without a word" in records[1].error


def test_ending_gives_trials_back(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(painters.SECONDS, "60")
    cluster.add_node(num_cpus=2, node_ip_address="127.0.0.3")
    job = job_for(tmp_path, 3, "quick")
    going = on_ray.run(job, cluster.address)
    for _ in going:
        if job.open().summary("x").counts["running"] == 2:
            break
    going.close()
    assert [(each.state, each.tries) for each in job.open().records("x")] == [("waiting", 0)] * 3


def test_a_real_painting_on_a_cluster_of_its_own(tmp_path: Path) -> None:
    settings = preset("default").with_(size=48, steps=4, **{"network.name": "vgg19-lite"})
    pair = Pair("demo", str(demo.photograph()), str(demo.styles()[0]))
    trial = replace(painters.trial(0), pair=pair, settings=settings, levels={})
    job = Job(str(tmp_path / "store"), None, "x", painter=PAINTING)
    job.open().add("x", [trial])
    for _ in on_ray.run(job, "auto"):
        pass
    record = job.open().records("x")[0]
    assert record.state == "done", record.error
    assert record.scores
    assert not ray.is_initialized()


def test_no_cluster_there_is_told(tmp_path: Path) -> None:
    job = job_for(tmp_path, 1, "quick")
    for address in ("127.0.0.2:1", "nonsense", "ray://127.0.0.2:1"):
        with pytest.raises(SettingsError, match="Ray cluster must answer"):
            next(on_ray.run(job, address))
    assert job.open().summary("x").counts["waiting"] == 1
