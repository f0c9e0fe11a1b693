# %% [markdown]
r"""The chain rule in one lecture: from one variable to a network, forward and in reverse.

The derivative of a composition is the product of the derivatives.
That is all there is, and everything below is a way of reading it:

1. one path from t to y,
2. two paths, which are added up,
3. many paths, which a product of matrices adds up,
4. a network, which is a long product,
5. the two ends from which a product can be multiplied: forward and reverse mode,
6. $y = 2\,x^\mathsf{T}x$, read backwards,
7. and the question that reverse mode asks when y is a vector.

It is a script, ``python examples/09_lecture.py``, and the same cells are a notebook, ``09_lecture.ipynb``.
"""

# %%
import builtins
from functools import partial

import numpy as np

import dualdiff as dd


def show(thing):
    """Display a thing in a notebook, print it in a script, and keep silent where this file is imported."""
    if hasattr(builtins, "display"):  # IPython puts it there
        (print if isinstance(thing, str) else builtins.display)(thing)
    elif __name__ == "__main__":
        print(thing, end="\n\n")


# %% [markdown]
# ## 1  One path
#
# Let y = sin x and x = t². If t moves a little, x moves 2·t times as much, and y moves cos x times as much as x:
#
#     dy/dt = dy/dx · dx/dt = cos(t²) · 2·t
#
# A *dual number* keeps the two apart: a value, and beside it the tangent, which says how fast the value moves.
# We begin with t + 1·ε, because t moves as fast as itself, and run the program as it is.

# %%
t = dd.Dual(1.5, 1.0)
x = t**2
y = np.sin(x)
show(f"x = {x}\ny = {y}")

assert x.tangent == 2 * 1.5
assert np.isclose(y.tangent, np.cos(1.5**2) * 2 * 1.5, rtol=1e-15)

# %% [markdown]
# `dd.trace` writes down the same run as a table, one row for each step.
# Read the tangents downwards: each is the slope of its step times the tangent it was handed.
# The adjoints are read upwards and say how fast the *result* moves with this row. Both end at the same number: dy/dt.


# %%
def swing(t):
    x = t**2
    return np.sin(x)


show(dd.trace(swing)(1.5))

assert np.isclose(dd.derivative(swing)(1.5), np.cos(1.5**2) * 2 * 1.5, rtol=1e-15)

# %% [markdown]
# ## 2  Two paths
#
# Let f = x1² + 2·x2 with x1 = sin t and x2 = cos t. Now t reaches f on two paths: multiply along each, and add.
#
#     df/dt = ∂f/∂x1 · dx1/dt + ∂f/∂x2 · dx2/dt
#           =  2·x1  ·  cos t +    2   · (−sin t)
#           =  2·sin t·(cos t − 1)


# %%
def f(x1, x2):
    return x1**2 + 2 * x2


def f_of_t(t):
    return f(np.sin(t), np.cos(t))


show(dd.trace(f_of_t)(1.2))

# %% [markdown]
# With `symbols=True` the table is written in the letter t, and its last tangent is the formula we found on paper.

# %%
letters = dd.trace(f_of_t, symbols=True)(1.2)
show(letters)

assert letters.to_dict()["rows"][-1]["tangent_formulas"] == ["2·sin(t)·cos(t) − 2·sin(t)"]

# %% [markdown]
# Is our formula right? `dd.check` compares it with the derivative at points it draws.
# It cannot prove anything, but a wrong formula does not get past it.

# %%
right = dd.check(f_of_t, lambda t: 2 * np.sin(t) * (np.cos(t) - 1))
show(right)

assert right

# %% [markdown]
# And now as it is handed in on a Monday morning: the derivative of the cosine is the sine, is it not?
# `check` says that the claim is wrong, how wrong, and which slip makes exactly this mistake.

# %%
wrong = dd.check(f_of_t, lambda t: 2 * np.sin(t) * (np.cos(t) + 1))
show(wrong)

assert not wrong
assert ["sign" in slip and "2 * x2" in slip for slip in wrong.slips] == [True]

# %% [markdown]
# The other slip of the same morning, about y = sin(t²): the derivative of sin is cos, and t² is left alone.

# %%
forgotten = dd.check(swing, lambda t: np.cos(t**2))
show(forgotten)

assert not forgotten
assert ["inner derivative" in slip for slip in forgotten.slips] == [True]

# %% [markdown]
# ## 3  Many paths: df/d(s, t) is a product of matrices
#
# Let x1 = s·t and x2 = s + t, under the same f = x1² + 2·x2.
# There is a path from each input through each x to f. One matrix holds the slopes of the first half of all paths,
# another one the slopes of the second half, and "multiply along, then add" is how matrices are multiplied:
#
#     ∂f/∂(s, t) = ∂f/∂(x1, x2) · ∂(x1, x2)/∂(s, t)


# %%
def g(s, t):
    return s * t, s + t


product = dd.chain(f, g)(2.0, 3.0)
show(product)

paths = product.paths(0, "s")
along = [f"{path.factors[0]:g}*{path.factors[1]:g} through {path.through[0]}" for path in paths]
show(f"df/ds = {product.product[0, 0]:g}: {' and '.join(along)}")

assert product.agrees
assert [path.value for path in paths] == [36.0, 2.0]
np.testing.assert_array_equal(product.factors[0], [[2 * 6.0, 2.0]])
np.testing.assert_array_equal(product.factors[1], [[3.0, 2.0], [1.0, 1.0]])
np.testing.assert_array_equal(product.product, [[38.0, 26.0]])
np.testing.assert_array_equal(dd.jacobian(lambda s, t: f(*g(s, t)))(2.0, 3.0), [38.0, 26.0])

# %% [markdown]
# A matrix can be claimed as well, and then the wrong entry is pointed at.

# %%
claim = dd.check(g, lambda s, t: [[t, s], [1, 0]])
show(claim)

assert not claim

# %% [markdown]
# ## 4  A network is a long product
#
# Each layer mixes the numbers of the one before, shifts them, and bends each of them:
#
#     f₀ = x        fᵢ = tanh(Aᵢ·fᵢ₋₁ + bᵢ)        L = |f_K − y|²
#
# So that a table can show all of it, first a network with one number in each layer.


# %%
def tiny(a1, b1, a2, b2):
    f1 = np.tanh(a1 * 0.5 + b1)
    f2 = np.tanh(a2 * f1 + b2)
    return (f2 - 1) ** 2


tiny_table = dd.trace(tiny)(1.0, 0.2, -0.7, 0.1)
show(tiny_table)

# %% [markdown]
# There are four weights, so forward mode needs four columns of tangents.
# The adjoints are *one* column, and the slopes with respect to all four weights stand in it, in the rows of the inputs.

# %%
told = tiny_table.to_dict()
by_columns = told["rows"][-1]["tangents"]
by_adjoints = [row["adjoint"] for row in told["rows"] if row["role"] == "input"]
show(f"passes: forward {told['passes']['forward']}, reverse {told['passes']['reverse']}")

assert told["passes"] == {"forward": 4, "reverse": 1}
np.testing.assert_allclose(by_columns, by_adjoints, rtol=1e-14)

# %% [markdown]
# Nothing changes for a network of any size. Its weights are a list of dicts, and the gradient comes back in that form.


# %%
def bend(layer, x):
    return np.tanh(layer["A"] @ x + layer["b"])


def miss(x):
    return np.sum((x - np.array([1.0, 0.0])) ** 2)


def loss(layers):
    x = np.array([0.5, -1.0, 2.0])
    for layer in layers:
        x = bend(layer, x)
    return miss(x)


draw = np.random.default_rng(9).standard_normal
layers = [{"A": draw((4, 3)), "b": draw(4)}, {"A": draw((4, 4)), "b": draw(4)}, {"A": draw((2, 4)), "b": draw(2)}]
slopes = dd.gradient(loss, mode="reverse")(layers)  # one pass, from the loss down to every weight
show("dL/db of the last layer: " + np.array2string(slopes[-1]["b"], precision=4))

step = [{name: layer[name] - 0.1 * slope[name] for name in layer} for layer, slope in zip(layers, slopes, strict=True)]
show(f"the loss is {loss(layers):.4f}, and {loss(step):.4f} after a small step downhill")

assert [slope["A"].shape for slope in slopes] == [(4, 3), (4, 4), (2, 4)]
assert loss(step) < loss(layers)

# %% [markdown]
# ## 5  Forward beside reverse
#
# The slope of L with respect to the input x is a product of four matrices, one for the loss and one for each layer:
#
#     ∂L/∂x = J₄·J₃·J₂·J₁        (1×2)·(2×4)·(4×4)·(4×3)
#
# A product may be bracketed as one likes.
# From the right, J₄·(J₃·(J₂·J₁)), we carry *columns*: how all numbers move with each input. Forward mode.
# From the left, ((J₄·J₃)·J₂)·J₁, we carry a *row*: how the one output moves with all numbers. Reverse mode.
# The answer is the same. The work is not: 4·4·3 + 2·4·3 + 1·2·3 against 1·2·4 + 1·4·4 + 1·4·3 multiplications.

# %%
orders = dd.chain(miss, *(partial(bend, layer) for layer in reversed(layers)))(np.array([0.5, -1.0, 2.0]))
show(f"from the right {orders.counts['forward']} multiplications, from the left {orders.counts['reverse']}")

assert orders.counts == {"forward": 78, "reverse": 36, "best": 36}
assert orders.agrees

# %% [markdown]
# And with respect to all the weights? Forward mode runs once for each of them, reverse mode once.
# `dd.compare` makes the Jacobian both ways and keeps the accounts.


# %%
def account(name, both):
    show(
        f"{name}: R^{both.inputs} -> R^{both.outputs}\n"
        f"  forward {both.forward.passes:3} passes {both.forward.counts.multiplications:6} multiplications\n"
        f"  reverse {both.reverse.passes:3} passes {both.reverse.counts.multiplications:6} multiplications"
    )


both = dd.compare(loss, seconds=0.05)(layers)  # print(both) also has the times, which are those of your machine
account("the loss and its weights", both)

assert (both.forward.passes, both.reverse.passes) == (46, 1)
assert both.cheaper_by_counts == "reverse"

# %% [markdown]
# Many inputs and one output, as in every training: reverse mode needs one pass.
# A curve is the other extreme, one input and many outputs, and there it is forward mode that needs one.


# %%
def helix(t):
    return np.stack([np.cos(t), np.sin(t), t / 3])


curve = dd.compare(helix, seconds=0.05)(0.7)
account("a curve in space", curve)

assert (curve.forward.passes, curve.reverse.passes) == (1, 3)
assert curve.cheaper_by_counts == "forward"
for mode in ("forward", "reverse"):
    np.testing.assert_allclose(dd.jacobian(helix, mode=mode)(0.7), [-np.sin(0.7), np.cos(0.7), 1 / 3], rtol=1e-15)

# %% [markdown]
# ## 6  y = 2·xᵀx
#
# The first line of many a PyTorch lecture. y is a number and x is a vector, so dy/dx has the shape of x, and it is 4·x:
# the slope of 2·(x₁² + x₂² + …) along xᵢ is 4·xᵢ.
# A `Variable` records what is done to it, and `backward()` reads the record from its end.

# %%
x = dd.Variable(np.arange(4.0))
y = 2 * np.dot(x, x)
y.backward()
show(f"x      = {x.value}\ny      = {y.value}\nx.grad = {x.grad}")

np.testing.assert_array_equal(x.grad, 4 * x.value)
np.testing.assert_array_equal(dd.gradient(lambda x: 2 * x.T @ x)(np.arange(4.0)), x.grad)

# %% [markdown]
# ## 7  What if y is a vector?
#
# Now y = x², entry by entry: four numbers in, four numbers out. Reverse mode computes a row wᵀ·J, and begins at the
# outputs with w. Of one number w is 1 and nobody has to say so. Of four numbers, which row would you like?

# %%
x = dd.Variable(np.arange(4.0))
y = x**2
refusal = ""
try:
    y.backward()
except RuntimeError as error:
    refusal = str(error)
show(refusal)

assert "grad can be implicitly created only for scalar outputs" in refusal

# %% [markdown]
# So say it: `gradient=v` gives each output its weight, and what comes out is vᵀ·J, the gradient of the number v·y.

# %%
v = np.array([1.0, 0.0, -1.0, 2.0])
y.backward(gradient=v)
J = dd.jacobian(lambda x: x**2)(np.arange(4.0))
_, pullback = dd.vjp(lambda x: x**2, np.arange(4.0))
show(f"J =\n{J}")
show(f"v           = {v}\nx.grad      = {x.grad}\nv @ J       = {v @ J}\npullback(v) = {pullback(v)[0]}")

np.testing.assert_array_equal(x.grad, v @ J)
np.testing.assert_array_equal(x.grad, pullback(v)[0])
np.testing.assert_array_equal(x.grad, dd.gradient(lambda x: v @ x**2)(np.arange(4.0)))

# %% [markdown]
# With v = (1, 1, 1, 1) it is the gradient of the sum of all outputs: that is why so many programs say `sum` first.
#
# That was the chain rule. Everything else is bookkeeping, and now you know who keeps the books.
