"""A fit to measured data: the exact Jacobian beside finite differences, judged by certified values.

Fourteen measurements of adsorption, the volume ``y`` at pressure ``x``, are fitted with two parameters::

    y = b1·(1 - exp(-b2·x))

A least-squares fit needs the 14-by-2 matrix of the derivatives of the residuals with respect to ``b1``
and ``b2``.  ``scipy.optimize.least_squares`` takes differences unless it is given the matrix, and
``jac=dd.jacobian(residuals)`` gives it.  Differences must choose a step, and SciPy's is 1.5e-8 for every
parameter below 1: coarse for a ``b2`` of 5.5e-4, where the matrix is wrong from its sixth digit on.
Dual numbers have no step to choose.

At the minimum the same matrix says how well the parameters are known: their covariance is
``s²·(JᵀJ)⁻¹``, where ``s²`` is the sum of the squared residuals per degree of freedom.

The data set is Misra1a of the Statistical Reference Datasets for nonlinear regression, National Institute
of Standards and Technology (a work of the United States government, in the public domain):
https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml.
It was measured by D. Misra, Dental Research Monomolecular Adsorption Study, NIST (1978).
NIST certifies the answer to eleven digits and proposes a start far from it.  ``b1`` and ``b2`` differ in
size by a factor of almost a million, so the steps of the fit are scaled by the matrix: ``x_scale="jac"``.

Run it (it needs SciPy): ``python examples/04_fit.py``.
Draw it: ``python examples/04_fit.py --plot fit.png``.
"""

import argparse
import math

import numpy as np

import dualdiff as dd

# fmt: off
VOLUME = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                   44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
PRESSURE = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                     378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
# fmt: on

START = np.array([500.0, 0.0001])  # NIST's "start 1", the far one
CERTIFIED = np.array([2.3894212918e02, 5.5015643181e-04])
CERTIFIED_ERRORS = np.array([2.7070075241e00, 7.2668688436e-06])
CERTIFIED_SUM_OF_SQUARES = 1.2455138894e-01
CERTIFIED_RESIDUAL_DEVIATION = 1.0187876330e-01


def model(b, x):
    """Return the volume at pressure x."""
    return b[0] * (1 - np.exp(-b[1] * x))


def residuals(b):
    """Return model minus measurement at the fourteen pressures."""
    return model(b, PRESSURE) - VOLUME


def jacobian_on_paper(b):
    """Return the derivatives of the residuals as worked out on paper: the oracle for the derivatives."""
    decay = np.exp(-b[1] * PRESSURE)
    return np.stack([1 - decay, b[0] * PRESSURE * decay], axis=1)


def fit(least_squares, jac):
    """Return SciPy's answer from NIST's far start and how often it ran the residuals."""
    runs = 0

    def counted(b):
        nonlocal runs
        runs += 1
        return residuals(b)

    if jac == "dualdiff":
        jac = dd.jacobian(counted)
    answer = least_squares(counted, START, jac=jac, x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return answer, runs


def relative_error(found, expected):
    """Return the largest relative error of any entry."""
    return np.max(np.abs(found - expected) / np.abs(expected))


def digits(found, certified):
    """Return the number of digits that agree, in the worst parameter; eleven is all that is certified."""
    return min(11.0, -math.log10(max(relative_error(found, certified), 1e-16)))


def covariance(b):
    """Return s²·(JᵀJ)⁻¹, by the QR factors of J: JᵀJ itself would square a large condition number."""
    jacobian = dd.jacobian(residuals)(b)
    inverse = np.linalg.inv(np.linalg.qr(jacobian).R)
    freedom = jacobian.shape[0] - jacobian.shape[1]
    return np.sum(residuals(b) ** 2) / freedom * inverse @ inverse.T


def show_fits(least_squares):
    """Fit with either Jacobian, print the race, hold the winner against NIST, and return it."""
    print("y = b1*(1 - exp(-b2*x)), 14 measurements, from NIST's start b1 = 500, b2 = 0.0001\n")
    print(f"  {'Jacobian':20}{'its error':>12}{'iterations':>12}{'runs of f':>11}{'digits of b1, b2':>18}")
    found = {}
    for name, jac in (("dd.jacobian", "dualdiff"), ("finite differences", "2-point")):
        answer, runs = fit(least_squares, jac)
        error = relative_error(answer.jac, jacobian_on_paper(answer.x))
        found[name] = (answer.x, error)
        print(f"  {name:20}{error:12.1e}{answer.njev:12}{runs:11}{digits(answer.x, CERTIFIED):18.1f}")

    best, error = found["dd.jacobian"]
    assert error < 1e-15
    assert found["finite differences"][1] > 1e5 * error
    assert relative_error(best, CERTIFIED) < 1e-9
    np.testing.assert_allclose(dd.jacobian(residuals)(START), jacobian_on_paper(START), rtol=1e-15)
    return best


def show_errors(b):
    """Print parameters with their standard errors, as NIST certifies them."""
    errors = np.sqrt(np.diag(covariance(b)))
    sum_of_squares = np.sum(residuals(b) ** 2)
    deviation = math.sqrt(sum_of_squares / (VOLUME.size - b.size))
    print(f"\n  {'':22}{'found':>18}{'certified':>18}")
    rows = [
        ("b1", b[0], CERTIFIED[0]),
        ("b2", b[1], CERTIFIED[1]),
        ("standard error of b1", errors[0], CERTIFIED_ERRORS[0]),
        ("standard error of b2", errors[1], CERTIFIED_ERRORS[1]),
        ("residual deviation", deviation, CERTIFIED_RESIDUAL_DEVIATION),
        ("sum of squares", sum_of_squares, CERTIFIED_SUM_OF_SQUARES),
    ]
    for name, ours, certified in rows:
        print(f"  {name:22}{ours:18.10e}{certified:18.10e}")
        assert math.isclose(ours, certified, rel_tol=1e-9), name


def draw(path, b):
    """Draw measurements and fitted curve and, below, the residuals over the uncertainty of the curve."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--plot needs matplotlib; everything else ran without it.") from None

    x = np.linspace(0, 800, 201)
    moves = dd.jacobian(lambda b: model(b, x))(b)  # how the curve moves with b: (201, 2)
    spread = 2 * np.sqrt(np.einsum("ij,jk,ik->i", moves, covariance(b), moves))
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot(x, model(b, x), label=f"{b[0]:.1f} (1 - exp(-{b[1]:.3e} x))")
    above.plot(PRESSURE, VOLUME, "k.", label="measured")
    above.set(title="NIST Misra1a: monomolecular adsorption", ylabel="volume")
    above.legend()
    below.axhline(0, color="tab:blue")
    below.fill_between(x, -spread, spread, alpha=0.2, label="two standard errors of the curve")
    below.plot(PRESSURE, -residuals(b), "k.")
    below.set(xlabel="pressure", ylabel="measured - fitted")
    below.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    print(f"drawn: {path}")


def main():
    """Fit, say how well the parameters are known, and draw if asked."""
    parser = argparse.ArgumentParser(description="Fit NIST's Misra1a with exact derivatives.")
    parser.add_argument("--plot", metavar="FILE", help="draw the fit into this file (needs matplotlib)")
    options = parser.parse_args()

    try:
        from scipy.optimize import least_squares
    except ImportError:
        print("This example fits with SciPy, which is not installed: pip install scipy")
        return
    b = show_fits(least_squares)
    show_errors(b)
    if options.plot:
        draw(options.plot, b)


if __name__ == "__main__":
    main()
