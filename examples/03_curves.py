"""Curves in space: three derivatives tell how a curve runs, bends and twists.

A curve is a function of one number, ``c(t)``, with three coordinates.  Write ``v, a, j`` for its first three
derivatives (velocity, acceleration, jerk)::

    speed       |v|
    curvature   |v × a| / |v|³              how sharply it bends: 1/radius of the circle that fits best
    torsion     (v × a)·j / |v × a|²        how fast it leaves the plane of that circle

The directions ``T = v/|v|``, ``B = (v × a)/|v × a|`` and ``N = B × T`` stand at right angles and travel
with the curve: the Frenet frame.  How it turns is again only curvature and torsion (Frenet and Serret)::

    T' =  |v|·curvature·N
    B' = -|v|·torsion·N

``dd.derivatives(c, 3)(t)`` returns ``c, v, a, j`` together; ``dd.derivative`` of a function that itself
takes derivatives checks Frenet and Serret.

Run it: ``python examples/03_curves.py``.
Draw it: ``python examples/03_curves.py --plot curves.png``.
"""

import argparse
import math

import numpy as np

import dualdiff as dd

A, B = 2.0, 0.5  # the helix: its radius, and its climb per radian
P, Q = 3.0, 2.0  # the half axes of the ellipse


def helix(t):
    """Turn round the z axis and climb: curvature and torsion are the same everywhere."""
    return np.array([A * np.cos(t), A * np.sin(t), B * t])


def twisted_cubic(t):
    """Go through (t, t², t³), the simplest curve that lies in no plane."""
    return np.array([t, t**2, t**3])


def ellipse(t):
    """Run round an ellipse in the plane z = 0: it bends and never twists."""
    return np.array([P * np.cos(t), Q * np.sin(t), 0.0])


def helix_closed_form(_):
    """Return curvature a/(a² + b²) and torsion b/(a² + b²)."""
    return A / (A**2 + B**2), B / (A**2 + B**2)


def twisted_cubic_closed_form(t):
    """Return curvature and torsion of the twisted cubic; at t = 0 they are 2 and 3."""
    twist = 9 * t**4 + 9 * t**2 + 1
    return 2 * math.sqrt(twist) / (9 * t**4 + 4 * t**2 + 1) ** 1.5, 3 / twist


def ellipse_closed_form(t):
    """Return curvature and torsion of the ellipse; at the ends of the axes the first is p/q² and q/p²."""
    return P * Q / math.hypot(P * math.sin(t), Q * math.cos(t)) ** 3, 0.0


def curvature_and_torsion(curve, t):
    """Return both numbers at t, from the first three derivatives."""
    _, v, a, j = dd.derivatives(curve, 3)(t)
    binormal = np.cross(v, a)
    length = np.linalg.norm(binormal)
    return length / np.linalg.norm(v) ** 3, np.dot(binormal, j) / length**2


def speed(curve, t):
    """Return the length of the velocity."""
    return np.linalg.norm(dd.derivative(curve)(t))


def frame(curve, t):
    """Return the Frenet frame, the rows T, N, B; NumPy all through, so it can be differentiated in turn."""
    _, v, a = dd.derivatives(curve, 2)(t)
    across = np.cross(v, a)
    tangent = v / np.linalg.norm(v)
    binormal = across / np.linalg.norm(across)
    return np.stack([tangent, np.cross(binormal, tangent), binormal])


def around(n):
    """Return n angles spread evenly round the circle: the mean over them is a very good quadrature."""
    return 2 * math.pi * np.arange(n) / n


def show_curve(curve, closed_form, points):
    """Print curvature and torsion along a curve; hold them, and the turning frame, against the books."""
    print(f"{curve.__name__.replace('_', ' ')}\n  {'t':>6}{'speed':>10}{'curvature':>12}{'torsion':>10}")
    for t in points:
        curvature, torsion = curvature_and_torsion(curve, t)
        print(f"  {t:6.2f}{speed(curve, t):10.4f}{curvature:12.6f}{torsion + 0.0:10.6f}")

        expected_curvature, expected_torsion = closed_form(t)
        assert math.isclose(curvature, expected_curvature, rel_tol=1e-13)
        assert math.isclose(torsion, expected_torsion, rel_tol=1e-12, abs_tol=1e-15)

        axes = frame(curve, t)
        turning = dd.derivative(lambda u: frame(curve, u))(t)
        frenet = np.array([[0, curvature, 0], [-curvature, 0, torsion], [0, -torsion, 0]])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
        np.testing.assert_allclose(turning, speed(curve, t) * frenet @ axes, atol=1e-12)
    print()


def show_totals():
    """Integrate along whole curves: the length of one turn of the helix, the total turning of the ellipse."""
    length = 2 * math.pi * np.mean([speed(helix, t) for t in around(4)])
    bends = [curvature_and_torsion(ellipse, t)[0] * speed(ellipse, t) for t in around(64)]
    turning = 2 * math.pi * np.mean(bends)
    print(f"length of one turn of the helix  {length:.14f}")
    print(f"2 pi sqrt(a^2 + b^2)             {2 * math.pi * math.hypot(A, B):.14f}")
    print(f"total turning of the ellipse     {turning:.14f}")
    print(f"2 pi, as for every closed loop   {2 * math.pi:.14f}")

    assert math.isclose(length, 2 * math.pi * math.hypot(A, B), rel_tol=1e-14)
    assert math.isclose(turning, 2 * math.pi, rel_tol=1e-13)


def draw(path):
    """Draw the helix with its Frenet frame at a few points, and the two numbers along the twisted cubic."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--plot needs matplotlib; everything else ran without it.") from None

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    space = figure.add_subplot(1, 2, 1, projection="3d")
    space.plot(*helix(np.linspace(0, 4 * math.pi, 200)), color="tab:gray")
    colors = ("tab:red", "tab:green", "tab:blue")
    for place, t in enumerate(np.linspace(1.0, 11.0, 5)):
        for label, arrow, color in zip("TNB", frame(helix, t), colors, strict=True):
            space.quiver(*helix(t), *arrow, color=color, label=None if place else label)
    space.set(title="helix and its Frenet frame", xlabel="x", ylabel="y", zlabel="z")
    space.set_aspect("equal")
    space.locator_params(nbins=4)
    space.legend(loc="upper left")

    plane = figure.add_subplot(1, 2, 2)
    t = np.linspace(-1.5, 1.5, 121)
    both = np.array([curvature_and_torsion(twisted_cubic, u) for u in t])
    plane.plot(t, both[:, 0], label="curvature")
    plane.plot(t, both[:, 1], label="torsion")
    plane.set(title="twisted cubic (t, t², t³)", xlabel="t")
    plane.grid(alpha=0.3)
    plane.legend()
    figure.savefig(path, dpi=120)
    print(f"drawn: {path}")


def main():
    """Bend and twist along three curves, integrate along two, and draw if asked."""
    parser = argparse.ArgumentParser(description="Curvature, torsion and the Frenet frame of three curves.")
    parser.add_argument("--plot", metavar="FILE", help="draw the curves into this file (needs matplotlib)")
    options = parser.parse_args()

    show_curve(helix, helix_closed_form, [0.0, 0.7, 4.0])
    show_curve(twisted_cubic, twisted_cubic_closed_form, [0.0, 0.5, 1.0, -1.5])
    show_curve(ellipse, ellipse_closed_form, [0.0, 0.5, math.pi / 2])
    show_totals()
    if options.plot:
        draw(options.plot)


if __name__ == "__main__":
    main()
