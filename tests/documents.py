"""Small documents as they are attached to releases, made from their paragraphs: HWPX, ODT, HWP 5 and PDF."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"
HS = "http://www.hancom.co.kr/hwpml/2011/section"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def package(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip with these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def section(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><hs:sec xmlns:hs="{HS}" xmlns:hp="{HP}">{inner}</hs:sec>'


def run(text: str) -> str:
    return f"<hp:p><hp:run><hp:t>{escape(text)}</hp:t></hp:run></hp:p>"


def hwpx(*paragraphs: str) -> bytes:
    body = section("".join(map(run, paragraphs)))
    return package(
        {"mimetype": "application/hwp+zip", "Contents/section0.xml": body, "Preview/PrvText.txt": "미리보기"}
    )


def odt(*paragraphs: str) -> bytes:
    body = "".join(f"<text:p>{escape(text)}</text:p>" for text in paragraphs)
    return package({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": odt_content(body)})


def odt_content(inner: str) -> str:
    return (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:text="{OFFICE}:text:1.0">'
        f"<office:body><office:text>{inner}</office:text></office:body></office:document-content>"
    )


def record(tag: int, data: bytes) -> bytes:
    """A record of HWP 5: tag, level and size in four bytes, a long size in four more."""
    if len(data) < 0xFFF:
        return struct.pack("<I", tag | len(data) << 20) + data
    return struct.pack("<II", tag | 0xFFF << 20, len(data)) + data


def hwp_text(text: str) -> bytes:
    return record(67, f"{text}\r".encode("utf-16-le"))


def hwp(*sections: bytes, properties: int = 1) -> bytes:
    """An HWP 5 document of these sections' records, deflated where the properties say so."""
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, properties)
    packed = [_deflated(one) if properties & 1 else one for one in sections]
    named = {f"Section{number}": one for number, one in enumerate(packed)}
    return compound({"FileHeader": header}, {"BodyText": named})


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5


def compound(streams: Mapping[str, bytes], storages: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """A compound file ([MS-CFB] version 3). Streams are padded to 4,096 bytes, below which other rules hold."""
    sectors: list[bytes] = []
    chain: list[int] = []
    entries = [(_ROOT, "Root Entry", 0, 0, [*streams, *storages])]
    for name, data in streams.items():
        entries.append((_STREAM, name, *_place(data, sectors, chain), []))
    for storage, inner in storages.items():
        entries.append((_STORAGE, storage, 0, 0, list(inner)))
        entries.extend((_STREAM, name, *_place(data, sectors, chain), []) for name, data in inner.items())
    start, _ = _place(_directory(entries), sectors, chain)
    size = (len(chain) + 126) // 127  # each sector of the table has 128 entries, one for itself
    table = [*chain, *[_FAT] * size]
    table += [_FREE] * (size * 128 - len(table))
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header = struct.pack("<8s16xHHHHH6xIIIII", magic, 0x3E, 3, 0xFFFE, 9, 6, 0, size, start, 0, 4096)
    header += struct.pack("<IIII", _END, 0, _END, 0)
    places = [len(sectors) + number for number in range(size)]
    header += struct.pack("<109I", *places, *[_FREE] * (109 - size))
    return header + b"".join(sectors) + struct.pack(f"<{size * 128}I", *table)


def _place(data: bytes, sectors: list[bytes], chain: list[int]) -> tuple[int, int]:
    padded = data.ljust(4096, b"\0")
    padded = padded.ljust(-(-len(padded) // 512) * 512, b"\0")
    first = len(sectors)
    for at in range(0, len(padded), 512):
        sectors.append(padded[at : at + 512])
        chain.append(len(sectors))
    chain[-1] = _END
    return first, len(padded)


def _directory(entries: Sequence[tuple[int, str, int, int, list[str]]]) -> bytes:
    """128 bytes an entry; the children of a storage hang on each other to the right, in the format's order."""
    numbers = {name: number for number, (_, name, *_) in enumerate(entries)}
    right: dict[str, int] = {}
    child: dict[str, int] = {}
    for _, name, _, _, inner in entries:
        ordered = sorted(inner, key=lambda one: (len(one), one.upper()))
        child[name] = numbers[ordered[0]] if ordered else _FREE
        right.update({one: numbers[after] for one, after in pairwise(ordered)})
    rows = []
    for kind, name, start, size, _ in entries:
        label = f"{name}\0".encode("utf-16-le")
        place, neighbour = start if kind == _STREAM else _END, right.get(name, _FREE)
        row = (label, len(label), kind, 1, _FREE, neighbour, child[name], 0, place, size)
        rows.append(struct.pack("<64sHBBIII16xI16xIQ", *row))
    return b"".join(rows)


def pdf(*pages: Sequence[str]) -> bytes:
    """A PDF of lines: Korean under Identity-H with a ToUnicode map, as Hancom's printer writes it."""
    signs = sorted({sign for page in pages for line in page for sign in line})
    map_ = "".join(f"<{ord(sign):04X}> <{ord(sign):04X}>\n" for sign in signs)
    unicode_map = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{len(signs)} beginbfchar\n{map_}endbfchar\n"
        "endcmap end end"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Batang /Encoding /Identity-H /DescendantFonts [4 0 R]"
        b" /ToUnicode 5 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Batang /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        stream(unicode_map.encode()),
    ]
    kids = []
    for page in pages:
        shown = "\n".join(f"<{line.encode('utf-16-be').hex()}> Tj T*" for line in page)
        objects.append(stream(f"BT /F1 10 Tf 50 800 Td 15 TL\n{shown}\nET".encode()))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return pdf_file(objects)


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), extra, data)


def pdf_file(objects: Sequence[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
