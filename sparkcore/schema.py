"""The columns of a result table."""

from __future__ import annotations

import hashlib

import pyarrow as pa

SCHEMA_VERSION = 3

STATUS_OK = "ok"
STATUS_ERROR = "error"
STATUS_EXCLUDED = "excluded"  # left out by a size or channel filter; never among the results

# Stable names: scripts match on them.
ERROR_TYPES = {
    "empty": "the file is empty",
    "not_an_image": "the file is not in a supported image format",
    "truncated": "the image data end early",
    "corrupt": "the image data are damaged",
    "too_large": "more pixels or bytes than the safety limit",
    "too_slow": "reading and decoding took longer than the safety limit",
    "unsupported": "a kind of image that cannot be converted to RGB",
    "invalid": "Spark's image source could not decode it; Spark gives no reason",
    "vanished": "the file disappeared between listing and reading",
    "unreadable": "the file exists but the system refused to read it",
    "internal": "decoding crashed, or an error in this program",
}

TOP_TYPE = pa.list_(pa.struct([("class_id", pa.string()), ("label", pa.string()), ("score", pa.float32())]))

# Known before a file is opened.
SOURCE_FIELDS = [
    pa.field("image_id", pa.string()),
    pa.field("origin", pa.string()),
    pa.field("file_name", pa.string()),
    pa.field("size_bytes", pa.int64()),
    pa.field("modified_at", pa.timestamp("us", tz="UTC")),
    pa.field("version", pa.string()),  # the entity tag of an object, else the modification time in ns
]

# A listing is sorted by image_id, and each image_id is there once.
LISTING_SCHEMA = pa.schema([field for field in SOURCE_FIELDS if field.name != "file_name"])

# Added by decoding and by the model.
CLASSIFIED_FIELDS = [
    pa.field("format", pa.string()),
    pa.field("mode", pa.string()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("channels", pa.int32()),
    pa.field("status", pa.string()),
    pa.field("error_type", pa.string()),
    pa.field("error_message", pa.string()),
    pa.field("class_id", pa.string()),
    pa.field("label", pa.string()),
    pa.field("score", pa.float32()),
    pa.field("margin", pa.float32()),
    pa.field("entropy", pa.float32()),
    pa.field("top", TOP_TYPE),
    pa.field("truth", pa.string()),
    pa.field("content_hash", pa.string()),
    pa.field("perceptual_hash", pa.int64()),
    pa.field("brightness", pa.float32()),
    pa.field("contrast", pa.float32()),
    pa.field("sharpness", pa.float32()),
    pa.field("thumbnail", pa.binary()),
    pa.field("embedding", pa.binary()),  # float16 [n], of unit length
    pa.field("activation", pa.binary()),  # uint8 [k, height, width]
]

# Runs of earlier schemas lack these.
ADDED_IN_3 = ("content_hash", "perceptual_hash", "brightness", "contrast", "sharpness", "embedding", "activation")

# Optional columns.
KEEP_FIELDS = {
    "scores": pa.field("scores", pa.list_(pa.float32())),
    "resized": pa.field("resized", pa.binary()),
    "pixels": pa.field("pixels", pa.binary()),
}

# Where a row of the compacted columns has its thumbnail: the part's number in `files.parquet`, and its bytes there.
PLACE_FIELDS = [
    pa.field("part", pa.int32()),
    pa.field("row_group", pa.int32()),
    pa.field("thumbnail_start", pa.int64()),
    pa.field("thumbnail_bytes", pa.int32()),
]
HEAVY_COLUMNS = ("thumbnail", "embedding", "activation", *KEEP_FIELDS)


def result_schema(keep: tuple[str, ...] = ()) -> pa.Schema:
    """Return the Arrow schema of a result table with the `keep` columns last."""
    return pa.schema([*SOURCE_FIELDS, *CLASSIFIED_FIELDS, *(KEEP_FIELDS[name] for name in keep)])


def light_schema() -> pa.Schema:
    """Return the columns of a result table without pictures and arrays."""
    return pa.schema([field for field in result_schema() if field.name not in HEAVY_COLUMNS])


def image_id(origin: str) -> str:
    """Return the identity of an image: 16 hex digits of the sha256 of its origin."""
    return hashlib.sha256(origin.encode()).hexdigest()[:16]
