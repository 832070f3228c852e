//! Double exponential quadrature (Takahasi and Mori 1974, *Publ. RIMS* 9, 721-741).

use std::f64::consts::FRAC_PI_2;
use std::sync::OnceLock;

/// `integral of f over (0, end)` by the tanh-sinh rule, for `f` smooth inside, whatever it does at the two ends.
///
/// `f` is never called at an end itself.
pub(crate) fn tanh_sinh(end: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1.0 / 32.0;
    // At 6.1 the abscissa is 1e-304 of the interval away from its end.
    let nodes = (6.1 / STEP) as i32;
    let mut sum = 0.0;
    for k in -nodes..=nodes {
        let t = f64::from(k) * STEP;
        let u = FRAC_PI_2 * t.sinh();
        // (1 + tanh u) / 2 without cancellation at the lower end.
        let x = end / (1.0 + (-2.0 * u).exp());
        let weight = end * FRAC_PI_2 * t.cosh() / (2.0 * u.cosh() * u.cosh());
        if x > 0.0 && x < end && weight > 0.0 {
            sum += weight * f(x);
        }
    }
    sum * STEP
}

/// How close together the nodes of [`falling`] are: `1 / per_unit`.
pub(crate) struct Rule {
    per_unit: i32,
    nodes: OnceLock<Vec<Node>>,
}

/// For integrands that fall as a power of `exp(-v)` does, or as a Gaussian: over the tails of F with degrees of freedom from 1 to 2e7 it
/// leaves an error of 1e-17.
pub(crate) static WIDE: Rule = Rule { per_unit: 10, nodes: OnceLock::new() };

/// For those that fall as `exp(-exp(v))`, too: over the tails of chi-squared it leaves an error of 1e-13.
pub(crate) static NARROW: Rule = Rule { per_unit: 16, nodes: OnceLock::new() };

/// `integral of exp(log_f(v)) over v > 0` for a function with `log_f(0) = 0` that falls, about as `exp(-v / scale)` or
/// as a Gaussian of that width, to nothing.
pub(crate) fn falling(rule: &Rule, scale: f64, log_f: impl Fn(f64) -> f64) -> f64 {
    let step = 1.0 / f64::from(rule.per_unit);
    // Below, nodes have no weight; beyond, few integrands reach.
    let (first, last) = (-15 * rule.per_unit / 4, 25 * rule.per_unit / 4);
    let node = |k: i32| Node::new(f64::from(k) * step);
    let known = rule.nodes.get_or_init(|| (first..last).map(node).collect());
    let beyond = (last..).map(node);
    let mut sum = 0.0;
    for (k, Node { v, weight }) in (first..).zip(known.iter().copied().chain(beyond)) {
        let term = weight * log_f(scale * v).exp();
        sum += term;
        if k > 0 && (term <= 1e-18 * sum || term.is_nan()) {
            break;
        }
    }
    sum * step * scale
}

/// A node of [`falling`], which no function and no scale has a part in.
#[derive(Debug, Clone, Copy)]
struct Node {
    v: f64,
    weight: f64,
}

impl Node {
    fn new(t: f64) -> Self {
        let decay = (-t).exp();
        let v = (t - decay).exp();
        Node { v, weight: v * (1.0 + decay) }
    }
}
