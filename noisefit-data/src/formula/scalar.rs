//! The kinds of number that an expression is evaluated in: doubles, double-doubles, and values with a derivative.

use super::function::Function;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::perturbation;
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

pub(super) trait Scalar:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The number `high + low` of a column that the expression depends on.
    fn variable(high: f64, low: f64) -> Self;
    fn constant(value: DoubleDouble) -> Self;
    /// `self - value`, both words of it.
    #[inline(always)]
    fn less(self, value: DoubleDouble) -> Self {
        self - Self::constant(value)
    }
    /// The double nearest to it.
    fn double(self) -> f64;
    /// Which of two is larger.
    fn order(self, other: Self) -> Ordering {
        (self - other).double().partial_cmp(&0.0).unwrap_or(Ordering::Equal)
    }
    fn powi(self, exponent: i32) -> Self;
    fn powf(self, exponent: Self) -> Self;
    fn apply(values: &mut [Self], function: Function);
    /// Moves values that a function rounded to doubles within that rounding error, in a perturbation draw; equal values
    /// alike, as rounding does. Only where more than doubles is asked for.
    fn blur(_values: &mut [Self], _draw: Option<u32>) {}
}

impl Scalar for f64 {
    #[inline(always)]
    fn variable(high: f64, _: f64) -> Self {
        high
    }

    #[inline(always)]
    fn constant(value: DoubleDouble) -> Self {
        value.high
    }

    #[inline(always)]
    fn less(self, value: DoubleDouble) -> Self {
        (self - value.high) - value.low
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self
    }

    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        // Squares and cubes by multiplication, which is vector code; the rest by the library, within a unit in the last
        // place.
        match exponent {
            2 => self * self,
            3 => self * self * self,
            _ => f64::powf(self, f64::from(exponent)),
        }
    }

    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        f64::powf(self, exponent)
    }

    fn apply(values: &mut [Self], function: Function) {
        // The branch stands outside the loop for those that become vector code.
        match function {
            Function::Sqrt => values.iter_mut().for_each(|value| *value = value.sqrt()),
            Function::Abs => values.iter_mut().for_each(|value| *value = value.abs()),
            function => values.iter_mut().for_each(|value| *value = function.value(*value)),
        }
    }
}

impl Scalar for DoubleDouble {
    #[inline(always)]
    fn variable(high: f64, low: f64) -> Self {
        DoubleDouble::from_sum(high, low)
    }

    #[inline(always)]
    fn constant(value: DoubleDouble) -> Self {
        value
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self.to_f64()
    }

    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        DoubleDouble::powi(self, exponent)
    }

    /// To first order in the low words: a double's digits, and the effect of what the inputs' doubles leave out.
    fn powf(self, exponent: Self) -> Self {
        let value = self.high.powf(exponent.high);
        let by_base = exponent.high * self.high.powf(exponent.high - 1.0) * self.low;
        let by_exponent = if exponent.low == 0.0 { 0.0 } else { value * self.high.ln() * exponent.low };
        DoubleDouble::from_sum(value, if self.low == 0.0 { by_exponent } else { by_base + by_exponent })
    }

    fn blur(values: &mut [Self], draw: Option<u32>) {
        let Some(draw) = draw else { return };
        for value in values {
            *value += perturbation(value.high, draw, value.high.to_bits(), 0);
        }
    }

    fn apply(values: &mut [Self], function: Function) {
        for value in values {
            *value = match function {
                Function::Sqrt => value.sqrt(),
                Function::Abs => value.abs(),
                _ if value.low == 0.0 => DoubleDouble::from(function.value(value.high)),
                _ => DoubleDouble::from_sum(function.value(value.high), function.derivative(value.high) * value.low),
            };
        }
    }
}

/// A value and its derivative with respect to the columns: forward-mode differentiation (Wengert 1964).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dual {
    pub value: f64,
    pub derivative: f64,
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Dual { value: -self.value, derivative: -self.derivative }
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, derivative: self.derivative + other.derivative }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let derivative = self.derivative * other.value + self.value * other.derivative;
        Dual { value: self.value * other.value, derivative }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Dual { value, derivative: (self.derivative - value * other.derivative) / other.value }
    }
}

impl Scalar for Dual {
    fn variable(high: f64, _: f64) -> Self {
        Dual { value: high, derivative: 1.0 }
    }

    fn constant(value: DoubleDouble) -> Self {
        Dual { value: value.high, derivative: 0.0 }
    }

    fn double(self) -> f64 {
        self.value
    }

    fn powi(self, exponent: i32) -> Self {
        let n = f64::from(exponent);
        Dual { value: Scalar::powi(self.value, exponent), derivative: n * self.value.powf(n - 1.0) * self.derivative }
    }

    fn powf(self, exponent: Self) -> Self {
        let value = self.value.powf(exponent.value);
        let by_base = exponent.value * self.value.powf(exponent.value - 1.0) * self.derivative;
        let by_exponent = if exponent.derivative == 0.0 { 0.0 } else { value * self.value.ln() * exponent.derivative };
        let derivative = if self.derivative == 0.0 { by_exponent } else { by_base + by_exponent };
        Dual { value, derivative }
    }

    fn apply(values: &mut [Self], function: Function) {
        for x in values {
            let derivative = function.derivative(x.value) * x.derivative;
            *x = Dual { value: function.value(x.value), derivative };
        }
    }
}

/// A value with its first two derivatives with respect to the columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Curved {
    pub value: f64,
    pub first: f64,
    pub second: f64,
}

impl Curved {
    /// A function of it, whose value and derivatives there these are.
    fn under(self, [value, first, second]: [f64; 3]) -> Self {
        // What does not move does not, however steep the function is.
        let times = |slope: f64, moved: f64| if moved == 0.0 { 0.0 } else { slope * moved };
        let second = times(second, self.first * self.first) + times(first, self.second);
        Curved { value, first: times(first, self.first), second }
    }
}

impl Neg for Curved {
    type Output = Self;
    fn neg(self) -> Self {
        Curved { value: -self.value, first: -self.first, second: -self.second }
    }
}

impl Add for Curved {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Curved { value: self.value + other.value, first: self.first + other.first, second: self.second + other.second }
    }
}

impl Sub for Curved {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Curved {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Curved {
            value: self.value * other.value,
            first: self.first * other.value + self.value * other.first,
            second: self.second * other.value + 2.0 * self.first * other.first + self.value * other.second,
        }
    }
}

impl Div for Curved {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let x = other.value;
        self * other.under([1.0 / x, -1.0 / (x * x), 2.0 / (x * x * x)])
    }
}

impl Scalar for Curved {
    fn variable(high: f64, _: f64) -> Self {
        Curved { value: high, first: 1.0, second: 0.0 }
    }

    fn constant(value: DoubleDouble) -> Self {
        Curved { value: value.high, first: 0.0, second: 0.0 }
    }

    fn double(self) -> f64 {
        self.value
    }

    fn powi(self, exponent: i32) -> Self {
        let (x, n) = (self.value, f64::from(exponent));
        self.under([x.powi(exponent), n * x.powi(exponent - 1), n * (n - 1.0) * x.powi(exponent - 2)])
    }

    fn powf(self, exponent: Self) -> Self {
        let (x, n) = (self.value, exponent.value);
        if exponent.first == 0.0 && exponent.second == 0.0 {
            return self.under([x.powf(n), n * x.powf(n - 1.0), n * (n - 1.0) * x.powf(n - 2.0)]);
        }
        // exp(exponent ln base).
        let logarithm = self.under([x.ln(), 1.0 / x, -1.0 / (x * x)]);
        let product = exponent * logarithm;
        let power = product.value.exp();
        product.under([power; 3])
    }

    fn apply(values: &mut [Self], function: Function) {
        for x in values {
            *x = x.under([function.value(x.value), function.derivative(x.value), function.second_derivative(x.value)]);
        }
    }
}
