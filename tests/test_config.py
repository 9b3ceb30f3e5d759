from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparkcore.config import EngineConfig, RunConfig, spark_setting
from sparkcore.errors import ConfigError


def test_a_request_survives_json() -> None:
    config = RunConfig(images="/a b", keep=("pixels", "scores"), sample=3, min_width=10, max_width=10, truth="folder")
    assert config.keep == ("scores", "pixels")
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"images": ""}, "images: expected a non-empty text, received ''"),
        ({"images": None}, "images: expected a non-empty text"),
        ({"reader": "png"}, "reader: expected one of bytes, image, received 'png'"),
        ({"resize": "fit"}, "resize: expected one of auto, stretch, crop, pad"),
        ({"interpolation": "cubic"}, "interpolation: expected one of"),
        ({"precision": "float16"}, "precision: expected one of float32, bfloat16"),
        ({"truth": "csv"}, "truth: expected one of"),
        ({"preprocess": "x"}, "preprocess: expected one of caffe, tf, torch, none"),
        ({"keep": ["bytes"]}, "keep: expected one of scores, resized, pixels"),
        ({"top_k": 0}, "top_k: expected a whole number of at least 1, received 0"),
        ({"top_k": True}, "top_k: expected a whole number"),
        ({"top_k": "5"}, "top_k: expected a whole number"),
        ({"seed": -1}, "seed: expected a whole number of at least 0"),
        ({"sample": 0}, "sample: expected a whole number"),
        ({"min_channels": 0}, "min_channels: expected a whole number"),
        ({"min_height": 5, "max_height": 4}, "min_height 5 is above max_height 4"),
        ({"colour": 1}, r"also received \['colour'\]"),
    ],
)
def test_invalid_values_say_what_was_expected(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig.from_dict({"images": "x", **setting})


def test_no_images() -> None:
    with pytest.raises(ConfigError, match="received nothing"):
        RunConfig.from_dict({})


def test_engine_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKCORE_STORE", "/s")
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    assert EngineConfig.from_environment() == EngineConfig(store="/s", master="sc://host")
    assert EngineConfig.from_environment(store="/t", master="local[1]").master == "local[1]"


@pytest.mark.parametrize(("value", "store"), [("~/x", Path.home() / "x"), ("", Path("runs-store").absolute())])
def test_the_store_of_the_environment_is_a_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, value: str, store: Path
) -> None:
    monkeypatch.setenv("SPARKCORE_STORE", value)
    assert EngineConfig.from_environment().store == str(store)


@pytest.mark.parametrize("setting", [{"batch_size": 0}, {"threads": 0}, {"bucket_size": -1}])
def test_invalid_engine(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        EngineConfig(**setting)


def test_settings_of_spark() -> None:
    settings = (spark_setting("spark.executorEnv.KEY=a=b "), spark_setting("spark.my.empty="))
    assert settings == (("spark.executorEnv.KEY", "a=b"), ("spark.my.empty", ""))
    engine = EngineConfig(spark_conf=[list(one) for one in settings])  # type: ignore[arg-type]
    assert engine.spark_conf == settings
    assert "a=b" not in repr(engine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spark.executor.memory", "expected KEY=VALUE, received 'spark.executor.memory' without a value"),
        ("spark.executor memory=2g", "expected KEY=VALUE with a key such as spark.executor.memory"),
        ("spark=2", "received 'spark'"),
        ("=x", "received something else"),
        ("my-secret", "received something else"),
        ("spark.master=yarn", "spark.master has an option of its own, --master"),
    ],
)
def test_a_wrong_setting_of_spark(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"spark-conf: {message}|spark-conf: .*{message}"):
        spark_setting(text)
    with pytest.raises(ConfigError, match="spark-conf"):
        EngineConfig(spark_conf=(("my-secret", "x"),))
