"""Every class of bad message: its own code, and never a word of what was sent (design, sections 3 and 5)."""

from __future__ import annotations

import json
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.contracts.envelope import MAX_MESSAGE_BYTES, parse_request, read_uuid
from genoferry.errors import BadMessage, InvalidBody, InvalidEnvelope, MessageTooLarge, NotAnObject, NotJson
from genoferry.handlers import registry

HANDLERS = registry.load()
UUID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"
CANARY = "CANARYd34db33f"


def body(**over):
    row = {"sampleset": "cohort", "chrom": "22", "format": "pfile", "vcf_import_dosage": False}
    row |= {"geno": "g.pgen", "variants": "g.pvar.zst", "pheno": "g.psam"}
    return {
        "name": "CalculateScores",
        "pipeline_param": {
            "id": "INTP000000000001",
            "target_genomes": [row],
            "nxf_params_file": {"pgs_id": "PGS000001", "target_build": "GRCh37", "format": "json"},
        },
        "globus_details": {
            "dir_path_on_guest_collection": "a/b",
            "files": [{"filename": f"{row[k]}.c4gh", "size": 123} for k in ("geno", "variants", "pheno")],
        },
        "secret_key_details": {"secret_id": "s", "secret_id_version": "1"},
    } | over


def request(**over):
    return {"uuid": UUID, "experimentId": "EXP1", "body": body()} | over


def parse(document):
    found = parse_request(document if isinstance(document, str) else json.dumps(document))
    return registry.parse_body(registry.find(HANDLERS, found.name), found)


def refused(document, kind):
    """The error, which is of exactly this kind and holds no canary."""
    with pytest.raises(BadMessage) as caught:
        parse(document)
    assert type(caught.value) is kind, caught.value
    assert CANARY not in caught.value.user_message
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def changed(path, value):
    """The usual body with one place changed; a path such as `pipeline_param.target_genomes.0.geno`."""
    document = body()
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return request(body=document)


def test_the_usual_request_is_good():
    parsed = parse(request())
    assert [i.name for i in parsed.inputs()] == ["g.pgen", "g.pvar.zst", "g.psam"]
    assert parsed.inputs().__next__().location.path == "a/b/g.pgen.c4gh"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "\x00\x01\x02\xff",
        "{'uuid': 1}",
        json.dumps(request())[:-1],
        json.dumps(request()) + "x",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e400}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": "' + "\ud800" + '"}',
        "[" * 100_000,
        '{"a":' * 20_000,
        '{"a": 1, "a": 2}',
        '{"uuid": "x", "body": {"name": "A", "name": "B"}}',
        '{"a": "\t"}',
        "\ufeff{}",
    ],
)
def test_not_json(text):
    refused(text, NotJson)


@pytest.mark.parametrize("text", ["[]", "null", "1", '"text"', "true"])
def test_not_an_object(text):
    refused(text, NotAnObject)


@pytest.mark.parametrize("pad", ["x" * 1024 * 1024, "é" * (MAX_MESSAGE_BYTES // 2)])
def test_too_large(pad):
    refused(json.dumps(request(socketId=pad), ensure_ascii=False), MessageTooLarge)


def test_a_message_of_exactly_the_limit_is_read():
    text = json.dumps(request())
    assert parse(text + " " * (MAX_MESSAGE_BYTES - len(text)))
    refused(text + " " * (MAX_MESSAGE_BYTES - len(text) + 1), MessageTooLarge)


def test_more_than_500_files():
    files = [{"filename": f"{n}.c4gh", "size": 1} for n in range(501)]
    refused(changed("globus_details.files", files), MessageTooLarge)


@pytest.mark.parametrize(
    "over",
    [
        {"uuid": CANARY},
        {"uuid": 1},
        {"uuid": None},
        {"uuid": UUID + "0"},
        {"uuid": UUID[:-1] + "g"},
        {"uuid": ""},
        {"experimentId": 5},
        {"experimentId": ""},
        {"experimentId": "a b"},
        {"experimentId": "-a"},
        {"experimentId": "a\n"},
        {"experimentId": "x" * 129},
        {"experimentId": "../" + CANARY},
        {"timeout": CANARY},
        {"timeout": 1234567890},
        {"timeout": "0001-01-01T00:00:00+14:00"},
        {"timeout": "9999-12-31T23:59:59-14:00"},
        {"timeout": "2099-02-30T00:00:00Z"},
        {"onDuplicate": CANARY},
        {"socketId": "é" + CANARY},
        {"socketId": ""},
        {"socketId": 1},
        {"body": CANARY},
        {"body": None},
        {"body": [CANARY]},
        {CANARY: CANARY},
        {"experiment_id": "EXP1", "experimentId": "EXP2"},
    ],
)
def test_a_bad_envelope(over):
    refused(request(**over), InvalidEnvelope)


@pytest.mark.parametrize("missing", ["uuid", "experimentId", "body"])
def test_what_the_envelope_needs(missing):
    document = request()
    del document[missing]
    error = refused(document, InvalidEnvelope)
    assert missing in str(error)


@pytest.mark.parametrize("name", [None, 1, ["CalculateScores"], {}])
def test_a_name_that_is_no_string(name):
    refused(request(body=body(name=name)), InvalidBody)


PATHS = [
    "../x",
    "a/../b",
    "/etc/passwd",
    "a\x00b",
    "a\nb",
    "",
    ".",
    "a//b",
    "./a",
    "a/",
    "..",
    "a\\b",
    "a\x7f",
    "x" * 513,
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("place", ["pipeline_param.target_genomes.0.geno", "globus_details.files.0.filename"])
def test_a_path_that_is_none(place, path):
    refused(changed(place, path), InvalidBody)


@pytest.mark.parametrize("prefix", [p for p in PATHS if p])
def test_a_prefix_that_is_none(prefix):
    source = {"type": "s3", "bucket": "bucket", "prefix": prefix, "files": [{"path": "a.c4gh", "size": 1}]}
    document = body(source=source)
    del document["globus_details"]
    refused(request(body=document), InvalidBody)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("pipeline_param.id", 1),
        ("pipeline_param.id", "../x"),
        ("pipeline_param.id", CANARY + "\n"),
        ("pipeline_param.target_genomes", []),
        ("pipeline_param.target_genomes", {}),
        ("pipeline_param.target_genomes.0", CANARY),
        ("pipeline_param.target_genomes.0.sampleset", "reference"),
        ("pipeline_param.target_genomes.0.sampleset", "a_b"),
        ("pipeline_param.target_genomes.0.sampleset", "a b" + CANARY),
        ("pipeline_param.target_genomes.0.sampleset", 1),
        ("pipeline_param.target_genomes.0.chrom", 22),
        ("pipeline_param.target_genomes.0.chrom", "23"),
        ("pipeline_param.target_genomes.0.chrom", "chr22"),
        ("pipeline_param.target_genomes.0.chrom", ""),
        ("pipeline_param.target_genomes.0.format", CANARY),
        ("pipeline_param.target_genomes.0.vcf_import_dosage", "yes"),
        ("pipeline_param.target_genomes.0.vcf_import_dosage", 1),
        ("pipeline_param.nxf_params_file.pgs_id", CANARY),
        ("pipeline_param.nxf_params_file.pgs_id", "PGS000001;rm"),
        ("pipeline_param.nxf_params_file.pgs_id", ["PGS000001"]),
        ("pipeline_param.nxf_params_file.target_build", "hg19"),
        ("pipeline_param.nxf_params_file.min_overlap", "0.5"),
        ("pipeline_param.nxf_params_file.min_overlap", 1.1),
        ("pipeline_param.nxf_params_file.format", CANARY),
        ("globus_details.files.0.size", "123"),
        ("globus_details.files.0.size", -1),
        ("globus_details.files.0.size", 1.5),
        ("globus_details.files.0.size", True),
        ("globus_details.files.0.size", 10**30),
        ("globus_details.files", []),
        ("globus_details.dir_path_on_guest_collection", "a\x00b"),
        ("globus_details.dir_path_on_guest_collection", "a?b=" + CANARY),
        ("secret_key_details.secret_id", "é"),
        ("secret_key_details.secret_id_version", 1),
        ("key", {"type": "key-service", "secretId": "s", "version": "1"}),
        ("source", {"type": "s3", "bucket": "bucket", "files": [{"path": "a", "size": 1}]}),
        ("scorefiles", ["s3://b/k"]),
        ("scorefiles", []),
        ("pipeline_param.nxf_params_file.pgs_id", None),
        ("pipeline_param.nxf_params_file.pgs_id", ""),
        (CANARY, 1),
        (f"pipeline_param.{CANARY}", 1),
        (f"pipeline_param.target_genomes.0.{CANARY}", 1),
    ],
)
def test_a_bad_body(place, value):
    refused(changed(place, value), InvalidBody)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", {"type": CANARY}),
        ("source", {"type": "https", "baseUrl": "ftp://h/" + CANARY, "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "https", "baseUrl": "https://user@h/", "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "https", "baseUrl": "https://h/?q", "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "file", "root": "relative", "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "file", "root": "/a\x00", "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "s3", "bucket": "UPPER", "files": [{"path": "a", "size": 1}]}),
        ("source", {"type": "s3", "bucket": "bucket", "files": [{"path": "a", "size": 1, "sha256": CANARY}]}),
    ],
)
def test_a_bad_source(field, value):
    document = body(**{field: value})
    del document["globus_details"]
    refused(request(body=document), InvalidBody)


@pytest.mark.parametrize(
    "key",
    [
        {"type": CANARY},
        {"type": "file", "path": CANARY},
        {"type": "file", "path": "/k", "passphraseFile": "p" + CANARY},
        {"type": "key-service", "secretId": "s"},
        {"type": "file", "path": "/k", "passphrase": CANARY},
        CANARY,
    ],
)
def test_a_bad_key(key):
    document = body(key=key)
    del document["secret_key_details"]
    refused(request(body=document), InvalidBody)


@pytest.mark.parametrize("missing", ["globus_details", "secret_key_details", "pipeline_param"])
def test_what_the_body_needs(missing):
    document = body()
    del document[missing]
    refused(request(body=document), InvalidBody)


def rows(*chroms, sampleset="cohort"):
    return [
        {"sampleset": sampleset, "chrom": c, "format": "pfile", "geno": f"{c}.g", "variants": f"{c}.v", "pheno": "p"}
        for c in chroms
    ]


def listed(found):
    names = dict.fromkeys(r[k] for r in found for k in ("geno", "variants", "pheno"))
    return {"dir_path_on_guest_collection": "", "files": [{"filename": f"{n}.c4gh", "size": 1} for n in names]}


def with_rows(found):
    document = body(globus_details=listed(found))
    document["pipeline_param"]["target_genomes"] = found
    return request(body=document)


def test_one_psam_may_serve_many_rows():
    assert parse(with_rows(rows("1", "2", "X")))


def test_one_vcf_may_stand_in_all_three_places():
    row = {"sampleset": "c", "chrom": None, "format": "vcf", "geno": "a.vcf", "variants": "a.vcf", "pheno": "a.vcf"}
    assert parse(with_rows([row]))


@pytest.mark.parametrize(
    "found",
    [
        rows("1", "1"),
        rows("1") + rows("2", sampleset="other"),
        rows("1", None),
        rows(*[str(n) for n in range(1, 23)], "X", "Y", "XY", "MT") * 2,
    ],
)
def test_rows_that_contradict_each_other(found):
    refused(with_rows(found), InvalidBody)


def test_a_file_of_the_samplesheet_that_is_not_listed_and_the_other_way_round():
    document = with_rows(rows("1"))
    files = document["body"]["globus_details"]["files"]
    spare = files.pop()
    refused(document, InvalidBody)
    files += [spare, {"filename": "spare.c4gh", "size": 1}]
    refused(document, InvalidBody)


def test_two_sources_for_one_target():
    document = with_rows(rows("1"))
    document["body"]["globus_details"]["files"].append({"filename": "1.g", "size": 1})
    refused(document, InvalidBody)


def test_two_scorefiles_of_one_name():
    document = body(scorefiles=["s3://a/x.txt", "https://h/x.txt"])
    document["pipeline_param"]["nxf_params_file"]["pgs_id"] = None
    refused(request(body=document), InvalidBody)


@pytest.mark.parametrize(
    "uri", ["s3://b", "https://h", "https://h/", "file:///", "s3://b/a/..", "file:///..", "x://a/b"]
)
def test_a_scorefile_without_a_name(uri):
    document = body(scorefiles=[uri])
    document["pipeline_param"]["nxf_params_file"]["pgs_id"] = None
    refused(request(body=document), InvalidBody)


@pytest.mark.parametrize("target", [CANARY, 1, None, ""])
def test_a_bad_target_to_cancel(target):
    refused(request(body={"name": "CancelJob", "target": target}), InvalidBody)


def test_unknown_name_names_what_is_known_and_not_what_was_sent():
    with pytest.raises(BadMessage) as caught:
        parse(request(body={"name": CANARY}))
    assert caught.value.code == "unknown-name"
    assert CANARY not in str(caught.value)
    assert "CancelJob" in str(caught.value)


# --- the uuid of a bad message ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(request(bad=1)), UUID),
        (json.dumps({"uuid": UUID.upper()}), UUID),
        (json.dumps({"uuid": "{" + UUID + "}"}), UUID),
        (json.dumps({"uuid": 5}), None),
        (json.dumps({"body": {"uuid": UUID}}), None),
        ('{"uuid": "' + UUID + '", broken', UUID),
        ('{"uuid": "' + UUID[:-1] + '-", broken', None),
        ("[]", None),
        ("", None),
        ("\ud800", None),
    ],
)
def test_the_uuid_that_can_be_read(text, found):
    assert read_uuid(text) == found


@given(st.text(max_size=200))
def test_any_text_is_a_bad_message_and_nothing_else(text):
    with pytest.raises(BadMessage):
        parse(text)
    read_uuid(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(string.printable, max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(body())), json_values)
def test_any_value_in_any_place_is_good_or_bad_but_no_crash(place, value):
    with suppress(BadMessage):
        parse(request(body=body(**{place: value})))
