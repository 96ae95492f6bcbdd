"""Angles, which are in radians unless a node says otherwise, and points of the plane.

An angle has to be finite: of infinity there is no sine, and asking is an error. Not-a-number goes through.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect

Number = int | float


def _finite(node: str, angle: Number) -> Number:
    if isinstance(angle, float) and math.isinf(angle):
        raise ValueError(f"{node}: expected a finite angle, got {expect.short(angle)}.")
    return angle


def _ratio(node: str, value: Number) -> Number:
    if abs(value) > 1:
        raise ValueError(f"{node}: expected a number from -1 to 1, got {expect.short(value)}.")
    return value


@tf.data_node(id="trigonometry.sine")
def sine(angle: Number) -> float:
    """The sine of an angle.

    >>> sine(math.pi / 2)
    1.0
    """
    try:
        return math.sin(_finite("trigonometry.sine", angle))
    except OverflowError:
        raise expect.beyond("trigonometry.sine", angle) from None


@tf.data_node(id="trigonometry.cosine")
def cosine(angle: Number) -> float:
    """The cosine of an angle.

    >>> cosine(0)
    1.0
    """
    try:
        return math.cos(_finite("trigonometry.cosine", angle))
    except OverflowError:
        raise expect.beyond("trigonometry.cosine", angle) from None


@tf.data_node(id="trigonometry.tangent")
def tangent(angle: Number) -> float:
    """The tangent of an angle. It is never infinite: no float is exactly a right angle.

    >>> tangent(0)
    0.0
    """
    try:
        return math.tan(_finite("trigonometry.tangent", angle))
    except OverflowError:
        raise expect.beyond("trigonometry.tangent", angle) from None


@tf.data_node(id="trigonometry.arc_sine")
def arc_sine(value: Number) -> float:
    """The angle from -pi/2 to pi/2 that has this sine. A number beyond -1 and 1 is an error.

    >>> arc_sine(1) == math.pi / 2
    True
    """
    try:
        return math.asin(_ratio("trigonometry.arc_sine", value))
    except OverflowError:
        raise expect.beyond("trigonometry.arc_sine", value) from None


@tf.data_node(id="trigonometry.arc_cosine")
def arc_cosine(value: Number) -> float:
    """The angle from 0 to pi that has this cosine. A number beyond -1 and 1 is an error.

    >>> arc_cosine(1)
    0.0
    """
    try:
        return math.acos(_ratio("trigonometry.arc_cosine", value))
    except OverflowError:
        raise expect.beyond("trigonometry.arc_cosine", value) from None


@tf.data_node(id="trigonometry.arc_tangent")
def arc_tangent(value: Number) -> float:
    """The angle from -pi/2 to pi/2 that has this tangent; infinity has one too.

    >>> arc_tangent(math.inf) == math.pi / 2
    True
    """
    try:
        return math.atan(value)
    except OverflowError:
        raise expect.beyond("trigonometry.arc_tangent", value) from None


@tf.data_node(id="trigonometry.angle")
def angle(x: Number, y: Number) -> float:
    """The direction of a point as seen from the origin, from -pi to pi, counted from the x axis towards the y axis.

    Of the origin itself it is 0.

    >>> angle(0, 2) == math.pi / 2
    True
    """
    try:
        return math.atan2(y, x)
    except OverflowError:
        raise expect.beyond("trigonometry.angle", x, y) from None


@tf.data_node(id="trigonometry.to_degrees")
def to_degrees(angle: Number) -> float:
    """An angle in degrees.

    >>> to_degrees(math.pi)
    180.0
    """
    try:
        return math.degrees(angle)
    except OverflowError:
        raise expect.beyond("trigonometry.to_degrees", angle) from None


@tf.data_node(id="trigonometry.to_radians")
def to_radians(degrees: Number) -> float:
    """An angle, given in degrees, in radians.

    >>> to_radians(180) == math.pi
    True
    """
    try:
        return math.radians(degrees)
    except OverflowError:
        raise expect.beyond("trigonometry.to_radians", degrees) from None


@tf.data_node(id="trigonometry.distance")
def distance(x1: Number, y1: Number, x2: Number = 0, y2: Number = 0) -> float:
    """How far two points are apart; from the origin, if only one is given.

    >>> distance(3, 4)
    5.0
    """
    try:
        return math.hypot(x2 - x1, y2 - y1)
    except OverflowError:
        raise expect.beyond("trigonometry.distance", x1, y1, x2, y2) from None


class Polar(NamedTuple):
    """A point by its distance from the origin and its direction."""

    radius: float
    angle: float


@tf.data_node(id="trigonometry.to_polar")
def to_polar(x: Number, y: Number) -> Polar:
    """A point's distance from the origin, and its direction from -pi to pi; the origin's direction is 0.

    >>> to_polar(-2, 0)
    Polar(radius=2.0, angle=3.141592653589793)
    """
    try:
        return Polar(math.hypot(x, y), math.atan2(y, x))
    except OverflowError:
        raise expect.beyond("trigonometry.to_polar", x, y) from None


class Point(NamedTuple):
    """A point of the plane."""

    x: float
    y: float


@tf.data_node(id="trigonometry.from_polar")
def from_polar(radius: Number, angle: Number) -> Point:
    """The point that is so far from the origin in this direction; for a negative radius in the opposite one.

    >>> from_polar(2, 0)
    Point(x=2.0, y=0.0)
    """
    _finite("trigonometry.from_polar", angle)
    try:
        return Point(radius * math.cos(angle), radius * math.sin(angle))
    except OverflowError:
        raise expect.beyond("trigonometry.from_polar", radius, angle) from None
