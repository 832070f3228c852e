//! Whether coefficients of several quantiles are the same: the quantiles have one shape then, and differ in their height alone.
//!
//! The estimates at levels `s` and `t` have the covariance `(min(s, t) - s t) H_s^-1 J H_t^-1` with `J = X'WX` (Koenker 2005, *Quantile
//! Regression*, section 3.3.2 and 4.3; Koenker and Bassett 1982, *Econometrica* 50, 43-61). A fit keeps `V_s = s (1 - s) H_s^-1 J H_s^-1`
//! alone. In coordinates in which `J` is the identity its root is `H_s^-1`, which is symmetric and positive: with `J` of the rows all
//! covariances follow.

use faer::{Mat, Side};

use crate::Error;
use crate::algebra::gram::{packed, packed_length};
use crate::estimate::{Options, closed_form};
use crate::inference::covariance::{Classical, Iid, Kernel, Nid, Vcov};
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::language::Names;
use crate::inference::hypothesis::restrictions::Restrictions;
use crate::inference::hypothesis::test::Test;
use crate::inference::hypothesis::wald::{several, single};
use crate::noise::Route;
use crate::record::Fit;
use crate::rows::RowSource;

/// Quantiles of the same rows, by their levels, with the covariance of all their coefficients.
pub(super) struct Quantiles<'a> {
    fits: &'a [Fit],
    taus: Vec<f64>,
    /// The coefficients that are estimated.
    places: Vec<usize>,
    /// `H_s^-1 J^(1/2)` of each: a covariance is the product of one with another's transpose.
    roots: Vec<Mat<f64>>,
}

fn refused(why: &str) -> Error {
    Error::Unsupported(format!("coefficients across quantiles: {why}"))
}

impl<'a> Quantiles<'a> {
    /// Of fits to the rows of a source.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for fewer than two quantiles, a covariance of another form, and fits without standard errors; those of least
    /// squares.
    pub(super) fn new(source: &dyn RowSource, fits: &'a [Fit], options: &Options) -> Result<Self, Error> {
        let level = |fit: &Fit| match fit.noise.route() {
            Route::Vertex { tau } if !fit.scale.is_modelled() => Some(tau),
            _ => None,
        };
        let taus: Option<Vec<f64>> = fits.iter().map(level).collect();
        let (Some(taus), [first, _, ..]) = (taus, fits) else {
            return Err(refused("the model has one fit alone; fit several, as quantile:0.25,0.75 has two"));
        };
        let places: Vec<usize> =
            (0..first.location.rows.len()).filter(|&j| first.location.rows[j].estimate.is_some()).collect();
        for fit in fits {
            let kind = &fit.covariance.kind;
            let of_the_form = Vcov::of(kind).is_some_and(|vcov| {
                [Vcov::Nid(Nid), Vcov::Iid(Iid), Vcov::Kernel(Kernel), Vcov::Classical(Classical)].contains(&vcov)
            });
            if !of_the_form {
                return Err(refused(&format!(
                    "with standard errors {kind} what is common to two quantiles is not kept; fit with nid, iid or kernel"
                )));
            }
            if fit.vcov().is_empty() || places.iter().any(|&j| fit.location.rows[j].std_error.is_none()) {
                return Err(refused("one of the quantiles has no standard errors"));
            }
        }
        let metric = closed_form::fit(source, options)?;
        let apart = metric.location.rows.len() != first.location.rows.len()
            || places.iter().any(|&j| metric.vcov().get(j).is_none_or(|row| !(row[j] > 0.0)));
        if apart {
            return Err(refused("these rows are not those that the model was fitted to"));
        }
        let order = places.len();
        let unit = |j: usize| metric.vcov()[places[j]][places[j]].sqrt();
        let metric = Mat::from_fn(order, order, |i, j| metric.vcov()[places[i]][places[j]] / (unit(i) * unit(j)));
        let factor = metric.llt(Side::Lower).map_err(|_| refused("the regressors are collinear"))?;
        let lower = factor.L();
        let root = |(fit, tau): (&Fit, &f64)| {
            let own = Mat::from_fn(order, order, |i, j| {
                fit.vcov()[places[i]][places[j]] / (unit(i) * unit(j) * tau * (1.0 - tau))
            });
            let half = solved(lower, &own);
            let whitened = solved(lower, &half.transpose().to_owned());
            let found = whitened.self_adjoint_eigen(Side::Lower).map_err(|_| refused("a covariance has no root"))?;
            let (values, vectors) = (found.S().column_vector(), found.U());
            let root = Mat::from_fn(order, order, |i, j| {
                (0..order).map(|k| values[k].max(0.0).sqrt() * vectors[(i, k)] * vectors[(j, k)]).sum::<f64>()
            });
            let root = lower * root;
            Ok(Mat::from_fn(order, order, |i, j| unit(i) * root[(i, j)]))
        };
        let roots = fits.iter().zip(&taus).map(root).collect::<Result<_, Error>>()?;
        Ok(Quantiles { fits, taus, places, roots })
    }

    /// `a' Cov(b_s, b_t) c`, for fits by their places.
    fn covariance(&self, [s, t]: [usize; 2], a: &[f64], c: &[f64]) -> f64 {
        let share = self.taus[s].min(self.taus[t]) - self.taus[s] * self.taus[t];
        let order = self.places.len();
        let seen = |fit: usize, weights: &[f64]| -> Vec<f64> {
            let of = |k: usize| (0..order).map(|i| weights[self.places[i]] * self.roots[fit][(i, k)]).sum();
            (0..order).map(of).collect()
        };
        share * seen(s, a).iter().zip(seen(t, c)).map(|(a, c)| a * c).sum::<f64>()
    }

    /// The test that what a hypothesis names is the same at all levels.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a hypothesis that cannot be read, or names a value.
    pub(super) fn test(&self, text: &str, names: &Names, level: f64) -> Result<Test, Error> {
        let estimates = Estimates::new(&self.fits[0]);
        let Restrictions { rows, left_out, .. } = Restrictions::read(text, names, &estimates)?;
        if rows.iter().any(|row| row.value != 0.0) {
            return Err(refused(&format!(
                "hypothesis '{text}' sets coefficients beside a number; they are set beside one another: name them alone"
            )));
        }
        // What each restriction changes by from a level to the next.
        let steps: Vec<(usize, &[f64])> =
            (1..self.fits.len()).flat_map(|k| rows.iter().map(move |row| (k, &row.weights[..]))).collect();
        let value = |fit: usize, weights: &[f64]| -> f64 {
            let values = Estimates::new(&self.fits[fit]).values();
            weights.iter().zip(values).map(|(weight, b)| weight * b).sum()
        };
        let distances: Vec<f64> = steps.iter().map(|&(k, weights)| value(k, weights) - value(k - 1, weights)).collect();
        let mut matrix = vec![0.0; packed_length(steps.len())];
        for (i, &(k, a)) in steps.iter().enumerate() {
            for (j, &(l, c)) in steps[..=i].iter().enumerate() {
                let of = |s: usize, t: usize| self.covariance([s, t], a, c);
                matrix[packed(i, j)] = of(k, l) - of(k, l - 1) - of(k - 1, l) + of(k - 1, l - 1);
            }
        }
        let df = estimates.df(rows.iter().map(|row| &row.weights[..]));
        let test = match &distances[..] {
            [change] => single(text, [*change, 0.0], Some(matrix[0].max(0.0).sqrt()), df, level),
            _ => several(text, &distances, Some(matrix), df, &estimates)?,
        };
        Ok(Test { left_out, ..test })
    }
}

/// `L^-1 B`.
fn solved(lower: faer::MatRef<'_, f64>, right: &Mat<f64>) -> Mat<f64> {
    let mut solved = right.clone();
    lower.solve_lower_triangular_in_place(solved.as_mut());
    solved
}
