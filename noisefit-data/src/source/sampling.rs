//! Sampling weights, scaled to a mean of 1 over the rows that are used.

use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::BLOCK_ROWS;

use super::{DesignRows, locate};
use crate::cluster::{Told, Work};
use crate::error::{DataError, Location};
use crate::formula::{EvaluateOptions, Scope, Workspace};
use crate::frame::Frame;

impl DesignRows<'_> {
    /// The same rows with their sampling weights divided by their mean, so that these sum to the number of rows whatever unit they are
    /// in; where there are such, a pass of its own. The rows are those that a fit uses, none with a missing value or a weight of zero.
    ///
    /// # Errors
    /// Those of reading; weights whose sum is no double.
    pub fn with_sampling_weights_scaled(self) -> Result<Self, DataError> {
        if self.design().sampling_weights().is_none() || self.options.scope != Scope::All {
            return Ok(self);
        }
        let (mut weights, mut rows) = (DoubleDouble::ZERO, 0.0);
        match self.records.dataset().remote() {
            Some(remote) => {
                if let Some(Told::Weights(theirs, count)) = self.gather(remote, Work::Weights(self.travelling()))? {
                    (weights, rows) = (theirs, count);
                }
            }
            None => self.records.fold(
                |_| ((DoubleDouble::ZERO, 0.0), Workspace::default()),
                |((weights, rows), workspace), frame| self.add_weights((weights, rows), workspace, frame),
                |_, ((theirs, count), _)| {
                    weights += theirs;
                    rows += count;
                    Ok(())
                },
            )?,
        }
        let mean = weights.to_f64() / rows;
        if rows > 0.0 && !(mean > 0.0 && mean.is_finite()) {
            let at = Location { file: self.records.dataset().file_name(0).to_owned(), ..Location::default() };
            let what = "the sum of the sampling weights is larger than any double; give them in another unit";
            return Err(DataError::Invalid { at, what: what.into() });
        }
        // Without rows whoever uses them says so.
        let mean = if rows > 0.0 { mean } else { 1.0 };
        Ok(DesignRows { design: self.design.with_sampling_mean(mean), ..self })
    }

    /// Adds the weights of a frame's rows, and the number of these.
    pub(super) fn add_weights(
        &self,
        (weights, rows): (&mut DoubleDouble, &mut f64),
        workspace: &mut Workspace,
        frame: &Frame,
    ) -> Result<(), DataError> {
        let located = |error| locate(self.records.dataset(), error);
        let options = EvaluateOptions { unseen: self.options.unseen, ..EvaluateOptions::default() };
        let bound = self.design.bind(frame, options).map_err(located)?;
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let range = start..(start + BLOCK_ROWS).min(frame.rows);
            let evaluated = bound.evaluate(range, workspace).map_err(located)?;
            let Some(block) = evaluated.block() else { continue };
            block.frequencies.into_iter().flatten().for_each(|weight| *weights += *weight);
            *rows += block.rows() as f64;
        }
        Ok(())
    }
}
