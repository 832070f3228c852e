//! Functions of coefficients: their values, their gradients, and whether they are linear.

/// A function of the coefficients of a fit, which are known by their places.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Coefficient(usize),
    Negate(Box<Expression>),
    Sum(Box<Expression>, Box<Expression>),
    Difference(Box<Expression>, Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
    Quotient(Box<Expression>, Box<Expression>),
    Power(Box<Expression>, Box<Expression>),
    Apply(Function, Box<Expression>),
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Log,
    Exp,
    Sqrt,
    Abs,
}

impl Function {
    pub(super) const ALL: [(&'static str, Function); 4] =
        [("log", Function::Log), ("exp", Function::Exp), ("sqrt", Function::Sqrt), ("abs", Function::Abs)];

    fn value(self, x: f64) -> f64 {
        match self {
            Function::Log => x.ln(),
            Function::Exp => x.exp(),
            Function::Sqrt => x.sqrt(),
            Function::Abs => x.abs(),
        }
    }

    fn slope(self, x: f64) -> f64 {
        match self {
            Function::Log => 1.0 / x,
            Function::Exp => x.exp(),
            Function::Sqrt => 0.5 / x.sqrt(),
            Function::Abs => x.signum(),
        }
    }
}

/// A value with its derivatives by the coefficients; of a linear function `weights'b + constant`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slopes {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
}

impl Slopes {
    fn constant(value: f64, count: usize) -> Self {
        Slopes { value, gradient: vec![0.0; count] }
    }

    /// `value`, and `a` times one gradient plus `b` times the other.
    fn joined(value: f64, a: f64, one: &Slopes, b: f64, other: &Slopes) -> Self {
        // What is constant has no part in it, however steep the function is there.
        let part = |factor: f64, slope: f64| if slope == 0.0 { 0.0 } else { factor * slope };
        let both = one.gradient.iter().zip(&other.gradient);
        Slopes { value, gradient: both.map(|(&one, &other)| part(a, one) + part(b, other)).collect() }
    }

    fn scaled(&self, value: f64, factor: f64) -> Self {
        Slopes::joined(value, factor, self, 0.0, self)
    }
}

impl Expression {
    /// The places of the coefficients in it.
    pub(super) fn places(&self, found: &mut Vec<usize>) {
        match self {
            Expression::Number(_) => {}
            Expression::Coefficient(place) if found.contains(place) => {}
            Expression::Coefficient(place) => found.push(*place),
            Expression::Negate(x) | Expression::Apply(_, x) => x.places(found),
            Expression::Sum(a, b)
            | Expression::Difference(a, b)
            | Expression::Product(a, b)
            | Expression::Quotient(a, b)
            | Expression::Power(a, b) => {
                a.places(found);
                b.places(found);
            }
        }
    }

    /// Whether it is a function of no coefficient.
    fn is_constant(&self) -> bool {
        let mut found = Vec::new();
        self.places(&mut found);
        found.is_empty()
    }

    /// Its value where it is a function of no coefficient.
    pub(super) fn constant(&self) -> Option<f64> {
        self.is_constant().then(|| self.at(&[]).value)
    }

    /// Its value and derivatives at these coefficients.
    pub(super) fn at(&self, coefficients: &[f64]) -> Slopes {
        let count = coefficients.len();
        match self {
            Expression::Number(value) => Slopes::constant(*value, count),
            Expression::Coefficient(place) => {
                let mut slopes = Slopes::constant(coefficients[*place], count);
                slopes.gradient[*place] = 1.0;
                slopes
            }
            Expression::Negate(x) => {
                let x = x.at(coefficients);
                x.scaled(-x.value, -1.0)
            }
            Expression::Apply(function, x) => {
                let x = x.at(coefficients);
                x.scaled(function.value(x.value), function.slope(x.value))
            }
            Expression::Sum(a, b) => {
                let (a, b) = (a.at(coefficients), b.at(coefficients));
                Slopes::joined(a.value + b.value, 1.0, &a, 1.0, &b)
            }
            Expression::Difference(a, b) => {
                let (a, b) = (a.at(coefficients), b.at(coefficients));
                Slopes::joined(a.value - b.value, 1.0, &a, -1.0, &b)
            }
            Expression::Product(a, b) => {
                let (a, b) = (a.at(coefficients), b.at(coefficients));
                Slopes::joined(a.value * b.value, b.value, &a, a.value, &b)
            }
            Expression::Quotient(a, b) => {
                let (a, b) = (a.at(coefficients), b.at(coefficients));
                let ratio = a.value / b.value;
                Slopes::joined(ratio, 1.0 / b.value, &a, -ratio / b.value, &b)
            }
            Expression::Power(a, b) => {
                let (a, b) = (a.at(coefficients), b.at(coefficients));
                let power = a.value.powf(b.value);
                Slopes::joined(power, b.value * a.value.powf(b.value - 1.0), &a, power * a.value.ln(), &b)
            }
        }
    }

    /// `weights'b + constant`, its gradient being the weights and its value the constant; none for what is not linear.
    pub(super) fn linear(&self, count: usize) -> Option<Slopes> {
        let is_constant = |x: &Slopes| x.gradient.iter().all(|weight| *weight == 0.0);
        Some(match self {
            Expression::Number(value) => Slopes::constant(*value, count),
            Expression::Coefficient(place) => {
                let mut slopes = Slopes::constant(0.0, count);
                slopes.gradient[*place] = 1.0;
                slopes
            }
            Expression::Negate(x) => {
                let x = x.linear(count)?;
                x.scaled(-x.value, -1.0)
            }
            Expression::Sum(a, b) => {
                let (a, b) = (a.linear(count)?, b.linear(count)?);
                Slopes::joined(a.value + b.value, 1.0, &a, 1.0, &b)
            }
            Expression::Difference(a, b) => {
                let (a, b) = (a.linear(count)?, b.linear(count)?);
                Slopes::joined(a.value - b.value, 1.0, &a, -1.0, &b)
            }
            Expression::Product(a, b) => {
                let (a, b) = (a.linear(count)?, b.linear(count)?);
                match (is_constant(&a), is_constant(&b)) {
                    (_, true) => a.scaled(a.value * b.value, b.value),
                    (true, _) => b.scaled(a.value * b.value, a.value),
                    _ => return None,
                }
            }
            Expression::Quotient(a, b) => {
                let (a, b) = (a.linear(count)?, b.linear(count).filter(is_constant)?);
                a.scaled(a.value / b.value, 1.0 / b.value)
            }
            Expression::Power(a, b) => {
                let (a, b) = (a.linear(count).filter(is_constant)?, b.linear(count).filter(is_constant)?);
                Slopes::constant(a.value.powf(b.value), count)
            }
            Expression::Apply(function, x) => {
                let x = x.linear(count).filter(is_constant)?;
                Slopes::constant(function.value(x.value), count)
            }
        })
    }
}
