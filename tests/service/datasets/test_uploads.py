"""The two ways to send a dataset, and what is wrong with others."""

from __future__ import annotations

import gzip
import hashlib
import io
import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import count

CSV = b"length,width,kind\n1.5,2,oak\n2.5,4,elm\n,6,oak\n"


def send(client, data, file_name="leaves.csv", **fields):
    return client.post("/v1/datasets", files={"file": (file_name, data)}, data=fields)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def columns(response):
    assert response.status_code == 201, response.text
    return [(each["name"], each["type"], each["shape"]) for each in response.json()["columns"]]


LEAVES = [("length", "number", []), ("width", "number", []), ("kind", "category", [])]


def test_a_csv_file_is_described(client):
    response = send(client, CSV)
    body = response.json()
    assert columns(response) == LEAVES
    assert (body["name"], body["format"], body["rows"]) == ("leaves.csv", "csv", 3)
    assert (body["bytes"], body["sha256"]) == (len(CSV), hashlib.sha256(CSV).hexdigest())
    assert [each["missing"] for each in body["columns"]] == [1, 0, 0]
    assert body["columns"][2]["categories"] == ["elm", "oak"]
    assert response.headers["location"] == f"/v1/datasets/{body['id']}"


def test_a_gzipped_csv_file_is_unpacked(client):
    packed = gzip.compress(CSV)
    response = send(client, packed, "leaves.csv.gz")
    assert columns(response) == LEAVES
    assert response.json()["bytes"] == len(packed)


def test_an_npz_file_gives_an_array_a_column(client):
    data = npz(image=np.zeros((3, 4, 4), np.uint8), label=np.array([0, 1, 2]))
    response = send(client, data, "leaves.npz")
    assert columns(response) == [("image", "tensor", [4, 4]), ("label", "number", [])]


def test_the_name_the_format_and_the_schema_may_be_told(client):
    response = send(
        client, CSV, "upload.bin", name="leaves", format="csv", schema='{"width": "category"}'
    )
    assert response.json()["name"] == "leaves"
    assert columns(response)[1] == ("width", "category", [])


def test_a_file_without_a_header_gets_numbered_columns(client):
    response = send(client, b"1,2\n3,4\n", header="false")
    assert [name for name, _, _ in columns(response)] == ["c0", "c1"]


def test_a_path_in_the_file_name_is_no_part_of_the_name(client):
    assert send(client, CSV, "../../etc/leaves.csv").json()["name"] == "leaves.csv"


def test_rows_are_a_dataset(client):
    rows = [
        {"length": 1.5, "kind": "oak", "old": True},
        {"length": None, "kind": "elm", "old": False},
    ]
    response = client.post("/v1/datasets", json={"name": "leaves", "rows": rows})
    assert columns(response) == [
        ("length", "number", []),
        ("kind", "category", []),
        ("old", "boolean", []),
    ]
    assert (response.json()["name"], response.json()["rows"]) == ("leaves", 2)


def test_arrays_are_a_dataset(client):
    arrays = {"x": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "y": [0.5, 1.5]}
    response = client.post("/v1/datasets", json={"arrays": arrays})
    assert columns(response) == [("x", "tensor", [2, 2]), ("y", "number", [])]
    assert response.json()["name"] == "dataset"


FILES = {
    "an empty file": (b"", "the file is empty; the first row must hold the column names"),
    "a header only": (
        b"a,b\n",
        "the file has a header but no rows; add at least one row of values",
    ),
    "a short row": (b"a,b\n1,2\n3\n", "line 3 has 1 value, but the header has 2"),
    "a long row": (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values, but the header has 2"),
    "text among numbers": (
        b"length,width\n" + b"1,2\n" * 50 + b"oak,2\n",
        'line 52, column "length": "oak" is',
    ),
    "infinity": (b"a,b\n1,2\ninf,3\n2,3\n", 'line 3, column "a": "inf" is not finite'),
    "no UTF-8": ("größe,b\n1,2\n".encode("latin-1"), "is not UTF-8; save the file as UTF-8"),
    "two columns of a name": (b"a,a\n1,2\n", 'columns 1 and 2 are both named "a"; rename one'),
}


@pytest.mark.parametrize(("data", "words"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_table_says_where(client, stored, data, words):
    assert words in mistakes_of(send(client, data))["/file"]
    assert count(stored, "datasets", "blobs", "blob_chunks") == [0, 0, 0]


def test_an_unknown_ending_lists_the_formats(client):
    detail = mistakes_of(send(client, CSV, "leaves.doc"))["/file"]
    assert detail.startswith('the file name "leaves.doc" does not tell the format; supported are')


def test_an_unknown_format_points_at_it(client):
    detail = mistakes_of(send(client, CSV, format="xls"))["/format"]
    assert detail.startswith('the format "xls" is not supported; supported are')


def test_a_damaged_archive_is_refused(client):
    assert "/file" in mistakes_of(send(client, b"PK\x03\x04oak", "leaves.npz"))
    cut = gzip.compress(CSV)[:-9]
    detail = mistakes_of(send(client, cut, "leaves.csv.gz"))["/file"]
    assert detail.startswith("the gzip file is damaged or cut off")


def test_a_gzip_bomb_is_refused(client):
    bomb = gzip.compress(b"a\n" + b"1\n" * 1_000_000)
    detail = mistakes_of(send(client, bomb, "leaves.csv.gz"))["/file"]
    assert detail == "the gzip file unpacks to more than the allowed 1000000 bytes"


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"colour": "red"}, "/colour", "unknown field; the form's fields are file, name, format"),
        ({"a/b": "red"}, "/a~1b", "unknown field"),
        ({"header": "maybe"}, "/header", "must be true or false"),
        ({"name": "n" * 201}, "/name", "has 201 characters, at most 200 are kept"),
        ({"schema": "oak"}, "/schema", "is not JSON: the body is not JSON: Expecting value"),
        ({"schema": "[]"}, "/schema", 'must be an object such as {"zip": "category"}'),
        ({"schema": '{"width": 1}'}, "/schema/width", "must be the name of a type"),
        ({"schema": '{"height": "number"}'}, "/schema/height", "height"),
        ({"schema": '{"width": "colour"}'}, "/schema/width", "colour"),
    ],
)
def test_a_wrong_field_of_the_form_is_pointed_at(client, fields, pointer, words):
    assert words in mistakes_of(send(client, CSV, **fields))[pointer]


def test_a_form_without_a_file_says_how_to_send_one(client):
    response = client.post("/v1/datasets", files={"name": (None, "leaves")})
    assert mistakes_of(response) == {"/file": "no file was sent; use curl -F file=@data.csv"}


def test_a_file_that_is_sent_as_text_is_no_file(client):
    response = client.post("/v1/datasets", files={"file": (None, "a,b")})
    assert "/file" in mistakes_of(response)


def test_a_field_that_is_sent_as_a_file_is_refused(client):
    response = client.post("/v1/datasets", files={"name": ("x.csv", CSV)})
    detail = mistakes_of(response)
    assert detail == {"/file": "no file was sent; use curl -F file=@data.csv"}


def test_two_files_are_refused(client):
    files = [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]
    body = problem_of(client.post("/v1/datasets", files=files), 400, "unreadable-body")
    assert (
        body["detail"] == "the form cannot be read: Too many files. Maximum number of files is 1."
    )


def test_a_form_that_is_cut_off_or_has_no_boundary_is_unreadable(client):
    headers = {"Content-Type": "multipart/form-data"}
    response = client.post("/v1/datasets", content=b"oak", headers=headers)
    problem_of(response, 400, "unreadable-body")


@pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded", "image/png"])
def test_an_upload_of_another_kind_is_told_both_ways(client, kind):
    response = client.post("/v1/datasets", content=CSV, headers={"Content-Type": kind})
    body = problem_of(response, 415, "unsupported-media-type")
    assert body["detail"] == (
        f"The body is {kind}; send a file as multipart/form-data (curl -F file=@data.csv) "
        "or rows as application/json."
    )


DOCUMENTS = {
    "no rows": ({"rows": []}, "/rows", "there are no rows; give at least one"),
    "a row that is no object": ({"rows": [1]}, "/rows/0", "is 1, expected an object of columns"),
    "a missing column": (
        {"rows": [{"a": 1, "b": 2}, {"a": 1}]},
        "/rows/1/b",
        'the column "b" is missing; write null for an unknown value',
    ),
    "an extra column": (
        {"rows": [{"a": 1}, {"a": 1, "b": 2}]},
        "/rows/1/b",
        'the first row has no column "b"',
    ),
    "text among numbers": (
        {"rows": [{"a": 1}, {"a": "oak"}]},
        "/rows/1/a",
        'is "oak", but the rows above have values of type number',
    ),
    "a ragged array": (
        {"arrays": {"x": [[1, 2], [3]]}},
        "/arrays/x/1",
        "has 1 element, expected 2",
    ),
    "text in an array": ({"arrays": {"x": [[1, "a"]]}}, "/arrays/x/0/1", 'is "a", expected'),
    "arrays of other lengths": (
        {"arrays": {"x": [1, 2], "y": [1]}},
        "/arrays",
        "the arrays have different numbers of rows",
    ),
    "no data": ({}, "", 'give either "rows": [{"column": value}] or "arrays": {"x": [...]}'),
    "both kinds": ({"rows": [{"a": 1}], "arrays": {"x": [1]}}, "", 'give either "rows"'),
    "an unknown field": ({"rows": [{"a": 1}], "colour": 1}, "/colour", "unknown field"),
    "rows that are no list": ({"rows": {"a": 1}}, "/rows", "Input should be a valid list"),
    "an empty name": ({"rows": [{"a": 1}], "name": ""}, "/name", "at least 1 character"),
    "a list": ([], "", "must be a JSON object"),
}


@pytest.mark.parametrize(("document", "pointer", "words"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_wrong_document_is_pointed_at(client, stored, document, pointer, words):
    response = client.post("/v1/datasets", json=document)
    assert words in mistakes_of(response)[pointer]
    assert count(stored, "datasets", "blobs") == [0, 0]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_no_data(client, number):
    response = client.post("/v1/datasets", content=f'{{"rows": [{{"a": {number}}}]}}')
    assert number in mistakes_of(response)[""]


def test_a_body_that_is_no_json_is_unreadable(client):
    problem_of(client.post("/v1/datasets", content=b'{"rows": ['), 400, "unreadable-body")
    problem_of(client.post("/v1/datasets"), 400, "unreadable-body")


def test_a_file_above_the_limit_of_a_body_is_refused(client):
    problem_of(send(client, b"a\n" + b"1\n" * 150_000), 413, "too-large")


def test_rows_above_the_limit_of_json_are_told_to_come_as_a_file(client):
    rows = json.dumps({"rows": [{"a": 1}] * 12_000})
    body = problem_of(client.post("/v1/datasets", content=rows), 413, "too-large")
    assert "Upload large data as a file" in body["detail"]


def test_a_file_too_large_for_memory_waits_on_disk(settings):
    settings = settings.model_copy(update={"max_body_bytes": 4_000_000, "max_dataset_bytes": 2**30})
    data = b"note,length\n" + b"".join(b"%d" % n + b"x" * 99_000 + b",1\n" for n in range(15))
    with TestClient(create_app(settings)) as client:
        body = send(client, data).json()
    assert (body["rows"], body["bytes"]) == (15, len(data))
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
