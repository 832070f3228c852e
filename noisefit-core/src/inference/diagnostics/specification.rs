//! Whether the mean is of the form that the formula says.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::{FisherTest, Found};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::products::Products;
use crate::inference::diagnostics::summary::Summary;

/// Tests of the form of the mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Specification {
    /// RESET: the F test that the second and third powers of the fitted values add nothing (Ramsey 1969, *Journal of the
    /// Royal Statistical Society B* 31, 350-371).
    pub reset: Found<FisherTest>,
}

/// Sums of products, weighted by precision, of the whitened regressors, two powers of the fitted values and the errors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Powers {
    products: Products,
    order: usize,
}

impl Diagnostic for Powers {
    type Finding = Specification;

    fn new(diagnosis: &Diagnosis, _: usize) -> Self {
        let order = diagnosis.order();
        Powers { products: Products::new(order + 3), order }
    }

    fn fold(&mut self, _: &Diagnosis, rows: &Measured<'_>, _: u64) {
        let order = self.order;
        self.products.add(rows.rows, |j, range, values| {
            if j < order {
                values.copy_from_slice(&rows.column(j)[range.clone()]);
            } else if j < order + 2 {
                let fitted = &rows.least_squares_fitted[range.clone()];
                values
                    .iter_mut()
                    .zip(fitted)
                    .for_each(|(value, t)| *value = if j == order { t * t } else { t * t * t });
            } else {
                // Weighted already.
                values.copy_from_slice(&rows.errors[range.clone()]);
            }
            for (i, value) in range.zip(values.iter_mut()) {
                let root = if j < order + 2 { rows.root(i) } else { 1.0 };
                *value *= root * rows.frequency(i).sqrt();
            }
        });
    }

    fn merge(&mut self, later: Self, _: u64) {
        self.products.merge(&later.products);
    }

    fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Specification {
        let reset = summary.test().and_then(|()| {
            if diagnosis.fitted_coordinates.1.is_nan() {
                return Found::no("all fitted values are the same");
            }
            let factor = self.products.factor(self.order + 2);
            let before = factor.kept.iter().filter(|&&j| j < self.order).count();
            let df = (factor.kept.len() - before) as f64;
            if df == 0.0 {
                return Found::no("powers of the fitted values are combinations of the regressors");
            }
            let errors = self.order + 2;
            let explained = factor.row(errors)[before..].iter().map(|value| value * value).sum();
            FisherTest::new(explained, df, factor.residual(errors), summary.observations - before as f64 - df)
        });
        Specification { reset }
    }
}
