"""
Where help is needed, out of a document's locations: PIDF-LO (RFC 4119, RFC 5491), by value only.

Entities, document types and outside references are refused, and no address is ever fetched. Of a
street address nothing is taken.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from service.eido.document import LOCATIONS, components, text_in
from service.eido.noticed import Noticed
from service.eido.words import EidoWords

CENTRES: Final = ("Point", "Circle", "Ellipse", "Sphere", "Ellipsoid")
AREAS: Final = ("Polygon", "Prism")
WGS_84: Final = {"4326": 2, "4979": 3}  # EPSG code -> how many numbers a position has
METRES: Final = "9001"
SHAPES_MAX: Final = 16  # of one document that are tried, so that shapes within shapes cost little


@dataclass(frozen=True, slots=True)
class Place:
    """
    A point in degrees (WGS 84), the shape it is the middle of, and a circle's radius in metres.
    """

    lat: float
    lon: float
    shape: str
    radius_m: float | None = None


def place_of(
    document: Mapping[str, Any], words: EidoWords, noticed: Noticed
) -> tuple[str, Place] | None:
    """
    Give the kind of the best location that has coordinates, and the place; None without one.

    A better kind that has none is passed over, with a warning that says so.
    """
    found = components(document, LOCATIONS, noticed)
    kinds = [text_in(one, "locationTypeDescriptionRegistryText", noticed) for one in found]
    for wanted in words.locations:
        for (path, location), kind in zip(found, kinds, strict=True):
            if kind != wanted:
                continue
            value = location.get("locationByValue")
            if value is None and location.get("locationByReferenceUrl") is not None:
                noticed.add("location_by_reference", f"{path}.locationByReferenceUrl")
                continue
            place = read_pidf_lo(value)
            if isinstance(place, Place):
                return kind, place
            noticed.add(place, f"{path}.locationByValue")
    return None


def read_pidf_lo(value: object) -> Place | str:
    """
    Read a PIDF-LO document: the first shape that can be read, or the code of the warning.
    """
    if not isinstance(value, str):
        return "location_not_read"
    try:
        root = fromstring(value.strip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return "location_not_read"
    shapes = [one for one in root.iter() if _name(one) in (*CENTRES, *AREAS)]
    for shape in shapes[:SHAPES_MAX]:
        place = _middle(shape)
        if place is not None:
            return place
    has_others = any(_name(one) in ("ArcBand", "posList", "pos") for one in root.iter())
    if shapes or has_others:
        return "location_shape_not_read"
    has_address = any(_name(one) == "civicAddress" for one in root.iter())
    return "location_civic_only" if has_address else "location_not_read"


def _middle(shape: Element) -> Place | None:
    dimension = _dimension(shape)
    if dimension is None:
        return None
    name = _name(shape)
    points = list(_points(shape, dimension))
    if name in CENTRES and points:
        lat, lon = points[0]
        return _place(lat, lon, name, _radius(shape) if name == "Circle" else None)
    if name in AREAS and len(points) >= 3:
        lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
        return _place((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2, name)
    return None


def _place(lat: float, lon: float, shape: str, radius_m: float | None = None) -> Place | None:
    is_on_earth = abs(lat) <= 90 and abs(lon) <= 180
    return Place(lat, lon, shape, radius_m) if is_on_earth else None


def _dimension(shape: Element) -> int | None:
    """
    Give how many numbers a position has; None for another system of coordinates than WGS 84.
    """
    name = next((one.get("srsName") for one in shape.iter() if one.get("srsName")), None)
    if name is None:
        return 2
    return WGS_84.get(name.rpartition(":")[2].rpartition("/")[2])


def _points(shape: Element, dimension: int) -> Iterator[tuple[float, float]]:
    for one in shape.iter():
        if _name(one) == "pos":
            found = _numbers(one)
            if len(found) in (2, 3):
                yield found[0], found[1]
        elif _name(one) == "posList":
            found = _numbers(one)
            step = 3 if one.get("srsDimension") == "3" else dimension
            if len(found) % step == 0:
                yield from zip(found[::step], found[1::step], strict=True)


def _numbers(one: Element) -> list[float]:
    found = [_number(word) for word in (one.text or "").split()]
    return [] if None in found else [number for number in found if number is not None]


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in word else None


def _radius(shape: Element) -> float | None:
    for one in shape.iter():
        if _name(one) == "radius" and (one.get("uom") or METRES).endswith(METRES):
            radius = _number((one.text or "").strip())
            return radius if radius is not None and radius >= 0 else None
    return None


def _name(one: Element) -> str:
    return one.tag.rpartition("}")[2] if isinstance(one.tag, str) else ""
