"""Surfaces: the columns of df/d(s, t) are tangent vectors, and all of first-year geometry follows from them.

A surface is a function of two numbers, ``f(s, t)``, with three coordinates.
Its Jacobian is a 3-by-2 matrix::

    J = df/d(s, t) = [ ∂f/∂s  ∂f/∂t ]

    first column    where the point goes when s grows: tangent to the curve t = constant
    second column   where the point goes when t grows: tangent to the curve s = constant
    their cross product      the normal, and its length is the area element dA/(ds dt)
    JᵀJ = [E F; F G]         the first fundamental form: lengths and angles on the surface
    det(JᵀJ)                 the square of the area element

Differentiate J once more and the surface tells how it bends: ``L, M, N`` are the second derivatives
measured along the unit normal, and ``K = (L·N - M²)/(E·G - F²)`` is Gauss's curvature.

The torus, the helicoid and a saddle are differentiated here as they are written, and compared with
what the books say.

Run it: ``python examples/02_surfaces.py``.
Draw it: ``python examples/02_surfaces.py --plot surfaces.png``.
"""

import argparse
import math

import numpy as np

import dualdiff as dd

R, r = 2.0, 0.75  # the torus: distance of the tube's centre from the axis, radius of the tube
C = 0.5  # the helicoid climbs 2π·C in one turn


def torus(s, t):
    """Go round the axis by s and round the tube by t."""
    ring = R + r * np.cos(t)
    return np.stack([ring * np.cos(s), ring * np.sin(s), r * np.sin(t)])


def helicoid(s, t):
    """Go out along a rod by s while the rod turns by t and climbs: a spiral staircase."""
    return np.stack([s * np.cos(t), s * np.sin(t), C * t])


def saddle(s, t):
    """Go up with s and down with t."""
    return np.stack([s, t, s**2 - t**2])


def torus_closed_form(s, t):
    """Return the normal, (E, F, G) and the Gaussian curvature of the torus, from the books."""
    ring = R + r * math.cos(t)
    outward = [math.cos(t) * math.cos(s), math.cos(t) * math.sin(s), math.sin(t)]
    return np.multiply(r * ring, outward), (ring**2, 0.0, r**2), math.cos(t) / (r * ring)


def helicoid_closed_form(s, t):
    """Return the same three of the helicoid."""
    area = math.hypot(s, C)
    return np.array([C * math.sin(t), -C * math.cos(t), s]), (1.0, 0.0, area**2), -((C / area**2) ** 2)


def saddle_closed_form(s, t):
    """Return the same three of the saddle, whose coordinate lines do not meet at right angles: F is not 0."""
    form = (1 + 4 * s**2, -4 * s * t, 1 + 4 * t**2)
    return np.array([-2 * s, 2 * t, 1.0]), form, -4 / (1 + 4 * s**2 + 4 * t**2) ** 2


def normal(jacobian):
    """Return the cross product of the two columns: across the surface, as long as the area element."""
    return np.cross(jacobian[:, 0], jacobian[:, 1])


def gaussian_curvature(surface, s, t):
    """Return K = (L·N - M²)/(E·G - F²); the Jacobian of the Jacobian holds all second derivatives."""
    jacobian = dd.jacobian(surface)(s, t)
    second = dd.jacobian(dd.jacobian(surface))(s, t)  # shape (3, 2, 2)
    across = normal(jacobian)
    along_normal = np.einsum("i,ijk->jk", across / np.linalg.norm(across), second)
    return np.linalg.det(along_normal) / np.linalg.det(jacobian.T @ jacobian)


def area_elements(surface, s, t):
    """Return the area element at every point of a grid: one pass for each direction, all points at once."""
    one, zero = np.ones_like(s), np.zeros_like(s)
    along_s = dd.jvp(surface, (s, t), (one, zero))[1]
    along_t = dd.jvp(surface, (s, t), (zero, one))[1]
    return np.linalg.norm(np.cross(along_s, along_t, axis=0), axis=0)


def torus_area(n):
    """Return the area of the torus; its element is periodic, so the mean over an even grid integrates it."""
    angle = 2 * math.pi * np.arange(n) / n
    return (2 * math.pi) ** 2 * np.mean(area_elements(torus, *np.meshgrid(angle, angle)))


def helicoid_area(n):
    """Return the area of one turn of the helicoid with rods of length 2, by Gauss's quadrature in s."""
    s, weights = np.polynomial.legendre.leggauss(n)
    return 2 * math.pi * np.sum(weights * area_elements(helicoid, s, np.zeros_like(s)))


def show_point(surface, closed_form, s, t):
    """Print the geometry of a surface at one point and hold it against the closed forms."""
    jacobian = dd.jacobian(surface)(s, t)
    across = normal(jacobian)
    form = jacobian.T @ jacobian
    curvature = gaussian_curvature(surface, s, t)
    with np.printoptions(precision=4, suppress=True, floatmode="fixed", sign=" "):
        print(f"{surface.__name__} at (s, t) = ({s}, {t})")
        print(f"  df/ds   {jacobian[:, 0]}")
        print(f"  df/dt   {jacobian[:, 1]}")
        print(f"  normal  {across}   area element {np.linalg.norm(across):.4f}")
        print(f"  E, F, G {form[[0, 0, 1], [0, 1, 1]]}   Gaussian curvature {curvature:.4f}\n")

    expected_normal, (e, f, g), expected_curvature = closed_form(s, t)
    assert jacobian.shape == (3, 2)
    np.testing.assert_allclose(across, expected_normal, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(form, [[e, f], [f, g]], rtol=1e-13, atol=1e-14)
    assert math.isclose(np.linalg.norm(across), math.sqrt(e * g - f * f), rel_tol=1e-13)
    assert math.isclose(curvature, expected_curvature, rel_tol=1e-12)
    np.testing.assert_allclose(across @ jacobian, 0, atol=1e-14)


def show_areas():
    """Integrate the area element over whole surfaces."""
    torus_sum, torus_exact = torus_area(8), 4 * math.pi**2 * R * r
    helicoid_exact = 2 * math.pi * (math.hypot(1, C) + C**2 * math.asinh(1 / C))
    helicoid_sum = helicoid_area(40)
    print(f"area of the torus, 8 x 8 points   {torus_sum:.14f}")
    print(f"4 pi^2 R r                        {torus_exact:.14f}")
    print(f"area of one turn of the helicoid  {helicoid_sum:.14f}")
    print(f"by the closed form                {helicoid_exact:.14f}")

    assert math.isclose(torus_sum, torus_exact, rel_tol=1e-14)
    assert math.isclose(helicoid_sum, helicoid_exact, rel_tol=1e-13)


def draw(path):
    """Draw the three surfaces, each with its two tangent vectors and its unit normal at one point."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--plot needs matplotlib; everything else ran without it.") from None

    turn = np.linspace(0, 2 * math.pi, 61)
    unit = np.linspace(-1, 1, 31)
    pictures = [
        (torus, np.meshgrid(turn, turn), (4.2, 0.8)),
        (helicoid, np.meshgrid(unit, turn), (0.6, 2.2)),
        (saddle, np.meshgrid(unit, unit), (0.3, -0.4)),
    ]
    figure = Figure(figsize=(13, 4.8))
    for place, (surface, grid, point) in enumerate(pictures, start=1):
        axes = figure.add_subplot(1, 3, place, projection="3d")
        axes.plot_surface(*surface(*grid), color="lightsteelblue", alpha=0.45, linewidth=0)
        jacobian = dd.jacobian(surface)(*point)
        across = normal(jacobian)
        arrows = [
            ("df/ds", jacobian[:, 0], "tab:red"),
            ("df/dt", jacobian[:, 1], "tab:green"),
            ("unit normal", across / np.linalg.norm(across), "black"),
        ]
        for label, arrow, color in arrows:
            axes.quiver(*surface(*point), *arrow, color=color, label=label)
        axes.set(title=f"{surface.__name__}, (s, t) = {point}", xlabel="x", ylabel="y", zlabel="z")
        axes.set_aspect("equal")
        axes.locator_params(nbins=4)
    figure.subplots_adjust(left=0.01, right=0.97, bottom=0.06, top=0.9, wspace=0.12)
    figure.legend(*axes.get_legend_handles_labels(), loc="lower left")
    figure.savefig(path, dpi=120)
    print(f"drawn: {path}")


def main():
    """Differentiate three surfaces, measure two of them, and draw them if asked."""
    parser = argparse.ArgumentParser(description="Tangent vectors, normals and areas of three surfaces.")
    parser.add_argument("--plot", metavar="FILE", help="draw the surfaces into this file (needs matplotlib)")
    options = parser.parse_args()

    show_point(torus, torus_closed_form, 4.2, 0.8)
    show_point(helicoid, helicoid_closed_form, 0.6, 2.2)
    show_point(saddle, saddle_closed_form, 0.3, -0.4)
    show_areas()
    if options.plot:
        draw(options.plot)


if __name__ == "__main__":
    main()
