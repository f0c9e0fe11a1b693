"""Sensitivity of a differential equation: how the end of a path moves with its start and its parameters.

A path ``u(t)`` follows ``u' = r(u, p)`` from its start ``u_0``.  Runge and Kutta's method walks along it in
steps, the program below is a loop over them, and differentiating the program differentiates the walk.  On
paper, the derivatives ``S = ∂u/∂(u_0, p)`` follow an equation of their own, the variational equation::

    S' = ∂r/∂u · S + [0 | ∂r/∂p]          S(0) = [I | 0]

Walking it beside ``u`` with the same method and the same steps gives the same numbers as differentiating the
walk, up to rounding: each stage of the method is a sum of values of r, and the derivative of that sum is the
same sum of the derivatives.  So the derivative is exact for the computed path, and its distance from the true
one falls as that of the path does, with the fourth power of the step.

How many passes it takes depends on the shape of the answer::

    forward   a column for each pass    how everything at the end moves with one number at the start
    reverse   a row for each pass       how one number at the end moves with everything at the start

Forward mode needs no memory of the path.  Reverse mode walks the path once, keeps a record of every step, and
reads it from the end to the start.

Run it: ``python examples/08_sensitivity.py``.
Draw it: ``python examples/08_sensitivity.py --plot sensitivity.png``.
"""

import argparse
import math

import numpy as np

import dualdiff as dd

HARES_AND_LYNXES = np.array([1.0, 0.4])  # the start: prey, predators
RATES = np.array([1.0, 0.8, 0.9, 0.6])  # births of prey, catches, deaths of predators, births of predators
UNTIL, STEPS = 8.0, 200  # a little more than once round
SWINGING = 5.0  # how long the oscillator swings
PUSHES = 40  # of the pendulum


def walk(r, u, p, until, steps):
    """Follow u' = r(u, p) by the method of Runge and Kutta; return the end."""
    h = until / steps
    for _ in range(steps):
        k1 = r(u, p)
        k2 = r(u + h / 2 * k1, p)
        k3 = r(u + h / 2 * k2, p)
        k4 = r(u + h * k3, p)
        u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return u


# --- the harmonic oscillator, where all is known ----------------------------------------------------------------------


def oscillator(u, omega):
    """Return (x', v') of x'' = -ω²·x."""
    return np.stack([u[1], -(omega**2) * u[0]])


def oscillator_on_paper(u, omega, t):
    """Return (x, v) at time t, and its derivatives by x_0, v_0 and ω."""
    x, v = u
    sin, cos = math.sin(omega * t), math.cos(omega * t)
    end = [x * cos + v / omega * sin, -x * omega * sin + v * cos]
    by_omega = [
        -x * t * sin + v * (omega * t * cos - sin) / omega**2,
        -x * (sin + omega * t * cos) - v * t * sin,
    ]
    return np.array(end), np.array([[cos, sin / omega, by_omega[0]], [-omega * sin, cos, by_omega[1]]])


def swing(u, omega, steps):
    """Return the oscillator at the end of the walk."""
    return walk(oscillator, u, omega, SWINGING, steps)


def show_oscillator():
    """Halve the step again and again: the error of the derivative falls as the error of the path does."""
    start, omega = np.array([1.0, 0.5]), 1.3
    last, slopes = oscillator_on_paper(start, omega, SWINGING)
    print(f"x'' = -omega^2 x from x = {start[0]}, v = {start[1]}, with omega = {omega}, to t = {SWINGING}\n")
    print(f"  {'steps':8}{'error of the end':>18}{'error of d(end)/d(x, v, omega)':>34}{'forward - reverse':>20}")
    errors = []
    for steps in (25, 50, 100):
        forward, reverse = (
            np.column_stack(dd.jacobian(swing, argnums=(0, 1), mode=mode)(start, omega, steps))
            for mode in ("forward", "reverse")
        )
        between = np.max(np.abs(forward - reverse))
        errors.append([np.max(np.abs(swing(start, omega, steps) - last)), np.max(np.abs(forward - slopes))])
        print(f"  {steps:<8}{errors[-1][0]:18.2e}{errors[-1][1]:34.2e}{between:20.1e}")
        assert between < 1e-13
    falls = np.divide(errors[-2], errors[-1])
    print(f"  the last halving of the step divided the errors by {falls[0]:.1f} and {falls[1]:.1f}: nearly 2^4\n")

    np.testing.assert_allclose(falls, 16, rtol=0.1)
    assert max(errors[-1]) < 1e-5


# --- prey and predators, where the derivative is held against the variational equation --------------------------------


def prey_and_predators(u, p):
    """Return (x', y') of Lotka and Volterra: prey x, predators y."""
    x, y = u
    births, catches, deaths, growth = p
    return np.stack([x * (births - catches * y), y * (growth * x - deaths)])


def end(u, p):
    """Return prey and predators at the end of the walk."""
    return walk(prey_and_predators, u, p, UNTIL, STEPS)


def variational(u, p):
    """Return ∂u/∂(u_0, p) at the end, by walking the variational equation beside the path: 2 + 2·6 numbers."""

    def beside(state, p):
        x, y = state[:2]
        births, catches, deaths, growth = p
        by_u = np.array([[births - catches * y, -catches * x], [growth * y, growth * x - deaths]])
        by_p = np.array([[x, -x * y, 0, 0], [0, 0, -y, x * y]])
        slopes = by_u @ state[2:].reshape(2, 6) + np.hstack([np.zeros((2, 2)), by_p])
        return np.concatenate([prey_and_predators(state[:2], p), slopes.ravel()])

    start = np.concatenate([u, np.eye(2, 6).ravel()])
    return walk(beside, start, p, UNTIL, STEPS)[2:].reshape(2, 6)


def conserved(u, p):
    """Return what does not change along a path of Lotka and Volterra."""
    births, catches, deaths, growth = p
    return growth * u[0] - deaths * np.log(u[0]) + catches * u[1] - births * np.log(u[1])


def show_prey_and_predators():
    """Print the 2-by-6 matrix, a column by column and b row by row, and hold it against three facts."""
    u, p = HARES_AND_LYNXES, RATES
    columns = dd.jacobian(end)(u, p)
    _, pullback = dd.vjp(end, u, p)
    rows = np.stack([np.concatenate(pullback(weights)) for weights in np.eye(2)])
    beside = variational(u, p)
    names = ("x_0", "y_0", "births", "catches", "deaths", "growth")
    print(f"prey x and predators y at t = {UNTIL}, from x_0 = {u[0]}, y_0 = {u[1]}: {end(u, p)}\n")
    print(f"  {'':24}" + "".join(f"{'d/d ' + name:>13}" for name in names))
    for i, which in enumerate("xy"):
        for name, matrix in (("forward", columns), ("reverse", rows), ("variational equation", beside)):
            print(f"  {which + ', ' + name:24}" + "".join(f"{entry:13.8f}" for entry in matrix[i]))
    print()
    np.testing.assert_allclose(columns, beside, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(rows, columns, rtol=1e-11, atol=1e-12)

    # V(u(t), p) = V(u_0, p) for all u_0 and p, so both sides have the same derivatives
    by_start, by_p = dd.gradient(conserved, argnums=(0, 1))(u, p)
    by_end, by_p_at_end = dd.gradient(conserved, argnums=(0, 1))(end(u, p), p)
    changes = by_end @ columns + np.concatenate([-by_start, by_p_at_end - by_p])
    print("  V = growth x - deaths ln x + catches y - births ln y is conserved, and so are its derivatives:")
    print(f"  they change by {np.max(np.abs(changes)):.1e} on the way, V itself by", end=" ")
    print(f"{abs(conserved(end(u, p), p) - conserved(u, p)):.1e}")
    np.testing.assert_allclose(changes, 0, atol=1e-6)

    # Liouville: an area of starts grows as dA/dt = trace(∂r/∂u)·A, and in ln x, ln y the trace is 0
    area = np.linalg.det(columns[:, :2])
    expected = np.prod(end(u, p)) / np.prod(u)
    print(f"  an area of starts grows {area:.9f} times; by Liouville's theorem {expected:.9f} times\n")
    assert math.isclose(area, expected, rel_tol=1e-5)


# --- forward or reverse? ----------------------------------------------------------------------------------------------


def damped(u, push):
    """Return (angle', speed') of a pendulum that loses a little of its speed and is pushed."""
    return np.stack([u[1], push - np.sin(u[0]) - 0.1 * u[1]])


def pendulum(pushes):
    """Push the pendulum anew for each tenth of a second; return where it was after each of them."""
    u, places = np.zeros(2), []
    for push in pushes:
        u = walk(damped, u, push, 0.1, 1)
        places.append(u[0])
    return np.stack(places)


def last_place(pushes):
    """Return the last of them: one number of many."""
    return pendulum(pushes)[-1]


def all_places(strength):
    """Return all of them, for pushes of one strength: many numbers of one."""
    return pendulum(strength * np.cos(0.1 * np.arange(PUSHES)))


def asked(f, x, mode):
    """Return the Jacobian of f at x, and how often f ran for it."""
    runs = []

    def counting(x):
        runs.append(x)
        return f(x)

    return dd.jacobian(counting, mode=mode)(x), len(runs)


def show_choice():
    """Ask a question with many inputs and one with many outputs, in both modes."""
    pushes = np.cos(0.1 * np.arange(PUSHES))
    print(f"a pendulum pushed {PUSHES} times on its way\n")
    print(f"  {'':42}{'outputs x inputs':>18}{'forward runs':>14}{'reverse runs':>14}{'readings':>10}")
    answers = []
    for question, f, x, expected in (
        ("last place by every push", last_place, pushes, (PUSHES, 1)),
        ("every place by the strength of all pushes", all_places, 1.0, (1, 1)),
    ):
        (forward, forward_runs), (reverse, reverse_runs) = asked(f, x, "forward"), asked(f, x, "reverse")
        outputs, inputs = forward.size // np.size(x), np.size(x)
        print(f"  {question:42}{f'{outputs} x {inputs}':>18}{forward_runs:14}{reverse_runs:14}{outputs:10}")
        answers.append(forward)
        np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-12)
        assert (forward_runs, reverse_runs) == expected
    print("  (a reading goes back through the record of the one run, and costs about as much as a forward run)")

    by_push, by_strength = answers  # the strength moves every push, so its derivative is a sum over the pushes
    assert math.isclose(by_push @ pushes, by_strength[-1], rel_tol=1e-10)


def after(u, t):
    """Return prey and predators at time t; u may be many starts side by side."""
    return walk(prey_and_predators, u, RATES, t, 100)


def draw(path):
    """Draw a circle of starts carried along, and the ellipses into which the derivative takes it."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--plot needs matplotlib; everything else ran without it.") from None

    figure = Figure(figsize=(7, 5.6), layout="constrained")
    axes = figure.add_subplot()
    path_of = np.array([after(HARES_AND_LYNXES, t) for t in np.linspace(0, UNTIL, 101)])
    axes.plot(*path_of.T, color="tab:gray", linewidth=0.8)
    turn = np.linspace(0, 2 * math.pi, 73)
    circle = 0.1 * np.stack([np.cos(turn), np.sin(turn)])
    for place, t in enumerate(np.linspace(0, 6, 7)):
        center, matrix = dd.value_and_jacobian(after, argnums=0)(HARES_AND_LYNXES, t)
        carried = after(HARES_AND_LYNXES[:, None] + circle, t)
        label = ("a circle of starts, carried along", "the derivative's ellipse")
        axes.plot(*carried, color="tab:blue", label=None if place else label[0])
        axes.plot(*(center[:, None] + matrix @ circle), "--", color="tab:red", label=None if place else label[1])
        axes.annotate(f"t = {t:.0f}", center, fontsize="small")
    axes.set(title="Lotka and Volterra", xlabel="prey", ylabel="predators")
    axes.set_aspect("equal")
    axes.legend()
    figure.savefig(path, dpi=120)
    print(f"drawn: {path}")


def main():
    """Differentiate three paths, in both modes, and draw one if asked."""
    parser = argparse.ArgumentParser(description="How the end of a path moves with start and parameters.")
    parser.add_argument("--plot", metavar="FILE", help="draw carried circles into this file (needs matplotlib)")
    options = parser.parse_args()

    show_oscillator()
    show_prey_and_predators()
    show_choice()
    if options.plot:
        draw(options.plot)


if __name__ == "__main__":
    main()
