# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""XML: what is read and where it stands; what is refused, and that no entity is ever expanded."""

from __future__ import annotations

import contextlib
import gc
import sys
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.xml import (
    MOST_BYTES,
    MOST_ELEMENTS,
    MOST_LEVELS,
    XmlError,
    parse,
)

DISK = """\
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none' io='native'/>
      <source file='/var/lib/libvirt/images/web.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>
    </disk>
"""

LAUGHS = """<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<domain>&c;</domain>"""


def pieces(raw, element):
    """The start tag and the whole element as they stand in the text."""
    return raw[element.start : element.open_end], raw[element.start : element.end]


def test_elements_attributes_and_text():
    root = parse(f"<domain type='kvm'>\n  <name>web</name>\n  <devices>\n{DISK * 2}  </devices>\n</domain>\n".encode())
    assert (root.name, root.attributes, root.child("name").text) == ("domain", {"type": "kvm"}, "web")
    assert root.child("nothing") is None
    assert [disk.line for disk in root.at("devices/disk")] == [4, 10]
    assert [target.attributes["dev"] for target in root.at("devices/disk/target")] == ["vda", "vda"]
    assert root.all("disk") == root.at("disk") == root.at("nothing/disk") == []


@pytest.mark.parametrize(
    ("text", "tag", "whole"),
    [
        ("<d>é<a/>x</d>", "<a/>", "<a/>"),
        ("<d>€𝄞<a></a>x</d>", "<a>", "<a></a>"),
        ("<d><a b='>'/></d>", "<a b='>'/>", "<a b='>'/>"),
        ("""<d><a b='">' c="'/>" ><x/></a ></d>""", """<a b='">' c="'/>" >""", """<a b='">' c="'/>" ><x/></a >"""),
        ("<d><!-- <a> --><a\n  b='1'\n/>\n</d>", "<a\n  b='1'\n/>", "<a\n  b='1'\n/>"),
        ("<d><?p <a>?><![CDATA[<a>]]><a>é</a\n></d>", "<a>", "<a>é</a\n>"),
        ("<d>\r\n<a>\r\n</a>\r\n</d>", "<a>", "<a>\r\n</a>"),
        ("\ufeff<?xml version='1.0' encoding='UTF-8'?><d><a><a/></a></d>", "<a>", "<a><a/></a>"),
        ("<d><a x='&lt;&#233;/>'/></d>", "<a x='&lt;&#233;/>'/>", "<a x='&lt;&#233;/>'/>"),
    ],
)
def test_an_element_knows_its_bytes(text, tag, whole):
    raw = text.encode()
    assert pieces(raw, parse(raw).child("a")) == (tag.encode(), whole.encode())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<d>a<b>no</b>c</d>", "ac"),
        ("<d>a<!-- no -->c</d>", "ac"),
        ("<d>a<?no no?>c</d>", "ac"),
        ("<d><![CDATA[<a> & ]]>b</d>", "<a> & b"),
        ("<d>&lt;&amp;&#x41;&#66;</d>", "<&AB"),
        ("<d>a\r\nb\rc</d>", "a\nb\nc"),
        ("<d>{{ 7 * 7 }}é𝄞</d>", "{{ 7 * 7 }}é𝄞"),
    ],
)
def test_text_is_what_stands_right_in_an_element(text, found):
    assert parse(text.encode()).text == found


@pytest.mark.parametrize("quote", ["'", '"'])
def test_attributes_in_either_quotes(quote):
    assert parse(f"<d a={quote}x &amp; y{quote}/>".encode()).attributes == {"a": "x & y"}


def test_names_keep_their_prefix():
    root = parse(
        b"<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        b"<qemu:commandline><qemu:arg value='-object'/></qemu:commandline></domain>"
    )
    assert root.at("qemu:commandline/qemu:arg")[0].attributes == {"value": "-object"}
    assert root.attributes == {"xmlns:qemu": "http://libvirt.org/schemas/domain/qemu/1.0"}


@pytest.mark.parametrize(
    ("raw", "message", "line"),
    [
        (b"<!DOCTYPE domain><domain/>", "it has a DOCTYPE; libvirt writes none, and none is read", 1),
        (LAUGHS.encode(), "it has a DOCTYPE", 1),
        (b"\n<!DOCTYPE d SYSTEM 'file:///etc/passwd'><d/>", "it has a DOCTYPE", 2),
        (b"<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><d>&e;</d>", "it has a DOCTYPE", 1),
        (b"<!DOCTYPE d [<!ENTITY % e SYSTEM 'http://127.0.0.1/'>%e;]><d/>", "it has a DOCTYPE", 1),
        (b"<d>\n&who;</d>", "it is not well-formed XML: undefined entity", 2),
        (b"<d a='&who;'/>", "it is not well-formed XML: undefined entity", 1),
        (b"<d>\n\xe9</d>", "it is not UTF-8", 2),
        (b"<d>\xed\xa0\x80</d>", "it is not UTF-8", 1),
        ("<d/>".encode("utf-16"), "it is not UTF-8", 1),
        ("\n<d/>".encode("utf-16-le"), "it has a NUL byte: it is UTF-16, or no XML at all", 2),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><d/>", "its encoding is ISO-8859-1; it must be UTF-8", 1),
        (b"<?xml version='1.0' encoding='UTF-16'?><d/>", "its encoding is UTF-16; it must be UTF-8", 1),
        (b"<?xml version='1.0' encoding='UTF-7'?><d/>", "its encoding is UTF-7", 1),
        (b"", "it is not well-formed XML: no element found", 1),
        (b"\n\n", "it is not well-formed XML: no element found", 3),
        (b"<d>\n<a>", "it is not well-formed XML: no element found", 2),
        (b"<d>\n<a b='", "it is not well-formed XML: unclosed token", 2),
        (b"<d>\n</a></d>", "it is not well-formed XML: mismatched tag", 2),
        (b"<d/>\n<d/>", "it is not well-formed XML: junk after document element", 2),
        (b"<d>\1</d>", "it is not well-formed XML: not well-formed (invalid token)", 1),
        (b"<d>\0</d>", "it has a NUL byte", 1),
        (b"<d>&#0;</d>", "it is not well-formed XML: reference to invalid character number", 1),
        (b"<d a='1' a='2'/>", "it is not well-formed XML: duplicate attribute", 1),
        (b"name: web\nscsi0: local:1", "it is not well-formed XML: syntax error", 1),
        (b"<d>" + b"\n<d>" * MOST_LEVELS, "it is too deep: no definition of libvirt is like that", MOST_LEVELS + 1),
        (b"<d>\n" + b"<d/>" * MOST_ELEMENTS, f"it has more than {MOST_ELEMENTS} elements", 2),
        (b" " * (MOST_BYTES + 1), f"it has {MOST_BYTES + 1} bytes; libvirt takes no more than {MOST_BYTES}", None),
    ],
)
def test_what_is_refused(raw, message, line):
    with pytest.raises(XmlError) as error:
        parse(raw)
    assert str(error.value).startswith(message)
    assert error.value.line == line


@pytest.mark.parametrize(
    "raw", [b"<d>" * MOST_LEVELS + b"</d>" * MOST_LEVELS, b"<d>" + b" " * (MOST_BYTES - 7) + b"</d>"]
)
def test_the_limits_themselves_are_read(raw):
    assert parse(raw).name == "d"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"<d>" + b"x" * 100_000_000, id="100 MB"),
        pytest.param(b"<d>" + b"<d>" * 1_000_000, id="a million levels"),
        pytest.param(b"<d>" + b"x<b/>" * (MOST_ELEMENTS - 1) + b"</d>", id="text in a hundred thousand pieces"),
        pytest.param(b"<d>" + b"x<!---->" * 500_000 + b"</d>", id="text between half a million comments"),
        pytest.param(b"<d>" + b"&lt;" * 1_000_000 + b"</d>", id="a million character references"),
        pytest.param(b"<d " + b"".join(b"a%d='' " % i for i in range(300_000)) + b"/>", id="a million attributes"),
        pytest.param(b"<d " + b"'" * 4_000_000 + b"/>", id="quotes"),
        pytest.param(LAUGHS.encode() * 10, id="laughs"),
    ],
)
def test_no_text_takes_long(raw):
    began = time.process_time()
    with contextlib.suppress(XmlError):
        parse(raw)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ["<d><a/></d>", "<d><a>"])
def test_nothing_stays_behind(text):
    raw = text.encode()
    before = sys.getrefcount(raw)
    gc.disable()
    try:
        with contextlib.suppress(XmlError):
            parse(raw)
        assert sys.getrefcount(raw) == before
    finally:
        gc.enable()
