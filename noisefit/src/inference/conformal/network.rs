//! Conformal intervals around networks.

use super::member::Member;
use super::{Conformal, KEPT_SCORES, Method, Plan, refuse_one_quantile};
use crate::Error;
use crate::network::{self, Checkpoint, Fitted, Watch};
use crate::noise::Choice;
use crate::rows::{Accumulator, AnyRows, Folds, Part, RowSource, Sample};

/// Fits a network as [`network::fit`] does, and calibrates intervals for it as [`fit`](super::fit) does for linear models:
/// with [`Method::Split`] on rows that the network does not see at all, its validation rows being others; with
/// [`Method::CvPlus`] by networks without each fold. Scores are in units of the predicted standard deviation where the scale is
/// modelled.
///
/// # Errors
/// Those of [`network::fit`] and [`fit`](super::fit); [`Error::Unsupported`] for [`Method::JackknifePlus`].
pub fn fit_network(
    source: &impl RowSource,
    noise: &Choice,
    plan: &network::Plan,
    conformal: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<(Fitted, Conformal), Error> {
    let source = &AnyRows::new(source);
    conformal.check()?;
    refuse_one_quantile(noise)?;
    let (mut fitted, members) = match conformal.method {
        Method::Split => {
            let (parts, folds) = Folds::of_share(conformal.calibration, plan.seed);
            let fitted = network::fit(&folds.select(source, Part::From(parts)), noise, plan, resumed, watch)?;
            let member = Member::of_network(fitted.network.clone());
            let calibrating = folds.select(source, Part::Before(parts));
            (fitted, vec![member.scored(&calibrating, KEPT_SCORES)?])
        }
        Method::CvPlus => {
            let fitted = network::fit(source, noise, plan, resumed, watch)?;
            let count = conformal.folds.min(source.pass(Sample::none())?.rows().max(2) as usize);
            let (folds, limit) = (Folds { count, seed: plan.seed }, (KEPT_SCORES / count).max(100));
            let member = |number: usize| {
                let kept = folds.select(source, Part::Without(number));
                let fold = network::fit(&kept, noise, plan, None, &Silent(watch))?;
                Member::of_network(fold.network).scored(&folds.select(source, Part::Only(number)), limit)
            };
            let members = (0..count).map(member).collect::<Result<Vec<_>, Error>>()?;
            (fitted, members.into_iter().filter(|member| member.scores.count() > 0.0).collect())
        }
        Method::JackknifePlus => {
            let what = "jackknife+ would train a network without each row; cv+ trains one without each of several folds, and split \
                        a single one";
            return Err(Error::Unsupported(what.to_owned()));
        }
    };
    let conformal = Conformal::new(conformal, plan.seed, members);
    fitted.warnings.extend(conformal.too_few(LEVEL));
    Ok((fitted, conformal))
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
