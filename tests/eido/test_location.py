"""
Locations by value: which one, which shapes, and what is refused.
"""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.eido.location import Place, read_pidf_lo
from tests.eido.conftest import Read, document

GML = 'xmlns:gml="http://www.opengis.net/gml" xmlns:gs="http://www.opengis.net/pidflo/1.0"'
CRS = 'srsName="urn:ogc:def:crs:EPSG::4326"'
CIVIC = (
    '<ca:civicAddress xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr">'
    "<ca:RD>Maple</ca:RD><ca:HNO>4711</ca:HNO></ca:civicAddress>"
)
POINT = f"<gml:Point {GML} {CRS}><gml:pos>47.62 -122.28</gml:pos></gml:Point>"


def pidf(inside: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """
    Wrap a shape as a presence document.
    """
    return (
        f'{head}<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:x@example.gov">'
        '<tuple id="t"><status><gp:geopriv xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10">'
        f"<gp:location-info>{inside}</gp:location-info></gp:geopriv></status></tuple></presence>"
    )


def located(kind: Any, value: Any = None, **more: Any) -> dict[str, Any]:
    """
    Make one location.
    """
    return {"locationTypeDescriptionRegistryText": kind, "locationByValue": value, **more}


CIRCLE = (
    f"<gs:Circle {GML} {CRS}><gml:pos>47.6 -122.3</gml:pos>"
    '<gs:radius uom="urn:ogc:def:uom:EPSG::9001">85.5</gs:radius></gs:Circle>'
)
POLYGON = (
    f"<gml:Polygon {GML} {CRS}><gml:exterior><gml:LinearRing><gml:posList>"
    "47.0 -122.0 47.0 -123.0 48.0 -123.0 48.0 -122.0 47.0 -122.0"
    "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
ELLIPSE = (
    f"<gs:Ellipse {GML} {CRS}><gml:pos>47.5 -122.5</gml:pos><gs:semiMajorAxis>7</gs:semiMajorAxis>"
    "</gs:Ellipse>"
)
POINT_3D = (
    f'<gml:Point {GML} srsName="urn:ogc:def:crs:EPSG::4979"><gml:pos>47.1 -122.1 30</gml:pos>'
    "</gml:Point>"
)


@pytest.mark.parametrize(
    ("inside", "place"),
    [
        (POINT, Place(47.62, -122.28, "Point")),
        (POINT_3D, Place(47.1, -122.1, "Point")),
        (CIRCLE, Place(47.6, -122.3, "Circle", 85.5)),
        (ELLIPSE, Place(47.5, -122.5, "Ellipse")),
        (POLYGON, Place(47.5, -122.5, "Polygon")),
        (CIVIC + POINT, Place(47.62, -122.28, "Point")),
        (CIVIC, "location_civic_only"),
        (POINT.replace("4326", "26910"), "location_shape_not_read"),
        (POINT.replace("47.62 ", "147.62 "), "location_shape_not_read"),
        (POINT.replace("47.62 ", "nan "), "location_shape_not_read"),
        (POINT.replace("47.62 -122.28", ""), "location_shape_not_read"),
        (f"<gs:ArcBand {GML}><gml:pos>47 -122</gml:pos></gs:ArcBand>", "location_shape_not_read"),
        ("", "location_not_read"),
    ],
)
def test_a_shape_is_a_point_or_a_warning(inside: str, place: Place | str) -> None:
    """
    A point, the middle of a shape, or the code of the warning that says what it is instead.
    """
    assert read_pidf_lo(pidf(inside)) == place


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
)


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, [], {}, "", "no xml", "<presence>", "\0", "\ud800", "<a/>" * 2),
        pidf(POINT.replace("47.62", "&l9;"), f"<!DOCTYPE presence [{LAUGHS}]>"),
        pidf(
            POINT.replace("47.62", "&x;"),
            '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        ),
        pidf(POINT, '<!DOCTYPE p SYSTEM "http://192.0.2.1/p.dtd">'),
        pidf(POINT, '<!DOCTYPE p [<!ENTITY % x SYSTEM "http://192.0.2.1/x">%x;]>'),
        pidf(POINT, '<?xml version="1.0" encoding="NO-SUCH"?>').encode().decode("latin-1")[1:],
    ],
)
def test_what_is_no_location_or_brings_entities_is_refused(value: Any) -> None:
    """
    Entities, document types and outside references are refused before any is followed.
    """
    assert read_pidf_lo(value) == "location_not_read"


@pytest.mark.parametrize("piece", ["<a>", f"<gml:Point {GML}>", f"<gs:Circle {GML}><gml:pos>"])
def test_shapes_within_shapes_cost_no_more_than_their_length(piece: str) -> None:
    """
    A location of 200 kB that is nothing but nesting is answered soon.
    """
    name = piece[1:].split(">", 1)[0].split(" ", 1)[0]
    ends = "</gml:pos>" * piece.count("<gml:pos>") + f"</{name}>"
    count = 200_000 // (len(piece) + len(ends))
    began = time.process_time()
    place = read_pidf_lo(pidf(piece * count + ends * count))
    assert isinstance(place, str)
    assert time.process_time() - began < 20  # a guard against hanging, not a measure


@given(st.text(alphabet='<>/="gml:pos 0123456789.-&;!?[]abc', max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    """
    Whatever stands where a location should, the answer is a place or the code of a warning.
    """
    assert isinstance(read_pidf_lo(text), Place | str)
    assert isinstance(read_pidf_lo(pidf(text)), Place | str)


def test_the_incident_is_where_help_goes_and_not_the_tower(read: Read) -> None:
    """
    The incident's own location goes before where the call was routed; a tower's is never taken.
    """
    other = POINT.replace("47.62", "40.00")
    locations = [
        located("TowerLocation", pidf(other)),
        located("RoutingLocation", pidf(other)),
        located("CurrentIncident", pidf(POINT)),
    ]
    call, _ = read(document("where", locationComponent=locations))
    assert call.body["location"] == {"lat": 47.62, "lon": -122.28}
    assert call.kept["location"]["kind"] == "CurrentIncident"
    call, _ = read(document("where", locationComponent=locations[:1]))
    assert "location" not in call.body


def test_a_better_location_without_coordinates_is_passed_over_and_told_of(read: Read) -> None:
    """
    A street address or a reference gives no coordinates: the next kind does, with a warning.
    """
    locations = [
        located("CurrentIncident", pidf(CIVIC)),
        located("InitialIncident", locationByReferenceUrl="https://192.0.2.1/held/1"),
        located("RoutingLocation", pidf(CIRCLE)),
    ]
    call, noticed = read(document("next", locationComponent=locations))
    assert call.body["location"] == {"lat": 47.6, "lon": -122.3}
    assert call.kept["location"] == {"kind": "RoutingLocation", "shape": "Circle", "radius_m": 85.5}
    assert [(one.code, one.path) for one in noticed.warned()] == [
        ("location_civic_only", "locationComponent[0].locationByValue"),
        ("location_by_reference", "locationComponent[1].locationByReferenceUrl"),
    ]
