"""A layered network: one product of Jacobian matrices, multiplied from the left or from the right.

Each layer mixes the numbers of the layer before it, shifts them, and bends each by ``σ(z) = 1/(1 + exp(-z))``::

    f_0 = x          z_i = A_i·f_{i-1} + b_i          f_i = σ(z_i)          i = 1 … K

At the end stands one number, ``L = |y - f_K|²``, and whoever wants to lower it asks how it moves with
every entry of every ``A_i`` and ``b_i``.  The chain rule goes from ``L`` down through the layers to layer i::

    ∂L/∂A_i = ∂L/∂f_K · ∂f_K/∂f_{K-1} · … · ∂f_{i+1}/∂f_i · ∂f_i/∂A_i

With ``σ' = σ·(1 - σ)`` the factors are, for a layer of n_i numbers and ``A_i`` read row by row::

    ∂L/∂f_K        =  -2·(y - f_K)ᵀ               one row
    ∂f_i/∂f_{i-1}  =  diag σ'(z_i) · A_i          n_i × n_{i-1}
    ∂f_i/∂b_i      =  diag σ'(z_i)                n_i × n_i
    ∂f_i/∂A_i      =  diag σ'(z_i) ⊗ f_{i-1}ᵀ     n_i × n_i·n_{i-1}, mostly zeros

A product may be bracketed from either end.  The answer is the same, the work is not::

    left to right   ((∂L/∂f_K · ∂f_K/∂f_{K-1}) · …) · ∂f_i/∂A_i      row times matrix, all along: reverse mode
    right to left   ∂L/∂f_K · (… · (∂f_{i+1}/∂f_i · ∂f_i/∂A_i))      matrix times matrix: forward mode

From the right, every step carries a column for each entry of ``A_i``.  From the left it carries one row,
``∂L/∂f_i``, and what was computed for layer i serves all layers below it.  Using that ``∂f_i/∂A_i`` is
mostly zeros, the reverse order becomes three lines per layer, known as backpropagation::

    d_i = ∂L/∂f_i · diag σ'(z_i)      ∂L/∂b_i = d_i      ∂L/∂A_i = d_iᵀ·f_{i-1}ᵀ      ∂L/∂f_{i-1} = d_i·A_i

Run it: ``python examples/05_layers.py``.
"""

import itertools
import math

import numpy as np

import dualdiff as dd

WIDTHS = (4, 6, 5, 3)  # n_0 … n_K: four numbers in, three out
DIGITS = (784, 128, 64, 10)  # a network that reads a handwritten digit of 28 × 28 pixels


def layer(A, b, f):
    """Return σ(A·f + b)."""
    return 1 / (1 + np.exp(-(A @ f + b)))


def network(layers, x):
    """Return f_K, the output of the last layer."""
    f = x
    for part in layers:
        f = layer(part["A"], part["b"], f)
    return f


def loss(layers, x, y):
    """Return |y - f_K|²."""
    return np.sum((y - network(layers, x)) ** 2)


def start(widths, seed):
    """Return some layers, an input and a measurement."""
    rng = np.random.default_rng(seed)
    layers = [
        {"A": rng.standard_normal((rows, columns)), "b": rng.standard_normal(rows)}
        for columns, rows in itertools.pairwise(widths)
    ]
    return layers, rng.standard_normal(widths[0]), rng.uniform(size=widths[-1])


def values(layers, x):
    """Return f_0 … f_K."""
    found = [x]
    for part in layers:
        found.append(layer(part["A"], part["b"], found[-1]))
    return found


def factors(part, f):
    """Return ∂f_i/∂A_i, ∂f_i/∂b_i and ∂f_i/∂f_{i-1} of one layer as matrices, by dual numbers."""
    blocks = dd.jacobian(layer, argnums=(0, 1, 2))(part["A"], part["b"], f)
    return [block.reshape(part["b"].size, -1) for block in blocks]


def factors_on_paper(part, f):
    """Return the same three from the formulas above."""
    out = layer(part["A"], part["b"], f)
    slope = np.diag(out * (1 - out))
    return [np.kron(slope, f), slope, slope @ part["A"]]


def times(left, right):
    """Return the product of two matrices, and how many multiplications it takes."""
    return left @ right, left.shape[0] * left.shape[1] * right.shape[1]


def left_to_right(layers, x, y):
    """Return the gradient and the multiplications of each layer: one row goes down from L to the first layer."""
    f = values(layers, x)
    row = -2 * (y - f[-1])[None, :]
    gradient, counts = [], []
    for i in reversed(range(len(layers))):
        by_a, by_b, by_f = factors(layers[i], f[i])
        dA, count_a = times(row, by_a)
        db, count_b = times(row, by_b)
        row, count_f = times(row, by_f) if i else (None, 0)  # nothing stands below the first layer
        gradient.append({"A": dA.reshape(layers[i]["A"].shape), "b": db[0]})
        counts.append(count_a + count_b + count_f)
    return gradient[::-1], counts[::-1]


def right_to_left(layers, x, y):
    """Return the same two: for each layer, a matrix with a column for each entry goes up to L."""
    f = values(layers, x)
    gradient, counts = [], []
    for i, part in enumerate(layers):
        by_a, by_b, _ = factors(part, f[i])
        columns, count = np.hstack([by_a, by_b]), 0
        for above in range(i + 1, len(layers)):
            columns, more = times(factors(layers[above], f[above])[2], columns)
            count += more
        row, more = times(-2 * (y - f[-1])[None, :], columns)
        gradient.append({"A": row[0, : part["A"].size].reshape(part["A"].shape), "b": row[0, part["A"].size :]})
        counts.append(count + more)
    return gradient, counts


def backpropagation(layers, x, y):
    """Return the gradient by the three lines on paper."""
    f = values(layers, x)
    row = -2 * (y - f[-1])
    gradient = []
    for i in reversed(range(len(layers))):
        d = row * f[i + 1] * (1 - f[i + 1])
        gradient.append({"A": np.outer(d, f[i]), "b": d})
        row = d @ layers[i]["A"]
    return gradient[::-1]


def chain_of_pullbacks(layers, x, y):
    """Return the gradient by pulling a row back through one layer after the other: vᵀ goes in, vᵀJ comes out."""
    f, pullbacks = x, []
    for part in layers:
        f, pullback = dd.vjp(layer, part["A"], part["b"], f)
        pullbacks.append(pullback)
    row = -2 * (y - f)
    gradient = []
    for pullback in reversed(pullbacks):
        dA, db, row = pullback(row)
        gradient.append({"A": dA, "b": db})
    return gradient[::-1]


def counted(f):
    """Return f, and the list that grows by one entry whenever it runs."""
    runs = []

    def counting(*args):
        runs.append(1)
        return f(*args)

    return counting, runs


def flat(layers):
    """Return every entry of every layer in one row."""
    return np.concatenate([part[name].ravel() for part in layers for name in ("A", "b")])


def formulas(widths):
    """Return what the two orders and backpropagation multiply in each layer: the counts above, written as formulas."""
    steps = [rows * columns for columns, rows in itertools.pairwise(widths)]
    entries = [step + rows for step, rows in zip(steps, widths[1:], strict=True)]
    left = [n * p + (step if i else 0) for i, (n, p, step) in enumerate(zip(widths[1:], entries, steps, strict=True))]
    right = [p * (sum(steps[i + 1 :]) + widths[-1]) for i, p in enumerate(entries)]
    hand = [2 * n + step + (step if i else 0) for i, (n, step) in enumerate(zip(widths[1:], steps, strict=True))]
    return entries, left, right, hand


def arrows(widths):
    """Return widths as they are printed."""
    return " -> ".join(map(str, widths))


def show_factors(layers, x):
    """Print the shapes of the factors of every layer, and hold the matrices against the formulas."""
    print(f"a network of widths {arrows(WIDTHS)}: f_i = sigma(A_i f_(i-1) + b_i), L = |y - f_{len(layers)}|^2\n")
    print(f"  {'layer':8}{'df_i/dA_i':>12}{'df_i/db_i':>12}{'df_i/df_(i-1)':>16}")
    for i, (part, f) in enumerate(zip(layers, values(layers, x), strict=False), start=1):
        found = factors(part, f)
        shapes = ["{} x {}".format(*matrix.shape) for matrix in found]
        print(f"  {i:<8}{shapes[0]:>12}{shapes[1]:>12}{shapes[2]:>16}")
        for matrix, expected in zip(found, factors_on_paper(part, f), strict=True):
            np.testing.assert_allclose(matrix, expected, rtol=1e-13, atol=1e-16)
    print()


def show_orders(layers, x, y):
    """Multiply the factors in both orders, print what it takes, and return the gradient."""
    from_left, left_counts = left_to_right(layers, x, y)
    from_right, right_counts = right_to_left(layers, x, y)
    entries, left, right, hand = formulas(WIDTHS)
    print("multiplications for dL/dA_i and dL/db_i\n")
    print(f"  {'layer':8}{'entries':>10}{'left to right':>16}{'right to left':>16}{'backpropagation':>18}")
    rows = [*zip(range(1, len(layers) + 1), entries, left_counts, right_counts, hand, strict=True)]
    rows.append(("all", sum(entries), sum(left_counts), sum(right_counts), sum(hand)))
    for name, *numbers in rows:
        print("  {:<8}{:>10,}{:>16,}{:>16,}{:>18,}".format(name, *numbers))
    large = [sum(counts) for counts in formulas(DIGITS)]
    print("  {:<8}{:>10,}{:>16,}{:>16,}{:>18,}".format("digits", *large))
    print(f"  (digits: the same formulas for widths {arrows(DIGITS)};")
    print(f"  the last layer costs {left[-1] - right[-1]} more from the left, where it also hands the row down)\n")

    assert (left_counts, right_counts) == (left, right)
    assert sum(entries) == flat(layers).size
    np.testing.assert_allclose(flat(from_left), flat(from_right), rtol=1e-12)
    return from_left


def show_modes(layers, x, y, product):
    """Find the gradient in five ways, print them side by side, and hold them against the product of matrices."""
    reverse_loss, reverse_runs = counted(loss)
    forward_loss, forward_runs = counted(loss)
    answers = {
        "product of the factors": product,
        "backpropagation by hand": backpropagation(layers, x, y),
        "pullback of each layer": chain_of_pullbacks(layers, x, y),
        "dd.gradient, reverse": dd.gradient(reverse_loss, argnums=0, mode="reverse")(layers, x, y),
        "dd.jacobian, forward": dd.jacobian(forward_loss, argnums=0, mode="forward")(layers, x, y),
    }
    print(f"  {'':26}{'dL/dA_1[0, 0]':>20}{'dL/db_1[0]':>20}{f'dL/db_{len(layers)}[0]':>20}")
    for name, gradient in answers.items():
        numbers = gradient[0]["A"][0, 0], gradient[0]["b"][0], gradient[-1]["b"][0]
        print(f"  {name:26}" + "".join(f"{number:20.15f}" for number in numbers))
    size = flat(layers).size
    print(f"\n  reverse ran the loss {len(reverse_runs)} time, forward {len(forward_runs)} times: once for an entry\n")

    assert (len(reverse_runs), len(forward_runs)) == (1, size)
    for gradient in answers.values():
        assert [part["A"].shape for part in gradient] == [part["A"].shape for part in layers]
        np.testing.assert_allclose(flat(gradient), flat(product), rtol=1e-11, atol=1e-15)


def show_direction(layers, x, y, gradient):
    """Move every layer a little at once: L changes by gradient times move, which forward mode has in one run."""
    move, _, _ = start(WIDTHS, seed=2)
    along = dd.jvp(lambda parts: loss(parts, x, y), layers, move)[1]
    product = flat(gradient) @ flat(move)

    def moved(step):
        parts = [{name: part[name] + step * by[name] for name in part} for part, by in zip(layers, move, strict=True)]
        return loss(parts, x, y)

    difference = (moved(1e-5) - moved(-1e-5)) / 2e-5
    print("all layers moved at once, in one direction")
    print(f"  gradient times direction  {product:.15f}")
    print(f"  dd.jvp, one forward run   {along:.15f}")
    print(f"  central difference        {difference:.15f}")

    assert math.isclose(product, along, rel_tol=1e-12)
    assert math.isclose(product, difference, rel_tol=1e-7)


def main():
    """Write the chain rule as matrices, multiply it from both ends, and compare with both modes."""
    layers, x, y = start(WIDTHS, seed=1)
    show_factors(layers, x)
    gradient = show_orders(layers, x, y)
    show_modes(layers, x, y, gradient)
    show_direction(layers, x, y, gradient)


if __name__ == "__main__":
    main()
