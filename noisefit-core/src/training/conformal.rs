//! Conformal intervals around networks.

use crate::inference::conformal::member::Member;
use crate::inference::conformal::{Conformal, KEPT_SCORES, Plan, Scheme, refuse_one_quantile};
use crate::network::{Checkpoint, Watch};
use crate::noise::Noise;
use crate::record::{Reason, Warning};
use crate::rows::{Accumulator, Folds, Part, RowSource, RowSourceExt, Sample};
use crate::training::Fitted;
use crate::{Error, network, training};

/// Fits a network as [`training::fit`] does, and calibrates intervals for it as [`conformal::fit`](crate::inference::conformal::fit) does for linear models:
/// with [`Scheme::Split`] on rows that the network does not see at all, its validation rows being others; with
/// [`Scheme::CvPlus`] by networks without each fold, unless it is interrupted. Scores are in units of the predicted standard deviation where the scale is
/// modelled.
///
/// # Errors
/// Those of [`training::fit`] and [`conformal::fit`](crate::inference::conformal::fit); [`Error::Unsupported`] for [`Scheme::JackknifePlus`].
pub fn fit_conformal(
    source: &dyn RowSource,
    noise: &[Noise],
    plan: &network::Plan,
    conformal: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<(Fitted, Option<Conformal>), Error> {
    conformal.check()?;
    refuse_one_quantile(noise)?;
    let (mut fitted, members) = match conformal.method {
        Scheme::Split => {
            let (parts, folds) = Folds::of_share(conformal.calibration, plan.seed);
            let fitted = training::fit(&folds.select(source, Part::From(parts)), noise, plan, resumed, watch)?;
            let member = Member::of_network(fitted.network.clone());
            let calibrating = folds.select(source, Part::Before(parts));
            (fitted, vec![member.scored(&calibrating, KEPT_SCORES)?])
        }
        Scheme::CvPlus => {
            let mut fitted = training::fit(source, noise, plan, resumed, watch)?;
            if !is_interrupted(&fitted)
                && let Some(members) = folds(source, noise, plan, conformal.folds, watch)?
            {
                (fitted, members)
            } else {
                fitted.warnings.push(Warning::NotCalibrated);
                return Ok((fitted, None));
            }
        }
        Scheme::JackknifePlus => {
            let what = "jackknife+ would train a network without each row; cv+ trains one without each of several folds, and split \
                        a single one";
            return Err(Error::Unsupported(what.to_owned()));
        }
    };
    let conformal = Conformal::new(conformal, plan.seed, members);
    fitted.warnings.extend(conformal.too_few(LEVEL));
    Ok((fitted, Some(conformal)))
}

fn is_interrupted(fitted: &Fitted) -> bool {
    fitted.network.members.iter().any(|member| member.termination.reason == Reason::Interrupted)
}

/// The networks without a fold, with the scores of its rows; none where they were interrupted.
fn folds(
    source: &dyn RowSource,
    noise: &[Noise],
    plan: &network::Plan,
    count: usize,
    watch: &impl Watch,
) -> Result<Option<Vec<Member>>, Error> {
    let count = count.min(source.pass(Sample::none())?.rows().max(2) as usize);
    let (folds, limit) = (Folds { count, seed: plan.seed }, (KEPT_SCORES / count).max(100));
    let mut members = Vec::with_capacity(count);
    for number in 0..count {
        let kept = folds.select(source, Part::Without(number));
        let fold = training::fit(&kept, noise, plan, None, &Silent(watch));
        if watch.stops() {
            watch.ends();
            return Ok(None);
        }
        members.push(Member::of_network(fold?.network).scored(&folds.select(source, Part::Only(number)), limit)?);
        source.report(number as u64 + 1, count as u64)?;
    }
    Ok(Some(members.into_iter().filter(|member| member.scores.count() > 0.0).collect()))
}

/// The level that few rows are warned of.
const LEVEL: f64 = 0.9;

/// A watch that can only stop.
struct Silent<'a, W>(&'a W);

impl<W: Watch> Watch for Silent<'_, W> {
    fn stops(&self) -> bool {
        self.0.stops()
    }
}
