"""Whatever the bytes are, decoding ends with a picture or with a reason."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sparkcore.errors import ImageError
from sparkcore.imaging.damage import ends_early
from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.formats import FORMATS
from sparkcore.schema import ERROR_TYPES
from tests.imaging.pictures import every_format

FILES = st.sampled_from(sorted(every_format().values()))
EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=12), st.integers(0, 12)), max_size=6)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Give an image file with some bytes replaced, inserted or removed, and perhaps without its end."""
    content = draw(FILES)
    for place, inserted, removed in draw(EDITS):
        at = int(place**3 * len(content))  # headers are where decoders go astray
        content = content[:at] + inserted + content[at + removed :]
    return content[: draw(st.integers(1, len(content)))] if content and draw(st.booleans()) else content


@settings(max_examples=500)
@given(damaged() | st.binary(max_size=300), st.sampled_from([None, ImageSize(8, 8)]))
def test_decoding_ends_with_a_picture_or_a_reason(content: bytes, target: ImageSize | None):
    try:
        decoded = decode(content, target=target)
    except ImageError as error:
        reason = error
    else:
        assert decoded.image.mode == "RGB"
        assert target or decoded.image.size == (decoded.width, decoded.height)
        return
    assert reason.error_type in ERROR_TYPES.keys() - {"internal"}, reason.message
    assert reason.message.endswith(".")


@given(st.sampled_from(FORMATS), damaged() | st.binary(max_size=300))
def test_the_search_for_a_missing_end_ends(kind: str, content: bytes):
    assert ends_early(kind, content) in (True, False)
