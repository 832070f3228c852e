//! Rows of another source with a response or weights made from its columns.

use crate::Error;
use crate::dispatch::vectorised;
use crate::double_double::DoubleDouble;
use crate::rows::{
    Accumulator, Block, Layout, Precision, RowSource, ScaleLayout, StateReader, StateWriter, Values, hash_parameters,
};
use crate::special::elementary::exp;

/// What is made of every block.
pub(super) trait Derive: Clone + Send + Sync {
    /// Shows `next` the block that is made of another.
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>));

    /// What a state must have been made with to be this one's.
    fn parameters(&self) -> Vec<f64>;
}

/// A source of derived rows.
#[derive(Debug)]
pub(super) struct Derived<'a, S, D> {
    pub(super) source: &'a S,
    pub(super) derive: D,
    pub(super) layout: Layout,
}

impl<S: RowSource, D: Derive> RowSource for Derived<'_, S, D> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error> {
        Ok(self.source.pass(Deriving { inner: empty, derive: self.derive.clone() })?.inner)
    }

    fn threads(&self) -> usize {
        self.source.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        self.source.rows_hint()
    }
}

/// A pass that sees derived rows.
#[derive(Debug, Clone)]
struct Deriving<A, D> {
    inner: A,
    derive: D,
}

impl<A: Accumulator, D: Derive> Accumulator for Deriving<A, D> {
    const KIND: &'static str = A::KIND;

    fn fold(&mut self, block: &Block<'_>) {
        let Deriving { inner, derive } = self;
        derive.derive(block, |block| inner.fold(block));
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn precision(&self) -> Precision {
        self.inner.precision()
    }

    fn parameters(&self) -> u64 {
        let [low, high] = [self.inner.parameters() as u32, (self.inner.parameters() >> 32) as u32].map(f64::from);
        hash_parameters([low, high].into_iter().chain(self.derive.parameters()))
    }

    fn size_in_bytes(&self) -> usize {
        self.inner.size_in_bytes()
    }

    fn write(&self, writer: &mut StateWriter) {
        self.inner.write(writer);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.inner.read(reader)
    }
}

/// A linear predictor `intercept + x'slopes`.
#[derive(Debug, Clone)]
pub(super) struct Predictor {
    pub(super) intercept: f64,
    pub(super) slopes: Vec<f64>,
}

impl Predictor {
    /// From coefficients, the intercept first where there is one; those of aliased terms are none.
    pub(super) fn new(coefficients: &[Option<f64>], intercept: bool) -> Self {
        let mut values = coefficients.iter().map(|value| value.unwrap_or(0.0));
        let intercept = if intercept { values.next().unwrap_or(0.0) } else { 0.0 };
        Predictor { intercept, slopes: values.collect() }
    }

    /// Its value in the first row, and what that of every row is more: columns far from zero cost no digits.
    pub(super) fn evaluate(&self, design: &[Values<'_>], rows: usize) -> (DoubleDouble, Vec<f64>) {
        let (mut first, mut differences) = (DoubleDouble::from(self.intercept), vec![0.0; rows]);
        for (&slope, values) in self.slopes.iter().zip(design).filter(|(slope, _)| **slope != 0.0) {
            let Some(&origin) = values.high.first() else { continue };
            first += DoubleDouble::from_sum(origin, values.low(0)) * slope;
            let origin_low = values.low(0);
            for (i, difference) in differences.iter_mut().enumerate() {
                *difference += slope * ((values.high[i] - origin) + (values.low(i) - origin_low));
            }
        }
        (first, differences)
    }

    /// `y` less its value, in every row.
    pub(super) fn residuals(&self, block: &Block<'_>) -> Vec<f64> {
        let (first, mut values) = self.evaluate(block.design, block.rows());
        for (i, value) in values.iter_mut().enumerate() {
            *value = (block.response.high[i] - first.high) + (block.response.low(i) - first.low) - *value;
        }
        values
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        std::iter::once(self.intercept).chain(self.slopes.iter().copied())
    }
}

/// `ln |e|` on the columns of the scale, every row counting as often as its frequency says: a first idea of how the scale
/// depends on them (Harvey 1976, *Econometrica* 44, 461-465), and which of them are aliased.
#[derive(Debug, Clone)]
pub(super) struct LogResiduals {
    pub(super) location: Predictor,
    /// What smaller residuals count as.
    pub(super) least: f64,
}

impl LogResiduals {
    pub(super) fn layout(scale: &ScaleLayout) -> Layout {
        Layout {
            response: "ln |residual|".to_owned(),
            terms: scale.terms.clone(),
            intercept: scale.intercept,
            scale: None,
        }
    }
}

impl Derive for LogResiduals {
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>)) {
        let mut response = self.location.residuals(block);
        for (i, value) in response.iter_mut().enumerate() {
            let root = block.weights.map_or(1.0, |w| w[i].sqrt());
            *value = (value.abs() * root).max(self.least).ln();
        }
        next(&Block {
            response: response[..].into(),
            design: block.scale_design,
            scale_design: &[],
            weights: None,
            frequencies: block.frequencies,
            log_jacobian: None,
        });
    }

    fn parameters(&self) -> Vec<f64> {
        self.location.numbers().chain([self.least]).collect()
    }
}

/// Ones on the columns of the scale: what of a common level they hold.
#[derive(Debug, Clone)]
pub(super) struct Constant;

impl Derive for Constant {
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>)) {
        let response = vec![1.0; block.rows()];
        next(&Block {
            response: response[..].into(),
            design: block.scale_design,
            scale_design: &[],
            weights: None,
            ..*block
        });
    }

    fn parameters(&self) -> Vec<f64> {
        Vec::new()
    }
}

/// The residuals as responses without a design, on the same columns of the scale.
#[derive(Debug, Clone)]
pub(super) struct Residual {
    pub(super) location: Predictor,
}

impl Residual {
    pub(super) fn layout(layout: &Layout) -> Layout {
        Layout { terms: Vec::new(), intercept: false, ..layout.clone() }
    }
}

impl Derive for Residual {
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>)) {
        let response = self.location.residuals(block);
        next(&Block { response: response[..].into(), design: &[], log_jacobian: None, ..*block });
    }

    fn parameters(&self) -> Vec<f64> {
        self.location.numbers().collect()
    }
}

/// The same rows with precisions by a modelled scale: weights times `exp(2 (reference - ln s))`.
#[derive(Debug, Clone)]
pub(super) struct Reweighted {
    pub(super) log_scale: Predictor,
    pub(super) reference: f64,
}

impl Derive for Reweighted {
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>)) {
        let (first, mut weights) = self.log_scale.evaluate(block.scale_design, block.rows());
        let reference = self.reference - first.to_f64();
        vectorised(|| weights.iter_mut().for_each(|value| *value = exp(2.0 * (reference - *value))));
        if let Some(given) = block.weights {
            weights.iter_mut().zip(given).for_each(|(value, w)| *value *= w);
        }
        next(&Block { scale_design: &[], weights: Some(&weights), log_jacobian: None, ..*block });
    }

    fn parameters(&self) -> Vec<f64> {
        self.log_scale.numbers().chain([self.reference]).collect()
    }
}
