//! How heavy the tails are: the estimate of a shape, and its interval by profile likelihood.

use crate::Error;
use crate::estimate::absorbing::equations::Equations;
use crate::estimate::absorbing::pass::Sums;
use crate::estimate::absorbing::search::{Maximum, Search};
use crate::estimate::profile_end::{Top, profile_end};
use crate::numeric::distribution::{Normal, Symmetric};
use crate::record::ShapeParameter;
use crate::rows::RowSourceExt;

/// A point of the profile from which no more is to be gained, in units of the log-likelihood: the second order says what is left.
const NEAR: f64 = 1e-4;

/// Steps to a point of the profile at most.
const MOST_STEPS: usize = 20;

impl Search<'_> {
    /// The shape that was found, where it is estimated.
    ///
    /// # Errors
    /// What the source reports.
    pub(super) fn shape(&self, found: &Maximum, level: f64) -> Result<Option<ShapeParameter>, Error> {
        let (Some(known), point) = (&found.known.shape, found.state.point()) else { return Ok(None) };
        let (slope, bend) = found.equations.profile()?;
        let log_likelihood = found.state.log_likelihood(found.known.constant[0]);
        let top = Top { theta: point.theta, log_likelihood, slope, bend };
        let mut ends = [None; 2];
        for (end, (direction, bound)) in ends.iter_mut().zip([(-1.0, known.lightest), (1.0, known.heaviest)]) {
            let mut near = None;
            let profile = |theta: f64| self.profile(found, &mut near, theta);
            let theta = profile_end(&top, Normal.critical(level), (direction, bound), profile)?;
            *end = known.is_inside(theta).then(|| point.reported(theta));
        }
        if point.reported(known.lightest) > point.reported(known.heaviest) {
            ends.reverse();
        }
        Ok(Some(ShapeParameter {
            name: known.name.to_owned(),
            estimate: Some(point.reported(point.theta)).filter(|value| value.is_finite()),
            conf_low: ends[0],
            conf_high: ends[1],
            bound: Some(point.reported(known.heaviest)).filter(|bound| bound.is_finite()),
        }))
    }

    /// The profile of the log-likelihood at a shape, and its slope, by steps from the last point of it, which is then this one.
    fn profile(&self, found: &Maximum, last: &mut Option<(Sums, Equations)>, theta: f64) -> Result<(f64, f64), Error> {
        let (state, equations) = last.as_ref().map_or((&found.state, &found.equations), |(state, own)| (state, own));
        let mut step = equations.step_by(theta - state.point().theta)?;
        let mut point = state.point().moved(&step, 1.0);
        for steps in 0.. {
            let state = self.source.pass(Sums::new(point.clone()))?;
            let known = point.known(state.observations(), self.coefficients);
            let equations = Equations::at(self.source, &state, &known)?;
            step = equations.step_by(0.0)?;
            if step.rise < NEAR || steps == MOST_STEPS {
                let log_likelihood = state.log_likelihood(known.constant[0]) + 0.5 * step.rise;
                let (slope, _) = equations.profile()?;
                *last = Some((state, equations));
                return Ok((log_likelihood, slope));
            }
            point = point.moved(&step, 1.0);
        }
        Ok((f64::NAN, f64::NAN))
    }
}
