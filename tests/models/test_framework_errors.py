from __future__ import annotations

import pickle
from typing import Any

import pytest

from sparkcore.errors import ModelError, RunCancelledError, RunFailedError, WeightsError
from sparkcore.models.framework_errors import MACHINE_FAULTS, MODEL_FAULTS, REFUSALS, framework_errors


def raised(error: BaseException, refused: type[ModelError] = ModelError) -> BaseException:
    with pytest.raises(BaseException) as caught, framework_errors("model: doing this failed", refused):  # noqa: PT011
        raise error
    return caught.value


def operation_error(kind: str) -> Exception:
    import tensorflow as tf

    error: Exception = getattr(tf.errors, kind)(None, None, "shapes differ.\nmore")
    return error


def test_every_error_of_tensorflow_is_mapped():
    import tensorflow as tf

    def is_operation_error(value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, tf.errors.OpError) and value is not tf.errors.OpError

    known = {name for name, value in vars(tf.errors).items() if is_operation_error(value)}
    assert known == {*MODEL_FAULTS, *MACHINE_FAULTS}
    assert not set(MODEL_FAULTS) & set(MACHINE_FAULTS)


@pytest.mark.parametrize("kind", MODEL_FAULTS)
def test_faults_of_the_model(kind: str):
    error = raised(operation_error(kind))
    assert type(error) is ModelError
    assert str(error) == f"model: doing this failed: {kind}: shapes differ."
    assert isinstance(raised(operation_error(kind), WeightsError), WeightsError)


@pytest.mark.parametrize("kind", MACHINE_FAULTS)
def test_faults_of_the_machine(kind: str):
    assert type(raised(operation_error(kind), WeightsError)) is RunFailedError


def test_lack_of_memory_says_what_to_do():
    assert str(raised(operation_error("ResourceExhaustedError"))).endswith("Use a smaller batch size.")
    assert type(raised(MemoryError())) is RunFailedError


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_of_python(kind: type[Exception]):
    error = raised(kind("no"), WeightsError)
    assert type(error) is WeightsError
    assert isinstance(error.__cause__, kind)
    assert pickle.loads(pickle.dumps(error)).args == error.args


def test_what_nobody_expects_and_what_is_ours_pass():
    for error in (ZeroDivisionError("x"), RunCancelledError("x"), KeyboardInterrupt()):
        assert raised(error) is error
