//! `noisefit fit`.

mod arguments;
mod auto;
mod record;
mod train;

use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::conformal::Method;
use noisefit_core::inference::{conformal, profile};
use noisefit_core::record::Fit;
use noisefit_data::model::FittedModel;
use noisefit_report::compare::{likelihoods, verdict};

use arguments::ConfintChoice;
pub(crate) use arguments::FitArguments;
use auto::Chosen;
use record::{ChosenBy, Record};

use super::model::{explain, specification};
use crate::arguments::{DataArguments, OutputFormat};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json, tell, warn};
use crate::progress::Passes;

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    if arguments.train.trains()? {
        return train::run(arguments);
    }
    if arguments.vcov_matrix && arguments.format != OutputFormat::Json {
        return Err(Usage("--vcov-matrix prints what programs read; say --format json, too".to_owned()).into());
    }
    let FitArguments { data, model, .. } = arguments;
    let named = match arguments.noise.is_auto()? {
        true => None,
        false => Some((arguments.noise.choice(model)?, model.formula()?)),
    };
    let dataset = data.open()?;
    DataArguments::refuse_overwriting(&dataset, &[("--output", arguments.output.as_ref())])?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let (noise, formula, comparison) = match named {
        Some((noise, formula)) => (noise, formula, None),
        None => {
            let Chosen { noise, formula, comparison } = auto::choose(arguments, &dataset, &passes)?;
            (noise, formula, Some(comparison))
        }
    };
    let formula = formula.with_clusters(arguments.vcov.clusters());
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let mut options =
        Options { level: arguments.level, vcov: arguments.vcov.clone(), seed: arguments.seed, ..model.options() };
    options.settings.one_pass = arguments.one_pass;
    let plan = arguments.conformal.plan(&noise)?;
    if let (ConfintChoice::Profile, Some(Method::Split)) = (arguments.confint, plan.map(|plan| plan.method)) {
        return Err(Usage(
            "--confint profile is of all rows, and --conformal split fits some of them; say --conformal cv+".to_owned(),
        )
        .into());
    }
    let (mut fits, conformal) = match plan {
        None => inference::fit(&rows, &noise, &options).map(|fits| (fits, None)),
        Some(plan) => conformal::fit(&rows, &noise, &options, &plan).map(|(fits, conformal)| (fits, Some(conformal))),
    }
    .map_err(|error| explain(error, rows.counts(), &dataset))?;
    if arguments.confint == ConfintChoice::Profile {
        let estimation = options.estimation();
        fits.iter_mut().try_for_each(|fit| profile::intervals(&rows, fit, &estimation))?;
    }
    let model = FittedModel::new(rows.design().clone(), fits).with_conformal(conformal);
    let counts = rows.counts();
    drop(rows);
    drop(passes);

    if let Some(path) = &arguments.output {
        model.save(path)?;
    }
    let chosen_by = comparison.as_ref().map(ChosenBy::new);
    match arguments.format {
        OutputFormat::Json => print_json(&Record::new(&model, counts, chosen_by, arguments.vcov_matrix))?,
        OutputFormat::Table => {
            let evidence = comparison.as_ref().map(|comparison| format!("\n{}", likelihoods(comparison, false)));
            let specification = specification(&model.design, counts);
            let summary = noisefit_report::fit::summary(&specification, &model.fits, model.conformal.as_ref());
            print(&(summary + &evidence.unwrap_or_default()))?;
        }
    }
    if let Some(comparison) = &comparison {
        tell(&verdict(comparison));
    }
    warn(&warnings(&model.fits));
    if comparison.is_some() && model.conformal.is_some() {
        warn(&["the noise was chosen on all rows, those that calibrate among them; the promise of conformal intervals is for a noise \
               that is named beforehand"
            .to_owned()]);
    }
    Ok(outcome(&model.fits))
}

fn outcome(fits: &[Fit]) -> Outcome {
    match fits.iter().all(|fit| fit.termination.converged) {
        true => Outcome::Done,
        false => Outcome::NotConverged,
    }
}

/// What the fits warn of, each once; of several quantiles with the level.
fn warnings(fits: &[Fit]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for fit in fits {
        for warning in &fit.warnings {
            let shared = fits.iter().all(|other| other.warnings.contains(warning));
            let warning = if shared { warning.to_string() } else { format!("{}: {warning}", fit.noise) };
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use noisefit_core::estimate::closed_form;
    use noisefit_core::record::{Shortfall, Warning};
    use noisefit_core::rows::{Matrix, MemoryRows};

    #[test]
    fn what_did_not_converge_is_said_and_is_no_success() {
        let rows = MemoryRows::new(&[1.0, 3.0, 2.0], Matrix::row_major(&[1.0, 2.0, 3.0], 3, 1).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &noisefit_core::estimate::Options::default()).unwrap();
        assert_eq!((outcome(std::slice::from_ref(&fit)), fit.warnings.len()), (Outcome::Done, 0));
        let mut stopped = fit.clone();
        stopped.termination.converged = false;
        let said = "not converged after 50 turns between location and scale";
        stopped.warnings.push(Warning::NotConverged(Shortfall::Turns { turns: 50 }));
        let fits = [fit, stopped];
        assert_eq!(outcome(&fits), Outcome::NotConverged);
        // Of several fits, which.
        assert_eq!(warnings(&fits), [format!("gaussian: {said}")]);
        assert_eq!(warnings(&fits[1..]), [said]);
    }
}
