from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sparkcore.config import EngineConfig
from sparkcore.engine.masters import (
    check_master,
    chosen_master,
    executors_python,
    installed_settings,
    is_local_master,
    is_one_machine,
    session_settings,
    standalone_addresses,
)
from sparkcore.errors import ConfigError

ELSEWHERE = ["spark://host:7077", "spark://127.0.0.1:7077,host:7077", "yarn", "k8s://https://127.0.0.1:6443", "sc://h"]


@pytest.mark.parametrize(
    "master",
    [
        "local",
        "local[3]",
        "local[*]",
        "local[2,1]",
        "local[*, 2]",
        "local-cluster[2,1,1024]",
        *ELSEWHERE,
        "sc://h:1/;x=y",
    ],
)
def test_masters_that_spark_knows(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADOOP_CONF_DIR", "/etc/hadoop")
    check_master(EngineConfig(master=master))


@pytest.mark.parametrize(
    "master",
    ["lokal", "local[]", "local[0]", "spark:host", "spark://host", "yarn-client", "mesos://h", "sc:/h;token=secret"],
)
def test_a_master_that_spark_does_not_know(master: str) -> None:
    with pytest.raises(ConfigError, match=r"master: expected one of local, .*, received") as told:
        check_master(EngineConfig(master=master))
    assert "secret" not in str(told.value)


def test_yarn_needs_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="yarn needs HADOOP_CONF_DIR or YARN_CONF_DIR"):
        check_master(EngineConfig(master="yarn"))


def test_a_connect_server_takes_settings_of_a_session_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (("spark.sql.shuffle.partitions", "3"), ("spark.executor.memory", "4g"))
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    with pytest.raises(ConfigError, match=r"received spark\.executor\.memory\. The server runs already"):
        check_master(EngineConfig(spark_conf=settings))
    check_master(EngineConfig(master="local[1]", spark_conf=settings))
    check_master(EngineConfig(spark_conf=settings[:1]))


@pytest.mark.parametrize(
    ("master", "chosen"),
    [
        ("local", "local[1,4]"),
        ("local[*]", "local[*,4]"),
        ("local[2]", "local[2,4]"),
        ("local[2,1]", "local[2,1]"),
        *((other, other) for other in ["local-cluster[2,1,1024]", *ELSEWHERE]),
    ],
)
def test_local_tasks_have_second_attempts(master: str, chosen: str) -> None:
    assert chosen_master(EngineConfig(master=master), {}) == chosen


def test_the_order_of_those_who_name_a_master(monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = {"spark.master": "spark://submit:1"}
    assert chosen_master(EngineConfig(), {}) == "local[*,4]"
    assert chosen_master(EngineConfig(), submitted) == "spark://submit:1"
    monkeypatch.setenv("SPARK_REMOTE", "sc://environment")
    assert chosen_master(EngineConfig(), submitted) == "sc://environment"
    assert chosen_master(EngineConfig(master="yarn"), submitted) == "yarn"


def test_where_the_workers_are() -> None:
    assert [one for one in ["local[2,4]", "local", "local-cluster[2,1,1024]", *ELSEWHERE] if is_local_master(one)] == [
        "local[2,4]", "local",
    ]  # fmt: skip
    here = ["local[*,4]", "local-cluster[2,1,1024]", "spark://127.0.0.1:7077", "spark://localhost:1,localhost:2"]
    assert all(map(is_one_machine, [*here, "spark://[::1]:7077"]))
    assert not any(map(is_one_machine, ELSEWHERE))
    assert standalone_addresses("spark://a:1,b:2") == [("a", 1), ("b", 2)]
    assert standalone_addresses("k8s://https://a:1") == []


@pytest.mark.parametrize(
    "master", ["local[2,4]", "local-cluster[2,1,1024]", "spark://host:1", "yarn", "k8s://https://h:1"]
)
def test_every_driver_of_ours_is_fair_and_ends_cancelled_tasks(master: str) -> None:
    settings = session_settings(EngineConfig(), master, {})
    assert settings["spark.scheduler.mode"] == "FAIR"
    assert settings["spark.python.task.killTimeout"] == "500ms"
    assert not [name for name in settings if "speculation" in name]


def test_who_wins_about_a_setting() -> None:
    asked = (
        ("spark.driver.memory", "5g"),
        ("spark.executorEnv.KEY", "a=b"),
        ("spark.driver.extraJavaOptions", "-Da=b"),
    )
    installed = {"spark.scheduler.mode": "FIFO", "spark.sql.session.timeZone": "CET", "spark.driver.memory": "3g"}
    settings = session_settings(EngineConfig(spark_conf=asked), "local[2,4]", installed, "-Xshare:auto")
    assert settings["spark.driver.memory"] == "5g"
    assert settings["spark.executorEnv.KEY"] == "a=b"
    assert settings["spark.driver.extraJavaOptions"].endswith("log4j2.properties -Xshare:auto -Da=b")
    assert "spark.scheduler.mode" not in settings
    assert settings["spark.sql.session.timeZone"] == "UTC"
    assert "spark.driver.memory" not in session_settings(EngineConfig(), "local[2,4]", installed)
    berlin = EngineConfig(spark_conf=(("spark.sql.session.timeZone", "Europe/Berlin"),))
    assert session_settings(berlin, "yarn", installed)["spark.sql.session.timeZone"] == "Europe/Berlin"


def test_a_connect_server_gets_settings_of_its_session() -> None:
    assert all(name.startswith("spark.sql.") for name in session_settings(EngineConfig(), "sc://host", {}))


def test_the_python_of_the_executors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    here = ["local[2,4]", "local-cluster[2,1,1024]", "spark://127.0.0.1:7077"]
    assert {executors_python(master, {}) for master in here} == {sys.executable}
    assert {executors_python(master, {}) for master in ELSEWHERE} == {"python3"}
    monkeypatch.setenv("PYSPARK_PYTHON", "/users")
    assert {executors_python(master, {}) for master in [*here, *ELSEWHERE]} == {"/users"}
    assert executors_python("local[1]", {"spark.pyspark.python": "/named"}) == "/named"


def test_settings_of_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    text = "# a comment\n\nspark.executor.memory   2g\nspark.pyspark.python=/opt/python \nspark.a.b: c d\nspark.empty\n"
    (tmp_path / "conf" / "spark-defaults.conf").write_text(text)
    expected = {"spark.executor.memory": "2g", "spark.pyspark.python": "/opt/python", "spark.a.b": "c d"}
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert installed_settings() == expected
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert installed_settings() == {}
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))
    assert installed_settings() == expected


def test_the_driver_of_a_cluster_compiles_little_and_keeps_its_own_collector_and_log() -> None:
    settings = session_settings(EngineConfig(), "spark://host:7077", {}, "-Xshare:auto")
    assert settings["spark.driver.extraJavaOptions"] == "-XX:TieredStopAtLevel=1 -Xshare:auto"
