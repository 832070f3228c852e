//! How much wider terms are for not being at right angles to the others: variance inflation factors.

use serde::Serialize;

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{packed, packed_length};
use crate::estimate::{Options, closed_form};
use crate::rows::RowSource;

/// The inflation of a term.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inflation {
    /// The term.
    pub term: String,
    /// How many estimated coefficients it has.
    pub df: usize,
    /// By how much the volume of their joint confidence region, squared, is larger than of columns at right angles to the others: of one
    /// coefficient the variance inflation factor `1 / (1 - R^2)`.
    pub gvif: f64,
    /// `gvif^(1 / (2 df))`: what widths are multiplied by, which compares across terms.
    pub per_df: f64,
}

/// The (generalised) variance inflation factors of terms, given with the names of their coefficients, by least squares over the rows with
/// their weights (Fox and Monette 1992, *Journal of the American Statistical Association* 87, 178-183): with the correlation matrix `R` of all
/// coefficients but the intercept, `det(R_tt) det((R^-1)_tt)` of those of a term. Terms without an estimated coefficient are left out.
///
/// # Errors
/// Those of least squares.
pub fn inflations(
    source: &dyn RowSource,
    terms: &[(String, Vec<String>)],
    options: &Options,
) -> Result<Vec<Inflation>, Error> {
    let fit = closed_form::fit(source, options)?;
    let skipped = usize::from(fit.location.intercept);
    let places: Vec<usize> =
        (skipped..fit.location.rows.len()).filter(|&j| fit.location.rows[j].estimate.is_some()).collect();
    let vcov = fit.vcov();
    let count = places.len();
    let mut matrix = vec![0.0; packed_length(count)];
    for i in 0..count {
        for j in 0..=i {
            let (a, b) = (places[i], places[j]);
            let entry = vcov.get(a).and_then(|row| row.get(b)).copied().unwrap_or(0.0);
            let variance = |k: usize| vcov.get(k).map_or(0.0, |row| row[k]);
            matrix[packed(i, j)] = entry / (variance(a) * variance(b)).sqrt();
        }
    }
    let Some(factor) = Cholesky::new(&matrix, count).filter(|_| fit.df_residual > 0) else {
        return Err(Error::Unsupported(
            "the coefficients have no correlations: there are as many of them as observations, or no residuals"
                .to_owned(),
        ));
    };
    let columns: Vec<Vec<f64>> = (0..count)
        .map(|k| factor.solve(&(0..count).map(|i| f64::from(u8::from(i == k))).collect::<Vec<f64>>()))
        .collect();
    let entry = |i: usize, j: usize| matrix[packed(i.max(j), i.min(j))];
    let inflation = |(term, members): &(String, Vec<String>)| {
        let own: Vec<usize> = (0..count).filter(|&k| members.contains(&fit.location.rows[places[k]].term)).collect();
        let df = own.len();
        let determinant = |of: &dyn Fn(usize, usize) -> f64| {
            determinant(own.iter().map(|&i| own.iter().map(|&j| of(i, j)).collect()).collect())
        };
        let gvif = determinant(&entry) * determinant(&|i, j| columns[j][i]);
        (df > 0).then(|| Inflation { term: term.clone(), df, gvif, per_df: gvif.powf(0.5 / df as f64) })
    };
    Ok(terms.iter().filter_map(inflation).collect())
}

/// Of a positive definite matrix, by elimination.
fn determinant(mut matrix: Vec<Vec<f64>>) -> f64 {
    let mut product = 1.0;
    for i in 0..matrix.len() {
        product *= matrix[i][i];
        for k in i + 1..matrix.len() {
            let factor = matrix[k][i] / matrix[i][i];
            for j in i..matrix.len() {
                matrix[k][j] -= factor * matrix[i][j];
            }
        }
    }
    product
}
