//! What a transformed response is like over the data, and which values it can have.

use noisefit_core::record::LikelihoodOf;
use noisefit_core::rows::Values;

use crate::formula::expression::{Expr, evaluate};
use crate::formula::scalar::Dual;

/// What the derivatives of a transformed response were like over some rows.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Slopes {
    /// Whether one was positive.
    pub rising: bool,
    /// Whether one was negative.
    pub falling: bool,
    /// Whether one was zero or had no value.
    pub without: bool,
    /// The least and the largest value of the column.
    pub range: [f64; 2],
}

impl Default for Slopes {
    fn default() -> Self {
        Slopes { rising: false, falling: false, without: false, range: [f64::INFINITY, f64::NEG_INFINITY] }
    }
}

impl Slopes {
    /// Of rows with these values of the column, and of the response with its derivative.
    pub(super) fn of(column: &[f64], duals: &[Dual]) -> Self {
        let mut slopes = Slopes::default();
        for (y, dual) in column.iter().zip(duals) {
            slopes.rising |= dual.derivative > 0.0;
            slopes.falling |= dual.derivative < 0.0;
            slopes.without |= !(dual.derivative.is_finite() && dual.derivative != 0.0);
            slopes.range = [slopes.range[0].min(*y), slopes.range[1].max(*y)];
        }
        slopes
    }

    /// Those of these rows and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Slopes {
            rising: self.rising || other.rising,
            falling: self.falling || other.falling,
            without: self.without || other.without,
            range: [self.range[0].min(other.range[0]), self.range[1].max(other.range[1])],
        }
    }

    /// Of what a likelihood is, as far as the transformation goes.
    pub fn likelihood_of(&self) -> LikelihoodOf {
        match self {
            Slopes { rising: true, falling: true, .. } => LikelihoodOf::Folded,
            Slopes { without: true, .. } => LikelihoodOf::NoDerivative,
            _ => LikelihoodOf::Response,
        }
    }
}

/// Steps outwards, each twice the last: from a millionth of the data's size to the end of the doubles.
const STEPS: i32 = 1100;

/// The values that a transformed response tends to at both ends of the interval about the data in which it is defined and one to
/// one, in ascending order.
pub(super) fn range(expr: &Expr, slopes: &Slopes) -> [f64; 2] {
    let at = |y: f64| {
        let column = [y];
        let columns = vec![Values::from(&column[..]); expr.columns().iter().max().map_or(0, |last| last + 1)];
        let mut out = Vec::new();
        evaluate(expr, &columns, 1, &mut out, None, &mut Vec::new());
        out.pop().unwrap_or(Dual { value: f64::NAN, derivative: f64::NAN })
    };
    let sign = if slopes.rising { 1.0 } else { -1.0 };
    let sound = |y: f64| {
        let dual = at(y);
        dual.value.is_finite() && dual.derivative.is_finite() && sign * dual.derivative > 0.0
    };
    let [low, high] = slopes.range;
    let size = (high - low).max(low.abs()).max(high.abs()).max(f64::MIN_POSITIVE);
    let end = |from: f64, direction: f64| {
        let (mut inside, mut outside) = (from, None);
        for step in 0..STEPS {
            let y = from + direction * size * 2f64.powi(step - 20);
            if !y.is_finite() {
                break;
            }
            if !sound(y) {
                outside = Some(y);
                break;
            }
            inside = y;
        }
        // The end of the interval, to the last bit.
        while let Some(beyond) = outside {
            let middle = inside + 0.5 * (beyond - inside);
            if middle == inside || middle == beyond {
                break;
            }
            if sound(middle) { inside = middle } else { outside = Some(middle) }
        }
        at(inside).value
    };
    let (first, last) = (end(low, -1.0), end(high, 1.0));
    [first.min(last), first.max(last)]
}
