# SPDX-License-Identifier: ISC
"""Shows: ksrsigner --chain makes of several requests exactly the responses that
they get one by one, each checked against the one before, and makes all of them
or none.  Matters: in 2020 three quarters of the root were signed in one
ceremony and released one at a time."""
import json
import re
import shutil

import pytest
from rehearsal import Rehearsal

BUNDLES = 3


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, programs):
    """Three requests, each chained to the one before, and two KSKs."""
    zone = Rehearsal(tmp_path_factory.mktemp("chain"), programs, bundles=BUNDLES)
    zone.add_ksk("old")
    zone.add_ksk("new")
    for _ in range(3):
        zone.ask()
        zone.response = zone.request  # ksrgen continues from a request, too
    path = zone.configure(zone.normal("old"), zone.request)
    config = json.loads(path.read_text())
    config["schemas"] = {
        name: {str(i): slot for i, slot in enumerate(schema, 1)}
        for name, schema in (("normal", zone.normal("old")),
                             ("pre", zone.pre_publish("old", "new")),
                             ("roll", zone.rollover("old", "new")))}
    path.write_text(json.dumps(config))
    return zone


@pytest.fixture
def zone(prepared, tmp_path):
    for name in ("ksrsigner.yaml", "ksr-1.xml", "ksr-2.xml", "ksr-3.xml"):
        shutil.copy(prepared.folder / name, tmp_path / name)

    class Zone:
        folder = tmp_path

        @staticmethod
        def sign(*words):
            prepared.hsm.folder, before = tmp_path, prepared.hsm.folder
            try:
                return prepared.hsm.run("ksrsigner", "--force", *words)
            finally:
                prepared.hsm.folder = before

    return Zone


NONE = ("--no-previous-skr", "rehearsal")
REQUESTS = ("ksr-1.xml", "ksr-2.xml", "ksr-3.xml")


def chain(*words):
    return (*NONE, "--chain", "--output-dir", "out", *words)


def test_chain_is_one_by_one(zone):
    """With a schema for each quarter, through a rollover."""
    before = NONE
    for number, schema in enumerate(("normal", "pre", "roll"), 1):
        done = zone.sign(*before, "--schema", schema, f"ksr-{number}.xml",
                         f"single-{number}.xml")
        assert done.status == 0, done.err
        before = ("--previous-skr", f"single-{number}.xml")
    done = zone.sign(*chain("--schema", "normal,pre,roll", *REQUESTS))
    assert done.status == 0, done.err
    out = zone.folder / "out"
    assert sorted(p.name for p in out.iterdir()) == ["skr-1.xml", "skr-2.xml",
                                                     "skr-3.xml"]
    for number in "123":
        assert ((out / f"skr-{number}.xml").read_bytes() ==
                (zone.folder / f"single-{number}.xml").read_bytes())
    # Each quarter is shown and asked for, each response has its own hash.
    assert done.out.count("SHA256 hash of KSR:") == 3
    assert len(set(re.findall(r"SHA256 hash of SKR:\n(\w+)", done.out))) == 3
    assert done.out.count("...VALIDATED.") == 2


def test_one_schema_for_all(zone):
    assert zone.sign(*chain(*REQUESTS)).status == 0


@pytest.mark.parametrize("requests, says", [
    (("ksr-1.xml", "ksr-3.xml"), "KSR-CHAIN"),
    (("ksr-2.xml", "ksr-1.xml"), "KSR-CHAIN"),
    (("ksr-1.xml", "again.xml"), "KSR-ID"),
])
def test_broken_chain_refused_whole(zone, requests, says):
    shutil.copy(zone.folder / "ksr-1.xml", zone.folder / "again.xml")
    done = zone.sign(*chain(*requests))
    assert done.status == 1
    assert says in done.err
    assert not (zone.folder / "out").exists()
    assert [p.name for p in zone.folder.glob("*new*")] == []


def test_unsafe_schemas_refused_whole(zone):
    """The new key would sign the first bundle of the second quarter unseen."""
    config = json.loads((zone.folder / "ksrsigner.yaml").read_text())
    config["schemas"]["sudden"] = {
        str(i): {"publish": ["old", "new"], "sign": "new"} for i in range(1, BUNDLES + 1)}
    (zone.folder / "ksrsigner.yaml").write_text(json.dumps(config))
    done = zone.sign(*chain("--schema", "normal,sudden", *REQUESTS[:2]))
    assert done.status == 1
    assert "SKR-POLICY-PUBLISH-SAFETY" in done.err
    assert not (zone.folder / "out").exists()


@pytest.mark.parametrize("words", [
    ("--schema", "normal,pre", *REQUESTS), ("--schema", "normal,absent,pre", *REQUESTS),
    ("--schema", "normal,pre,roll,normal", *REQUESTS), ("--schema", "", *REQUESTS), (),
])
def test_usage(zone, words):
    done = zone.sign(*chain(*words))
    assert done.status == 2, done.err
    assert not (zone.folder / "out").exists()


def test_full_folder_is_left_alone(zone):
    out = zone.folder / "out"
    out.mkdir()
    (out / "other").write_text("x")
    done = zone.sign(*chain("ksr-1.xml"))
    assert done.status == 5
    assert "HSM Information" not in done.out  # seen before anything is signed
    assert [p.name for p in out.iterdir()] == ["other"]
    (out / "other").unlink()
    assert zone.sign(*chain("ksr-1.xml")).status == 0


def test_two_responses_of_one_name_refused(zone):
    (zone.folder / "a").mkdir()
    shutil.copy(zone.folder / "ksr-2.xml", zone.folder / "a/ksr-1.xml")
    done = zone.sign(*chain("ksr-1.xml", "a/ksr-1.xml"))
    assert done.status == 2
    assert not (zone.folder / "out").exists()
