//! Responses and weights that the likelihood's steps make from the rows.

use serde::{Deserialize, Serialize};

use crate::algebra::Affine;
use crate::numeric::dispatch::vectorised;
use crate::numeric::special::elementary::exp;
use crate::rows::{Adaptor, Block, Design, Layout, ScaleLayout};

/// `ln |e|` on the columns of the scale, every row counting as often as its frequency says: a first idea of how the scale
/// depends on them (Harvey 1976, *Econometrica* 44, 461-465), and which of them are aliased.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LogResiduals {
    pub(super) location: Affine,
    /// What smaller residuals count as.
    pub(super) least: f64,
}

impl LogResiduals {
    pub(super) fn layout(scale: &ScaleLayout) -> Layout {
        Layout {
            response: "ln |residual|".to_owned(),
            terms: scale.terms.clone(),
            intercept: scale.intercept,
            ..Layout::default()
        }
    }
}

impl Adaptor for LogResiduals {
    const KIND: &'static str = "log residuals";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let mut response = self.location.residuals(block);
        for (i, value) in response.iter_mut().enumerate() {
            let root = block.root_weight(i);
            *value = (value.abs() * root).max(self.least).ln();
        }
        next(&Block {
            response: response[..].into(),
            design: block.scale_design,
            scale_design: Design::default(),
            weights: None,
            log_jacobian: None,
            ..*block
        });
    }
}

/// Ones on the columns of the scale: what of a common level they hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Constant;

impl Adaptor for Constant {
    const KIND: &'static str = "ones";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let response = vec![1.0; block.rows()];
        next(&Block {
            response: response[..].into(),
            design: block.scale_design,
            scale_design: Design::default(),
            weights: None,
            ..*block
        });
    }
}

/// The residuals as responses without a design, on the same columns of the scale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Residual {
    pub(super) location: Affine,
}

impl Residual {
    pub(super) fn layout(layout: &Layout) -> Layout {
        Layout { terms: Vec::new(), intercept: false, ..layout.clone() }
    }
}

impl Adaptor for Residual {
    const KIND: &'static str = "residual rows";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let response = self.location.residuals(block);
        next(&Block { response: response[..].into(), design: Design::default(), log_jacobian: None, ..*block });
    }
}

/// The same rows with precisions by a modelled scale: weights times `exp(2 (reference - ln s))`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reweighted {
    pub(super) log_scale: Affine,
    pub(super) reference: f64,
}

impl Adaptor for Reweighted {
    const KIND: &'static str = "reweighted";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let (first, mut weights) = self.log_scale.evaluate(block.scale_design, block.rows());
        let reference = self.reference - first.to_f64();
        vectorised(|| weights.iter_mut().for_each(|value| *value = exp(2.0 * (reference - *value))));
        if let Some(given) = block.weights {
            weights.iter_mut().zip(given).for_each(|(value, w)| *value *= w);
        }
        next(&Block { scale_design: Design::default(), weights: Some(&weights), log_jacobian: None, ..*block });
    }
}
