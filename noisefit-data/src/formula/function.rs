//! The functions a formula can call.

use super::syntax::{Call, Node};

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Log,
    Log1p,
    Log2,
    Log10,
    Exp,
    Expm1,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Tanh,
}

const FUNCTIONS: [(&str, Function); 11] = [
    ("log", Function::Log),
    ("log1p", Function::Log1p),
    ("log2", Function::Log2),
    ("log10", Function::Log10),
    ("exp", Function::Exp),
    ("expm1", Function::Expm1),
    ("sqrt", Function::Sqrt),
    ("abs", Function::Abs),
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tanh", Function::Tanh),
];

/// What is not a function of one number: the columns it gives depend on more than the row.
const SPECIAL: [&str; 9] = ["I", "poly", "bs", "ns", "cc", "C", "center", "scale", "offset"];

/// Numbers for an argument: `c(1, 2)`.
pub(super) const LIST: &str = "c";

pub(super) fn names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|&(name, _)| name).chain(SPECIAL).collect()
}

pub(super) fn is_known(name: &str) -> bool {
    SPECIAL.contains(&name) || name == LIST || Function::named(name).is_some()
}

/// Whether a function has the number of arguments it takes.
pub(super) fn check_arguments(call: &Call) -> Result<(), String> {
    let (least, most, usage) = match call.function.as_str() {
        "poly" => (2, 3, "poly(x, degree) or poly(x, degree, raw)"),
        "C" => (1, 3, "C(x), C(x, ref='level') or C(x, sum)"),
        "bs" => (1, 5, "bs(x, df=5), bs(x, knots=c(1, 2), degree=2)"),
        "ns" => (1, 4, "ns(x, df=4) or ns(x, knots=c(1, 2))"),
        "cc" => (1, 4, "cc(x, df=6) or cc(x, knots=c(1, 2))"),
        LIST => (1, 1000, "c(1, 2)"),
        "offset" => (1, 1, "offset(x)"),
        "log" => (1, 1, "log(x), the natural logarithm; for others log2(x), log10(x) or I(log(x)/log(3))"),
        _ => (1, 1, ""),
    };
    let (function, count) = (&call.function, call.arguments.len());
    if !(least..=most).contains(&count) {
        let usage = if usage.is_empty() { format!("{function}(x)") } else { usage.to_owned() };
        return Err(format!("{function} is given {count} arguments; write {usage}"));
    }
    match call.arguments.first() {
        Some(first) if first.name.is_some() => Err(format!("the first argument of {function} has no name")),
        _ => Ok(()),
    }
}

impl Call {
    /// The first argument.
    pub fn operand(&self) -> Option<&Node> {
        self.arguments.first().map(|argument| &argument.value)
    }

    /// The function of one number that is called, if it is one.
    pub fn arithmetic(&self) -> Option<Function> {
        Function::named(&self.function)
    }
}

impl Function {
    pub fn named(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|&(_, function)| function)
    }

    pub fn value(self, x: f64) -> f64 {
        match self {
            Function::Log => x.ln(),
            Function::Log1p => x.ln_1p(),
            Function::Log2 => x.log2(),
            Function::Log10 => x.log10(),
            Function::Exp => x.exp(),
            Function::Expm1 => x.exp_m1(),
            Function::Sqrt => x.sqrt(),
            Function::Abs => x.abs(),
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Tanh => x.tanh(),
        }
    }

    /// The first derivative; that of `abs` at zero is taken as zero.
    pub fn derivative(self, x: f64) -> f64 {
        match self {
            Function::Log => 1.0 / x,
            Function::Log1p => 1.0 / (1.0 + x),
            Function::Log2 => std::f64::consts::LOG2_E / x,
            Function::Log10 => std::f64::consts::LOG10_E / x,
            Function::Exp | Function::Expm1 => x.exp(),
            Function::Sqrt => 0.5 / x.sqrt(),
            Function::Abs if x == 0.0 => 0.0,
            Function::Abs => x.signum(),
            Function::Sin => x.cos(),
            Function::Cos => -x.sin(),
            // sech^2 in a form that does not cancel where tanh is near one.
            Function::Tanh => x.cosh().powi(-2),
        }
    }

    /// The second derivative; that of `abs` is taken as zero.
    pub fn second_derivative(self, x: f64) -> f64 {
        match self {
            Function::Log => -1.0 / (x * x),
            Function::Log1p => -(1.0 + x).powi(-2),
            Function::Log2 => -std::f64::consts::LOG2_E / (x * x),
            Function::Log10 => -std::f64::consts::LOG10_E / (x * x),
            Function::Exp | Function::Expm1 => x.exp(),
            Function::Sqrt => -0.25 / (x * x.sqrt()),
            Function::Abs => 0.0,
            Function::Sin => -x.sin(),
            Function::Cos => -x.cos(),
            Function::Tanh => -2.0 * x.tanh() * x.cosh().powi(-2),
        }
    }
}
