"""The whole recipe on a handful of generated pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sparkcore.models.tinynet import build_tinynet
from tests.training.generated_data import write_splits
from training.batches import TrainingSet, batch_rows, load_training_set, target_probabilities
from training.checkpoint import Progress, load_checkpoint
from training.export import calibrate, write_weights
from training.network import build_trainable
from training.optimizer import Optimizer
from training.recalibrate import recalibrate
from training.recipe import Recipe, read_recipe, write_recipe
from training.train import train

RECIPE = Recipe(
    steps=6, batch_size=12, holdout=3, sizes=((0.0, 32), (0.5, 48)), checkpoint_s=0.0, color_strength=0.1, seed=3
)


@pytest.fixture
def data(tmp_path: Path) -> TrainingSet:
    write_splits(tmp_path, images_per_class=13)
    return load_training_set(tmp_path, tmp_path / "cache", RECIPE)


def test_an_epoch_sees_every_image_once(data: TrainingSet):
    seen = np.concatenate([batch_rows(data, RECIPE, step) for step in range(3)])
    assert sorted(seen) == data.rows.tolist()
    assert sorted(np.concatenate([batch_rows(data, RECIPE, step) for step in range(3, 6)])) == data.rows.tolist()


def test_targets_mix_the_label_and_the_teacher(data: TrainingSet):
    teacher = np.full((39, 200), -30.0, np.float16)
    teacher[:, 7] = 0.0
    recipe = replace(RECIPE, teacher_share=0.25, label_smoothing=0.0)
    (targets,) = target_probabilities(replace(data, teacher=teacher), np.array([1]), recipe)
    expected = np.zeros(200)
    expected[[1, 7]] = 0.75, 0.25
    np.testing.assert_allclose(targets, expected, atol=1e-6)


def test_recipe_is_read_as_it_was_written(tmp_path: Path):
    write_recipe(RECIPE, tmp_path)
    assert read_recipe(tmp_path) == RECIPE


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_weights(
    data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    through, stopped = tmp_path / "through", tmp_path / "stopped"
    through.mkdir()
    stopped.mkdir()
    expected = train(data, RECIPE, through)
    monkeypatch.setattr("training.train.report", _stop_at(3))
    with pytest.raises(KeyboardInterrupt):
        train(data, RECIPE, stopped)
    monkeypatch.setattr("training.train.report", lambda *_: None)
    resumed = train(data, RECIPE, stopped)
    for received, wanted in zip(resumed.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(received, wanted, rtol=1e-3, atol=1e-4)
    progress = load_checkpoint(stopped, resumed, Optimizer(resumed, RECIPE))
    assert (progress.step, progress.share) == (6, 1.0)


@pytest.mark.slow
def test_training_learns_and_the_exported_model_gives_the_same_probabilities(
    data: TrainingSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    recipe = replace(RECIPE, steps=30, checkpoint_s=1e9)
    model = train(data, recipe, tmp_path)
    assert "step 30 share 1.000" in capsys.readouterr().out
    calibration = calibrate(model, data)
    write_weights(model, calibration.temperature, tmp_path / "weights.npz")
    pixels = data.images.images[:12].astype(np.float32)
    logits = model.predict(pixels, verbose=0) / calibration.temperature
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    received = build_tinynet(tmp_path / "weights.npz").predict(pixels, verbose=0)
    np.testing.assert_allclose(received, expected, atol=5e-3)
    assert (received.argmax(axis=1) == data.images.labels[:12]).mean() >= 0.75


@pytest.mark.slow
def test_recalibration_takes_the_statistics_of_whole_images(data: TrainingSet):
    model = build_trainable(0)
    trained = [variable.numpy() for variable in model.trainable_variables]
    recalibrate(model, data, seed=0)
    stem = model.get_layer("stem")(model.get_layer("scale")(data.images.images[data.rows].astype(np.float32))).numpy()
    norm = model.get_layer("stem_norm")
    np.testing.assert_allclose(norm.moving_mean.numpy(), stem.mean(axis=(0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(norm.moving_variance.numpy(), stem.var(axis=(0, 1, 2)), rtol=1e-3, atol=1e-5)
    for before, variable in zip(trained, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())


@pytest.mark.slow
def test_kernels_keep_their_norm_and_turn_at_the_given_rate():
    import tensorflow as tf

    model = build_trainable(0)
    optimizer = Optimizer(model, RECIPE)
    kernels = [v for v in model.trainable_variables if len(v.shape) == 4]
    gradients = [tf.random.stateless_normal(v.shape, (1, 2)) for v in model.trainable_variables]
    optimizer.apply(gradients, tf.constant(1.0))
    before = [kernel.numpy() for kernel in kernels]
    optimizer.apply(gradients, tf.constant(1.0))
    for kernel, old in zip(kernels, before, strict=True):
        assert np.linalg.norm(kernel.numpy()) == pytest.approx(np.sqrt(kernel.shape[-1]), rel=1e-4)
        turned = np.linalg.norm(kernel.numpy() - old) / np.linalg.norm(old)
        assert turned == pytest.approx(RECIPE.kernel_rate, rel=0.2)


def _stop_at(step: int) -> Callable[..., None]:
    def report(*arguments: object) -> None:
        if any(isinstance(argument, Progress) and argument.step == step for argument in arguments):
            raise KeyboardInterrupt

    return report
