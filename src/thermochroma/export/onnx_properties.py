"""Properties in an ONNX file, read without its network and without a library, in protobuf's own terms.

A file is a sequence of fields, each behind a number that tells its name and its form. Whatever is no
property is passed over.
"""

from io import SEEK_CUR, BufferedIOBase
from typing import Final

PROPERTIES: Final = 14  # number of the field `metadata_props` of a model
KEY, VALUE = 1, 2  # numbers of the fields of a property
NUMBER, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5  # forms of fields
LONGEST: Final = 1 << 20  # bytes of a property that is read
MOST_DIGITS: Final = 10  # of a number, 7 bits each


def read_properties(stream: BufferedIOBase, size: int) -> dict[str, str]:
    """Read a model's properties. Raises ValueError for what is no protobuf of `size` bytes."""
    found: dict[str, str] = {}
    while stream.tell() < size:
        field, length = _field(stream)
        if field != PROPERTIES:
            _pass_over(stream, length, size)
            continue
        entry = _entry(stream, length, size)
        found[entry.get(KEY, "")] = entry.get(VALUE, "")
    return found


def _entry(stream: BufferedIOBase, length: int, size: int) -> dict[int, str]:
    """Fields of one property."""
    end = stream.tell() + length
    if end > size or length > LONGEST:
        raise ValueError("a property ends beyond the file")
    entry: dict[int, str] = {}
    while stream.tell() < end:
        field, length = _field(stream)
        if stream.tell() + length > end:
            raise ValueError("a property's text ends beyond it")
        entry[field] = stream.read(length).decode()
    return entry


def _field(stream: BufferedIOBase) -> tuple[int, int]:
    """Name of a field as a number, and how many bytes its value has, which come next."""
    field, form = divmod(_number(stream), 8)
    if form == NUMBER:
        start = stream.tell()
        _number(stream)
        length = stream.tell() - start
        stream.seek(start)
        return field, length
    if form == COUNTED:
        return field, _number(stream)
    if form in (EIGHT_BYTES, FOUR_BYTES):
        return field, 8 if form == EIGHT_BYTES else 4
    raise ValueError(f"a field has the form {form}, which protobuf does not have")


def _pass_over(stream: BufferedIOBase, length: int, size: int) -> None:
    if stream.seek(length, SEEK_CUR) > size:
        raise ValueError("a field ends beyond the file")


def _number(stream: BufferedIOBase) -> int:
    """A number in digits of 7 bits, the least first; all but the last have the eighth bit."""
    number = 0
    for place in range(MOST_DIGITS):
        byte = stream.read(1)
        if not byte:
            raise ValueError("the file ends within a number")
        number |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return number
    raise ValueError("a number has more digits than protobuf's")
