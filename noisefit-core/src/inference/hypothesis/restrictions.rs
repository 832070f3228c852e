//! Linear restrictions of the coefficients: `R b = r`.

use crate::Error;
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::language::{Clause, Names, hypothesis};

/// One linear restriction: `weights'b = value`, over all coefficients.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Restriction {
    pub(super) weights: Vec<f64>,
    pub(super) value: f64,
}

/// What a hypothesis says of the coefficients.
#[derive(Debug, Clone)]
pub(super) struct Restrictions {
    pub(super) text: String,
    pub(super) rows: Vec<Restriction>,
    /// Coefficients of whole terms that were not estimated, and are left out.
    pub(super) left_out: Vec<String>,
}

/// A pivot below this part of the largest weight is rounding.
const ROUNDING: f64 = 1e-10;

impl Restrictions {
    /// What a text says of the coefficients.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what cannot be read, is not linear, says nothing, says the same twice or contradicts itself.
    pub(super) fn read(text: &str, names: &Names, estimates: &Estimates<'_>) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Unsupported(format!("hypothesis '{text}': {why}"));
        let count = estimates.count();
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for clause in hypothesis(text, names)? {
            match clause {
                Clause::Term { coefficients, value } => {
                    let (there, aliased): (Vec<usize>, Vec<usize>) =
                        coefficients.into_iter().partition(|&place| estimates.is_estimated(place));
                    if there.is_empty() {
                        return Err(wrong(
                            "none of its coefficients has an estimate: they are linear combinations of earlier terms",
                        ));
                    }
                    left_out.extend(aliased.into_iter().map(|place| estimates.name(place)));
                    for place in there {
                        let mut weights = vec![0.0; count];
                        weights[place] = 1.0;
                        rows.push(Restriction { weights, value });
                    }
                }
                Clause::Equation { left, right } => {
                    let why = "it is not linear in the coefficients; a function of them is evaluated by the delta method instead";
                    let (left, right) = left.linear(count).zip(right.linear(count)).ok_or_else(|| wrong(why))?;
                    let both = left.gradient.iter().zip(&right.gradient);
                    let weights: Vec<f64> = both.map(|(left, right)| left - right).collect();
                    let value = right.value - left.value;
                    if !(value.is_finite() && weights.iter().all(|weight| weight.is_finite())) {
                        return Err(wrong("a number in it is not finite"));
                    }
                    if weights.iter().all(|weight| *weight == 0.0) {
                        return Err(wrong("it says nothing of any coefficient"));
                    }
                    rows.push(Restriction { weights, value });
                }
            }
        }
        let mut used: Vec<usize> = rows
            .iter()
            .flat_map(|row| {
                row.weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0).map(|(place, _)| place)
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        estimates.check(text, &used)?;
        let restrictions = Restrictions { text: text.to_owned(), rows, left_out };
        match restrictions.solved(None) {
            Some(_) => Ok(restrictions),
            None => Err(wrong("one of its parts follows from the others, or contradicts them; leave it out")),
        }
    }

    /// The weights of every restriction.
    pub(super) fn weights(&self) -> impl Iterator<Item = &[f64]> {
        self.rows.iter().map(|row| &row.weights[..])
    }

    /// The restrictions solved for one coefficient each, by elimination; for `first` where it is in any of them. None where their
    /// rank is less than their number.
    pub(super) fn solved(&self, first: Option<usize>) -> Option<Vec<Solved>> {
        let mut rows = self.rows.clone();
        for row in &mut rows {
            let size = row.weights.iter().fold(0.0, |size: f64, weight| size.max(weight.abs()));
            row.weights.iter_mut().for_each(|weight| *weight /= size);
            row.value /= size;
        }
        let mut pivots: Vec<(usize, usize)> = Vec::new();
        for _ in 0..rows.len() {
            let open = |row: &usize| !pivots.iter().any(|(done, _)| done == row);
            let candidates: Vec<usize> = (0..rows.len()).filter(open).collect();
            let largest = |places: &mut dyn Iterator<Item = (usize, usize)>| {
                places.max_by(|a, b| rows[a.0].weights[a.1].abs().total_cmp(&rows[b.0].weights[b.1].abs()))
            };
            let of_first = first.and_then(|place| largest(&mut candidates.iter().map(|&row| (row, place))));
            let of_first = of_first.filter(|&(row, place)| rows[row].weights[place].abs() > ROUNDING);
            let count = rows.first().map_or(0, |row| row.weights.len());
            let any = || largest(&mut candidates.iter().flat_map(|&row| (0..count).map(move |place| (row, place))));
            let (row, place) = of_first.or_else(any)?;
            let pivot = rows[row].weights[place];
            if pivot.abs() <= ROUNDING {
                return None;
            }
            let chosen = rows[row].clone();
            for (i, other) in rows.iter_mut().enumerate() {
                if i == row {
                    other.weights.iter_mut().for_each(|weight| *weight /= pivot);
                    other.value /= pivot;
                } else {
                    let factor = other.weights[place] / pivot;
                    other
                        .weights
                        .iter_mut()
                        .zip(&chosen.weights)
                        .for_each(|(weight, chosen)| *weight -= factor * chosen);
                    other.value -= factor * chosen.value;
                    other.weights[place] = 0.0;
                }
            }
            pivots.push((row, place));
        }
        let solved = |(row, place): (usize, usize)| {
            let Restriction { mut weights, value } = rows[row].clone();
            weights[place] = 0.0;
            weights.iter_mut().for_each(|weight| *weight = -*weight);
            Solved { place, constant: value, weights }
        };
        Some(pivots.into_iter().map(solved).collect())
    }
}

/// A coefficient in terms of those that stay free: `constant + weights'b`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solved {
    pub(super) place: usize,
    pub(super) constant: f64,
    pub(super) weights: Vec<f64>,
}
