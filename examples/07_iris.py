"""Iris: one neuron, then a small network, trained on 150 flowers that were measured in the field.

Of each flower four lengths are known, and its species.  One neuron sees the four numbers x and says with which
probability the flower is an Iris virginica rather than a versicolor::

    z = w_0 + w_1·x_1 + … + w_4·x_4          p = 1/(1 + exp(-z))

Statistics calls it logistic regression: w is where the 100 flowers at hand are most probable, the maximum of
``L(w) = Σ s·z - log(1 + exp(z))`` with s = 1 for virginica and 0 for versicolor.  On paper::

    ∂L/∂w    =  Xᵀ·(s - p)                   zero at the maximum
    ∂²L/∂w²  =  -Xᵀ·diag(p·(1 - p))·X        its negative is the information the flowers hold about w

Five numbers are few enough for Newton's method, which takes gradient and Hessian.

All three species need more: a hidden layer of bent sums, and a score for each species::

    h = tanh(A_1·x + b_1)        scores = A_2·h + b_2        p = exp(scores)/Σ exp(scores)

Its parameters are a dict of layers, and the gradient comes back as a dict of layers.  The loss is one number
and the parameters are many, so one reverse pass finds all of the gradient.  Every other flower is kept from
the training, and the network is judged by those.

The flowers were measured by E. Anderson and became famous through R. A. Fisher, "The use of multiple
measurements in taxonomic problems", Annals of Eugenics 7 (1936) 179-188.  A widespread copy has two errors
(Bezdek et al., IEEE Transactions on Fuzzy Systems 7 (1999) 368); the numbers below give the means of Fisher's
Table II and the sums of squares of his Table III.  The fit of the single neuron is held against the one that
R prints for ``glm(Species ~ ., family = binomial, data = iris[51:150, ])``.

Run it: ``python examples/07_iris.py``.
Draw it: ``python examples/07_iris.py --plot iris.png``.
"""

import argparse
import math

import numpy as np

import dualdiff as dd

# fmt: off
# Sepal length, sepal width, petal length, petal width in millimetres, nine flowers a line, in Fisher's order.
SETOSA = """
    51 35 14 2  49 30 14 2  47 32 13 2  46 31 15 2  50 36 14 2  54 39 17 4  46 34 14 3  50 34 15 2  44 29 14 2
    49 31 15 1  54 37 15 2  48 34 16 2  48 30 14 1  43 30 11 1  58 40 12 2  57 44 15 4  54 39 13 4  51 35 14 3
    57 38 17 3  51 38 15 3  54 34 17 2  51 37 15 4  46 36 10 2  51 33 17 5  48 34 19 2  50 30 16 2  50 34 16 4
    52 35 15 2  52 34 14 2  47 32 16 2  48 31 16 2  54 34 15 4  52 41 15 1  55 42 14 2  49 31 15 2  50 32 12 2
    55 35 13 2  49 36 14 1  44 30 13 2  51 34 15 2  50 35 13 3  45 23 13 3  44 32 13 2  50 35 16 6  51 38 19 4
    48 30 14 3  51 38 16 2  46 32 14 2  53 37 15 2  50 33 14 2
"""
VERSICOLOR = """
    70 32 47 14  64 32 45 15  69 31 49 15  55 23 40 13  65 28 46 15  57 28 45 13  63 33 47 16  49 24 33 10  66 29 46 13
    52 27 39 14  50 20 35 10  59 30 42 15  60 22 40 10  61 29 47 14  56 29 36 13  67 31 44 14  56 30 45 15  58 27 41 10
    62 22 45 15  56 25 39 11  59 32 48 18  61 28 40 13  63 25 49 15  61 28 47 12  64 29 43 13  66 30 44 14  68 28 48 14
    67 30 50 17  60 29 45 15  57 26 35 10  55 24 38 11  55 24 37 10  58 27 39 12  60 27 51 16  54 30 45 15  60 34 45 16
    67 31 47 15  63 23 44 13  56 30 41 13  55 25 40 13  55 26 44 12  61 30 46 14  58 26 40 12  50 23 33 10  56 27 42 13
    57 30 42 12  57 29 42 13  62 29 43 13  51 25 30 11  57 28 41 13
"""
VIRGINICA = """
    63 33 60 25  58 27 51 19  71 30 59 21  63 29 56 18  65 30 58 22  76 30 66 21  49 25 45 17  73 29 63 18  67 25 58 18
    72 36 61 25  65 32 51 20  64 27 53 19  68 30 55 21  57 25 50 20  58 28 51 24  64 32 53 23  65 30 55 18  77 38 67 22
    77 26 69 23  60 22 50 15  69 32 57 23  56 28 49 20  77 28 67 20  63 27 49 18  67 33 57 21  72 32 60 18  62 28 48 18
    61 30 49 18  64 28 56 21  72 30 58 16  74 28 61 19  79 38 64 20  64 28 56 22  63 28 51 15  61 26 56 14  77 30 61 23
    63 34 56 24  64 31 55 18  60 30 48 18  69 31 54 21  67 31 56 24  69 31 51 23  58 27 51 19  68 32 59 23  67 33 57 25
    67 30 52 23  63 25 50 19  65 30 52 20  62 34 54 23  59 30 51 18
"""
# fmt: on

FLOWERS = np.array((SETOSA + VERSICOLOR + VIRGINICA).split(), dtype=float).reshape(150, 4) / 10  # centimetres
SPECIES = np.repeat([0, 1, 2], 50)
NAMES = ("setosa", "versicolor", "virginica")

FISHER_MEANS = np.array([[5.006, 3.428, 1.462, 0.246], [5.936, 2.770, 4.260, 1.326]])  # Table II, two species
FISHER_SQUARES = np.array([19.1434, 11.8658, 12.2978, 2.4604])  # Table III, within the two species
GLM = np.array([-42.638, -2.465, -6.681, 9.429, 18.286])  # R, to the three decimals it prints
GLM_DEVIANCE = 11.899

HIDDEN = 5
RATE, STEPS = 0.5, 300
DECAY = 1e-3  # keeps the parameters small; without it, scores of flowers that are told apart grow for ever

TRAINING, KEPT = np.arange(0, 150, 2), np.arange(1, 150, 2)


def check_flowers():
    """Hold the flowers against what Fisher computed from them by hand."""
    first_two = FLOWERS[:100].reshape(2, 50, 4)
    means = np.mean(first_two, axis=1)
    squares = np.sum((first_two - means[:, None]) ** 2, axis=(0, 1))
    np.testing.assert_allclose(means, FISHER_MEANS, atol=1e-12)
    np.testing.assert_allclose(squares, FISHER_SQUARES, atol=1e-10)
    print("150 flowers; means and sums of squares of the first two species are Fisher's\n")


# --- one neuron -------------------------------------------------------------------------------------------------------


def log_likelihood(w, X, s):
    """Return the logarithm of how probable the species s are; logaddexp(0, z) is log(1 + exp z) without overflow."""
    z = X @ w
    return np.sum(s * z - np.logaddexp(0, z))


def newton(X, s):
    """Return the maximum and the way to it; the Hessian is the derivative of the gradient."""
    w, way = np.zeros(X.shape[1]), []
    for _ in range(20):
        value, gradient = dd.value_and_gradient(log_likelihood, argnums=0, mode="reverse")(w, X, s)
        way.append((value, np.max(np.abs(gradient))))
        step = np.linalg.solve(dd.hessian(log_likelihood, argnums=0)(w, X, s), gradient)
        w = w - step
        if np.max(np.abs(step)) < 1e-6:  # the next step would be as small as its square
            break
    return w, way


def show_neuron():
    """Fit the neuron, print the way there, and hold the fit against R and the derivatives against paper."""
    X = np.column_stack([np.ones(100), FLOWERS[50:]])
    s = np.repeat([0.0, 1.0], 50)
    w, way = newton(X, s)
    print("one neuron, versicolor or virginica: Newton's method from w = 0\n")
    print(f"  {'step':6}{'log-likelihood':>16}{'largest slope':>16}")
    for number, (value, slope) in enumerate(way):
        print(f"  {number:<6}{value:16.9f}{slope:16.1e}")

    p = 1 / (1 + np.exp(-X @ w))
    gradient = dd.gradient(log_likelihood, argnums=0, mode="reverse")(w, X, s)
    hessian = dd.hessian(log_likelihood, argnums=0)(w, X, s)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    names = ("w_0", "sepal length", "sepal width", "petal length", "petal width")
    print(f"\n  {'':14}{'found':>10}{'R':>10}{'std. error':>12}")
    for name, found, published, error in zip(names, w, GLM, errors, strict=True):
        print(f"  {name:14}{found:10.3f}{published:10.3f}{error:12.3f}")
    print(f"  {'deviance':14}{-2 * log_likelihood(w, X, s):10.3f}{GLM_DEVIANCE:10.3f}")
    print(f"  {np.sum((p > 0.5) == (s == 1))} of 100 flowers are named right\n")

    np.testing.assert_allclose(w, GLM, atol=5.1e-4)
    assert math.isclose(-2 * log_likelihood(w, X, s), GLM_DEVIANCE, abs_tol=5.1e-4)
    np.testing.assert_allclose(gradient, X.T @ (s - p), atol=1e-11)
    np.testing.assert_allclose(gradient, 0, atol=1e-8)
    np.testing.assert_allclose(hessian, -(X.T * (p * (1 - p))) @ X, rtol=1e-9)
    assert math.isclose(np.sum(p), np.sum(s), rel_tol=1e-9)  # the model expects as many virginicas as there are


# --- a network --------------------------------------------------------------------------------------------------------


def scores(parameters, x):
    """Return a score for each flower and species."""
    hidden, output = parameters["hidden"], parameters["output"]
    return np.tanh(x @ hidden["A"].T + hidden["b"]) @ output["A"].T + output["b"]


def loss(parameters, x, species):
    """Return the mean of -log p of the true species, and a little of the squares of the matrices."""
    found = scores(parameters, x)
    top = np.max(found, axis=1)
    log_total = top + np.log(np.sum(np.exp(found - top[:, None]), axis=1))
    squares = sum(np.sum(layer["A"] ** 2) for layer in parameters.values())
    return np.mean(log_total - found[np.arange(len(species)), species]) + DECAY * squares


def on_paper(parameters, x, species):
    """Return the gradient by backpropagation: p minus 1 at the true species is where the row starts."""
    hidden, output = parameters["hidden"], parameters["output"]
    h = np.tanh(x @ hidden["A"].T + hidden["b"])
    exps = np.exp(h @ output["A"].T + output["b"])
    row = (exps / np.sum(exps, axis=1, keepdims=True) - np.eye(3)[species]) / len(species)
    below = (row @ output["A"]) * (1 - h**2)
    return {
        "hidden": {"A": below.T @ x + 2 * DECAY * hidden["A"], "b": np.sum(below, axis=0)},
        "output": {"A": row.T @ h + 2 * DECAY * output["A"], "b": np.sum(row, axis=0)},
    }


def start(seed):
    """Return a network that knows nothing yet: small random matrices, no shifts."""
    rng = np.random.default_rng(seed)
    return {
        "hidden": {"A": rng.standard_normal((HIDDEN, 4)) / 2, "b": np.zeros(HIDDEN)},
        "output": {"A": rng.standard_normal((3, HIDDEN)) / 2, "b": np.zeros(3)},
    }


def train(parameters, x, species):
    """Go downhill step by step; return the network and its loss before every step."""
    losses = []
    downhill = dd.value_and_gradient(loss, argnums=0, mode="reverse")
    for _ in range(STEPS):
        value, slope = downhill(parameters, x, species)
        parameters = {
            layer: {name: part - RATE * slope[layer][name] for name, part in parts.items()}
            for layer, parts in parameters.items()
        }
        losses.append(value)
    return parameters, losses


def scaled():
    """Return the flowers in units of the spread of those trained on, from their mean."""
    known = FLOWERS[TRAINING]
    return (FLOWERS - np.mean(known, axis=0)) / np.std(known, axis=0)


def show_gradient(parameters, x, species):
    """Print one entry of each part of the gradient by both modes and by hand, and compare them all."""
    reverse = dd.gradient(loss, argnums=0, mode="reverse")(parameters, x, species)
    forward = dd.gradient(loss, argnums=0, mode="forward")(parameters, x, species)
    paper = on_paper(parameters, x, species)
    print(f"a network 4 -> {HIDDEN} -> 3 for all species: its gradient at the start, first entries\n")
    print(f"  {'':12}{'shape':>10}{'reverse':>14}{'forward':>14}{'on paper':>14}")
    for layer, parts in parameters.items():
        for name, part in parts.items():
            found = [gradient[layer][name] for gradient in (reverse, forward, paper)]
            print(f"  {layer + ' ' + name:12}{part.shape!s:>10}" + "".join(f"{array.flat[0]:14.9f}" for array in found))
            np.testing.assert_allclose(found[0], found[2], rtol=1e-10, atol=1e-14)
            np.testing.assert_allclose(found[1], found[2], rtol=1e-10, atol=1e-14)
    print()


def show_network():
    """Train on every other flower, print how the loss falls, and judge by the flowers that were kept."""
    x, parameters = scaled(), start(seed=1936)
    show_gradient(parameters, x[TRAINING], SPECIES[TRAINING])
    parameters, losses = train(parameters, x[TRAINING], SPECIES[TRAINING])
    print(f"  {'step':6}{'loss':>12}")
    for step in (0, 1, 3, 10, 30, 100, STEPS - 1):
        print(f"  {step:<6}{losses[step]:12.6f}")
    named = np.argmax(scores(parameters, x), axis=1)
    right = [np.sum(named[some] == SPECIES[some]) for some in (TRAINING, KEPT)]
    print(f"\n  named right: {right[0]} of 75 flowers trained on, {right[1]} of the 75 kept")
    print(f"\n  {'kept flowers':14}" + "".join(f"{'-> ' + name:>15}" for name in NAMES))
    for true, name in enumerate(NAMES):
        counts = [np.sum(named[KEPT][SPECIES[KEPT] == true] == guess) for guess in range(3)]
        print(f"  {name:14}" + "".join(f"{count:15}" for count in counts))

    blind = {layer: {name: np.zeros_like(part) for name, part in parts.items()} for layer, parts in parameters.items()}
    assert math.isclose(loss(blind, x, SPECIES), math.log(3), rel_tol=1e-15)  # each species has probability 1/3
    assert losses[-1] < 0.1 * math.log(3)
    assert min(right) >= 70
    return losses, named


def draw(path, losses, named):
    """Draw how the loss fell, and the flowers by their petals with the network's mistakes marked."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--plot needs matplotlib; everything else ran without it.") from None

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(losses, label="loss")
    left.axhline(math.log(3), color="tab:gray", linestyle="--", label="guessing: log 3")
    left.set(title="training on 75 flowers", xlabel="step")
    left.grid(alpha=0.3)
    left.legend()
    jitter = np.random.default_rng(0).uniform(-0.04, 0.04, (2, 150))  # many flowers share a millimetre
    length, width = FLOWERS[:, 2] + jitter[0], FLOWERS[:, 3] + jitter[1]
    for species, name in enumerate(NAMES):
        some = species == SPECIES
        right.plot(length[some], width[some], ".", label=name)
    wrong = named != SPECIES
    right.plot(length[wrong], width[wrong], "o", color="black", fillstyle="none", markersize=10, label="named wrong")
    right.set(title="all 150 flowers", xlabel="petal length (cm)", ylabel="petal width (cm)")
    right.legend()
    figure.savefig(path, dpi=120)
    print(f"drawn: {path}")


def main():
    """Check the flowers, fit one neuron, train a network, and draw if asked."""
    parser = argparse.ArgumentParser(description="A neuron and a small network on Fisher's irises.")
    parser.add_argument("--plot", metavar="FILE", help="draw loss and flowers into this file (needs matplotlib)")
    options = parser.parse_args()

    check_flowers()
    show_neuron()
    losses, named = show_network()
    if options.plot:
        draw(options.plot, losses, named)


if __name__ == "__main__":
    main()
