"""Masters that are not there: one clear line, and soon."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.engine.test_session import refusal
from tests.storage.s3_server import free_ports

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.mark.parametrize(
    ("master", "settings", "told"),
    [
        ("spark://127.0.0.1:{}", {}, r"No Spark master answers at spark://127\.0\.0\.1:\d+: connection refused\."),
        ("sc://127.0.0.1:{}", {}, r"No Spark Connect server answers at sc://127\.0\.0\.1:\d+: connection refused\."),
        (
            "k8s://https://127.0.0.1:{}",
            {"spark.kubernetes.container.image": "x"},
            r"Spark could not be started on k8s://https://127\.0\.0\.1:\d+: Connection refused: .*127\.0\.0\.1:\d+\. See ",
        ),
        ("yarn", {}, r"Spark could not be started on yarn: Call .* failed .*Connection refused.* See "),
    ],
)
def test_nobody_is_there(tmp_path: Path, port: int, master: str, settings: dict[str, str], told: str) -> None:
    value = f"<value>127.0.0.1:{port}</value>"
    site = f"<configuration><property><name>yarn.resourcemanager.address</name>{value}</property></configuration>"
    (tmp_path / "yarn-site.xml").write_text(site)
    begun = time.monotonic()
    said = refusal(tmp_path / "store", master.format(port), settings, HADOOP_CONF_DIR=str(tmp_path))
    assert re.match(f"EngineError: {told}", said), said
    assert len(said.splitlines()) == 1
    print(master, round(time.monotonic() - begun, 1))
