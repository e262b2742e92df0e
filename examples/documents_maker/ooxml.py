"""What text documents and spreadsheets share: the package of ECMA-376, part 2."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .packed import encode_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .content import Properties

__all__ = ["HEAD", "encode_package", "encode_relations"]

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_CORE = f"{_PACKAGE}/relationships/metadata/core-properties"


def encode_relations(targets: Mapping[str, str]) -> str:
    """Write a relationship part; `targets` maps each target to its type."""
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets.items(), start=1)
    )
    return f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _content_types(types: Mapping[str, str]) -> str:
    lines = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items()
    )
    return (
        f'{HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{lines}'
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        '<Override PartName="/docProps/app.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.extended-properties+xml"/></Types>'
    )


def _core(properties: Properties) -> str:
    moment = properties.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(properties.title)}</dc:title>"
        f"<dc:creator>{escape(properties.author)}</dc:creator>"
        f"<dc:language>{properties.language}</dc:language>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified>'
        "</cp:coreProperties>"
    )


def encode_package(
    parts: Mapping[str, str], *, types: Mapping[str, str], properties: Properties
) -> bytes:
    """Pack parts with their types; the first of `types` is the main part."""
    main = next(iter(types))
    relations = {
        main: f"{_OFFICE}/officeDocument",
        "docProps/core.xml": _CORE,
        "docProps/app.xml": f"{_OFFICE}/extended-properties",
    }
    application = (
        f'{HEAD}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
        'extended-properties"><Application>Vermilion example maker</Application></Properties>'
    )
    return encode_zip(
        {
            "[Content_Types].xml": _content_types(types),
            "_rels/.rels": encode_relations(relations),
            **parts,
            "docProps/core.xml": _core(properties),
            "docProps/app.xml": application,
        }
    )
