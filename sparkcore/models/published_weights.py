"""Where the published ImageNet weights of each model are: on Keras's server, or in a Python package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urljoin

SERVER = "https://storage.googleapis.com/tensorflow/keras-applications/"
TF = "_weights_tf_dim_ordering_tf_kernels.h5"


@dataclass(frozen=True, slots=True)
class KerasWeights:
    """A file on Keras's server; once downloaded, it is in the Keras cache under `file_name`.

    `checksum` is md5 or sha256 in hex, as Keras states it (None: Keras states none).
    """

    file_name: str
    url: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """A file with this suffix in an installed Python package."""

    package: str
    suffix: str

    def find(self) -> Path | None:
        """Return the path of the file, None where the package is not installed or incomplete."""
        try:
            files = metadata.files(self.package) or []
        except metadata.PackageNotFoundError:
            return None
        paths = (Path(str(file.locate())) for file in files if file.suffix == self.suffix)
        return next((path for path in paths if path.is_file()), None)


def _keras(path: str, checksum: str | None, file_name: str | None = None) -> KerasWeights:
    return KerasWeights(file_name or path.rsplit("/", 1)[-1], urljoin(SERVER, path), checksum)


KERAS_WEIGHTS = {
    "resnet50": _keras("resnet/resnet50" + TF, "2cb95161c43110f7111970584f804107"),
    "resnet101": _keras("resnet/resnet101" + TF, "f1aeb4b969a6efcfb50fad2f0c20cfc5"),
    "resnet152": _keras("resnet/resnet152" + TF, "100835be76be38e30d865e96f2aaae62"),
    "resnet50_v2": _keras("resnet/resnet50v2" + TF, "3ef43a0b657b3be2300d5770ece849e0"),
    "resnet101_v2": _keras("resnet/resnet101v2" + TF, "6343647c601c52e1368623803854d971"),
    "resnet152_v2": _keras("resnet/resnet152v2" + TF, "a49b44d1979771252814e80f8ec446f9"),
    "vgg16": _keras("vgg16/vgg16" + TF, "64373286793e3c8b2b4e3219cbf3544b"),
    "vgg19": _keras("vgg19/vgg19" + TF, "cbe5617147190e668d6c5d5026f83318"),
    "xception": _keras("xception/xception" + TF, "0a58e3b7378bc2990ea3b43d5981f1f6"),
    "inception_v3": _keras("inception_v3/inception_v3" + TF, "9a0d58056eeedaa3f26cb7ebd46da564"),
    "inception_resnet_v2": _keras("inception_resnet_v2/inception_resnet_v2" + TF, "e693bd0210a403b3192acc6073ad2e96"),
    "mobilenet": _keras("mobilenet/mobilenet_1_0_224_tf.h5", None),
    "mobilenet_v2": _keras("mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5", None),
    "mobilenet_v3_small": _keras(
        "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5", "8768d4c2e7dee89b9d02b2d03d65d862"
    ),
    "mobilenet_v3_large": _keras(
        "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5", "59e551e166be033d707958cf9e29a6a7"
    ),
    "densenet121": _keras("densenet/densenet121" + TF, "9d60b8095a5708f2dcce2bca79d332c7"),
    "densenet169": _keras("densenet/densenet169" + TF, "d699b8f76981ab1b30698df4c175e90b"),
    "densenet201": _keras("densenet/densenet201" + TF, "1ceb130c1ea1b78c3bf6114dbdfd8807"),
    "nasnet_mobile": _keras("nasnet/NASNet-mobile.h5", "020fb642bf7360b370c678b08e0adf61", "nasnet_mobile.h5"),
    "nasnet_large": _keras("nasnet/NASNet-large.h5", "11577c9a518f0070763c2b964a382f17", "nasnet_large.h5"),
    "efficientnet_b0": _keras("../../keras-applications/efficientnetb0.h5", "902e53a9f72be733fc0bcb005b3ebbac"),
    "efficientnet_b1": _keras("../../keras-applications/efficientnetb1.h5", "1d254153d4ab51201f1646940f018540"),
    "efficientnet_b2": _keras("../../keras-applications/efficientnetb2.h5", "b15cce36ff4dcbd00b6dd88e7857a6ad"),
    "efficientnet_b3": _keras("../../keras-applications/efficientnetb3.h5", "ffd1fdc53d0ce67064dc6a9c7960ede0"),
    "efficientnet_b4": _keras("../../keras-applications/efficientnetb4.h5", "18c95ad55216b8f92d7e70b3a046e2fc"),
    "efficientnet_b5": _keras("../../keras-applications/efficientnetb5.h5", "ace28f2a6363774853a83a0b21b9421a"),
    "efficientnet_b6": _keras("../../keras-applications/efficientnetb6.h5", "165f6e37dce68623721b423839de8be5"),
    "efficientnet_b7": _keras("../../keras-applications/efficientnetb7.h5", "8c03f828fec3ef71311cd463b6759d99"),
    "efficientnet_v2_b0": _keras("efficientnet_v2/efficientnetv2-b0.h5", "21ecbf6da12460d5c40bb2f29ceb2188"),
    "efficientnet_v2_b1": _keras("efficientnet_v2/efficientnetv2-b1.h5", "069f0534ff22adf035c89e2d9547a9dc"),
    "efficientnet_v2_b2": _keras("efficientnet_v2/efficientnetv2-b2.h5", "424e49f28180edbde1e94797771950a7"),
    "efficientnet_v2_b3": _keras("efficientnet_v2/efficientnetv2-b3.h5", "1f1fc43bd98a6e4fd8fdfd551e02c7a0"),
    "efficientnet_v2_s": _keras("efficientnet_v2/efficientnetv2-s.h5", "e1d88a8495beba45748fedd0cecbe016"),
    "efficientnet_v2_m": _keras("efficientnet_v2/efficientnetv2-m.h5", "a3bf6aa3276309f4fc6a34aa114c95cd"),
    "efficientnet_v2_l": _keras("efficientnet_v2/efficientnetv2-l.h5", "27e6d408b53c7ebc868fefa357689935"),
    "convnext_tiny": _keras(
        "convnext/convnext_tiny.h5", "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff"
    ),
    "convnext_small": _keras(
        "convnext/convnext_small.h5", "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c"
    ),
    "convnext_base": _keras(
        "convnext/convnext_base.h5", "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6"
    ),
    "convnext_large": _keras(
        "convnext/convnext_large.h5", "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6"
    ),
    "convnext_xlarge": _keras(
        "convnext/convnext_xlarge.h5", "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee"
    ),
}
