from __future__ import annotations

import pickle

from sparkcore.errors import RequestError, WeightsError, shell_text


def test_advice_for_the_shell_is_apart_from_the_message():
    error = WeightsError("weights: expected a file, received none.", shell="--weights PATH gives a file.")
    assert str(error) == "weights: expected a file, received none."
    assert shell_text(error) == "weights: expected a file, received none. --weights PATH gives a file."
    assert shell_text(RequestError("Expected a run.")) == "Expected a run."


def test_the_advice_crosses_processes():
    error = pickle.loads(pickle.dumps(WeightsError("No weights.", shell="--weights PATH")))
    assert (type(error), str(error), error.shell) == (WeightsError, "No weights.", "--weights PATH")
