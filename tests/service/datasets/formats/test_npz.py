"""NumPy archives: what is read, and what a hostile or broken file meets."""

import contextlib
import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from service.datasets.formats import FormatError, ParseOptions, parse_file


def npz(compressed=False, **content):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **content)
    return file.getvalue()


def archive(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as target:
        for name, data in members:
            target.writestr(name, data)
    return file.getvalue()


def npy(descr="<f8", shape="(2,)", payload=b"\0" * 16, fortran="False", header=None):
    text = header or f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    raw = text.encode()
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw + payload


def parse(data, **options):
    return parse_file(data, "data.npz", None, ParseOptions(**options))


def refusal(data, **options):
    with pytest.raises(FormatError) as caught:
        parse(data, **options)
    return caught.value.detail


def test_arrays_become_columns_by_their_axes_and_types():
    parsed = parse(
        npz(
            x=np.zeros((3, 8, 8), np.uint8),
            y=np.array([1, 2, 3]),
            label=np.array(["a", "ß", "a"]),
            raw=np.array([b"u", b"v", b"u"]),
            flag=np.array([True, False, True]),
        )
    )
    assert parsed.format == "npz"
    assert parsed.rows == 3
    assert parsed.schema == [
        {"name": "x", "type": "tensor", "shape": [8, 8]},
        {"name": "y", "type": "number", "shape": []},
        {"name": "label", "type": "category", "shape": []},
        {"name": "raw", "type": "category", "shape": []},
        {"name": "flag", "type": "boolean", "shape": []},
    ]
    assert parsed.columns["x"].dtype == np.uint8
    assert parsed.columns["y"].dtype == np.float64
    assert parsed.columns["label"].tolist() == ["a", "ß", "a"]
    assert parsed.columns["raw"].tolist() == ["u", "v", "u"]


@given(
    arrays(
        st.sampled_from(["?", "i1", "<u2", ">i4", "<i8", ">u8", "<f2", ">f4", "<f8"]),
        array_shapes(min_dims=2, max_dims=4, max_side=4),
    ),
    st.booleans(),
    st.booleans(),
)
def test_any_tensor_comes_back_exactly(values, compressed, fortran):
    order = np.asfortranarray if fortran else np.ascontiguousarray
    data = npz(compressed, x=order(values))
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        assert "replace NaN and infinity" in refusal(data)
        return
    read = parse(data).columns["x"]
    np.testing.assert_array_equal(read, values)
    assert read.dtype == values.dtype.newbyteorder("=")
    assert read.flags.c_contiguous


def test_a_declared_type_reads_numbers_as_labels():
    data = npz(y=np.array([2, 1]), b=np.array([0, 1]))
    parsed = parse(data, schema={"y": "category", "b": "boolean"})
    assert parsed.columns["y"].tolist() == ["2", "1"]
    assert [entry["type"] for entry in parsed.schema] == ["category", "boolean"]


def test_a_declared_type_that_does_not_fit_is_refused():
    with pytest.raises(FormatError, match='type "tensor", which cannot be read as "number"') as e:
        parse(npz(x=np.zeros((2, 2))), schema={"x": "number"})
    assert e.value.pointer == "/schema/x"


def test_arrays_of_different_lengths_are_refused_by_name():
    detail = refusal(npz(x=np.zeros((3, 2)), y=np.zeros(4)))
    assert '"x" has 3, "y" has 4' in detail


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_with_array_and_index(value):
    x = np.zeros((3, 2, 2), np.float32)
    x[1, 0, 1] = value
    assert f'the array "x" holds {value} at index [1, 0, 1]' in refusal(npz(x=x))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0)])
def test_an_array_without_rows_or_values_is_refused(shape):
    assert "no rows of values" in refusal(npz(x=np.zeros(shape)))


def test_an_archive_without_arrays_is_refused():
    assert "the archive is empty" in refusal(archive([]))


def test_labels_beyond_2_53_are_refused():
    assert "beyond 2^53" in refusal(npz(y=np.array([1, 2**53 + 1])))


def test_text_of_several_axes_is_refused():
    assert "holds text in 2 dimensions" in refusal(npz(x=np.array([["a"]])))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([b"\xff"]), "bytes that are no UTF-8 text"),
        (np.array(["\ud800"]), 'characters that are no text: "?"'),
        (np.array(["a\0b"]), "characters that are no text"),
        (np.array([{"a": 1}], object), "holds Python objects, which could run code when loaded"),
        (np.array([1j]), "holds complex numbers; save real and imaginary part"),
        (np.array(["2020-01-01"], "M8[D]"), "holds dates; save them as numbers"),
        (np.array([(1, 2.0)], "i4,f4"), "holds records; save one array per field"),
        (np.array([1], np.longdouble), "booleans, integers, float16/32/64 and fixed-width text"),
    ],
)
def test_a_type_that_cannot_be_a_column_is_refused(values, words):
    assert words in refusal(npz(x=values))


def test_a_pickle_is_never_loaded():
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was loaded",))

    bomb = pickle.dumps(Trap())
    assert "is no .npy array" in refusal(archive([("x.npy", bomb)]))
    assert "holds Python objects" in refusal(archive([("x.npy", npy("|O", payload=bomb))]))


def test_a_small_header_that_asks_for_32_gib_allocates_nothing():
    data = archive([("x.npy", npy(shape="(4294967296,)", payload=b""))])
    tracemalloc.start()
    try:
        detail = refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "claims 34359738368 bytes by its shape [4294967296]" in detail
    assert peak < 1_000_000


def test_an_archive_that_unpacks_beyond_the_quota_is_refused_unread():
    data = npz(True, x=np.zeros(1_000_000))
    assert len(data) < 20_000
    assert "unpack to 8000128 bytes; at most 1000000 are allowed" in refusal(
        data, max_bytes=1_000_000
    )


def test_a_directory_that_lies_about_the_size_is_refused():
    data = bytearray(npz(x=np.zeros(1000)))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (200).to_bytes(4, "little")
    assert refusal(bytes(data))


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (npy(header="{" * 3000 + "}"), "an unreadable header"),
        (npy(header="__import__('os').system('true')"), "an unreadable header"),
        (npy(header="{'descr': '<f8'}"), "without exactly descr, fortran_order and shape"),
        (npy(header=" " * 5000), "a header of 5000 bytes; at most 4096"),
        (npy(shape="(-2,)"), "an impossible shape"),
        (npy(shape="(True,)"), "an impossible shape"),
        (npy(shape="[2]"), "an impossible shape"),
        (npy(shape="(1,) * 2"), "an unreadable header"),
        (npy(shape=str((1,) * 9)), "9 dimensions; at most 8"),
        (npy(fortran="1"), "neither True nor False"),
        (npy("<U0"), 'has the type "<U0"'),
        (
            npy(payload=b"\0" * 15),
            "claims 16 bytes by its shape [2] and type float64, but holds 15",
        ),
        (b"\x93NUMPY\x09\x00", "has version 9 of the .npy format"),
        (npy()[:30], "is cut off within its header"),
        (b"", "is no .npy array"),
    ],
)
def test_a_member_with_a_broken_header_is_refused(member, words):
    detail = refusal(archive([("x.npy", member)]))
    assert detail.startswith('the array "x" ')
    assert words in detail


def test_a_text_array_with_impossible_characters_is_refused():
    member = npy("<U1", "(1,)", b"\xff\xff\xff\x7f")
    assert "no UTF-8 text" in refusal(archive([("x.npy", member)]))


def test_booleans_are_0_and_1_whatever_the_bytes():
    read = parse(archive([("x.npy", npy("|b1", "(3,)", b"\0\2\xff"))])).columns["x"]
    assert read.tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", ["../x.npy", "/x.npy", "a/x.npy", "a\\x.npy", "c:x.npy", "x..npy"])
def test_a_member_with_a_path_is_refused(name):
    assert "members must be plain names" in refusal(archive([(name, npy())]))


def test_a_link_is_refused():
    info = zipfile.ZipInfo("x.npy")
    info.external_attr = 0o120777 << 16
    assert "is a path or a link" in refusal(archive([(info, b"/etc/passwd")]))


@pytest.mark.parametrize("name", ["inner.npz", "inner.zip", "readme.txt"])
def test_a_nested_archive_or_other_file_is_refused(name):
    assert f'the member "{name}" is no .npy array' in refusal(archive([(name, npz(x=[1]))]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused():
    assert 'holds "x.npy" twice' in refusal(archive([("x.npy", npy()), ("x.npy", npy())]))


def test_an_encrypted_member_is_refused():
    data = bytearray(archive([("x.npy", npy())]))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    assert "is encrypted; save it without a password" in refusal(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_without_bounds_is_refused(method):
    assert "packed by a method that is not read" in refusal(
        archive([("x.npy", npy())], compression=method)
    )


def test_too_many_members_are_refused():
    members = [(f"x{i}.npy", b"") for i in range(1001)]
    assert "has 1001 members; at most 1000" in refusal(archive(members))


@pytest.mark.parametrize("keep", [0, 10, 100, 300, -30, -5])
def test_a_truncated_archive_is_refused(keep):
    assert "is no complete .npz archive" in refusal(npz(x=np.zeros(100))[:keep])


@pytest.mark.parametrize("compressed", [False, True])
def test_a_flipped_bit_is_noticed(compressed):
    data = bytearray(npz(compressed, x=np.arange(1000.0)))
    data[len(data) // 2] ^= 16
    assert refusal(bytes(data))


@given(st.binary(max_size=100), st.integers(0, 400), st.booleans())
def test_a_damaged_archive_is_parsed_or_refused(noise, place, compressed):
    data = bytearray(npz(compressed, x=np.arange(6.0).reshape(3, 2), y=np.array(["a", "b", "c"])))
    data[place : place + len(noise)] = noise
    with contextlib.suppress(FormatError):
        assert parse(bytes(data)).rows
