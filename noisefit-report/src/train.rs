//! A trained model as people read it.

use noisefit_core::algebra::Affine;
use noisefit_core::inference::conformal::Conformal;
use noisefit_core::inference::evaluate::Scores;
use noisefit_core::network::{LeftOut, Member, Network, Objective, Pieces, Plan, Schedule, Solver, UpdateRule};
use noisefit_core::noise::{Noise, Parameter, StudentT};
use noisefit_core::training::{Fitted, Shrinkage, Trial};

use crate::Specification;
use crate::fit::calibration;
use crate::text::{count_of, optional, percent, significant, table};

/// The summary for people.
pub fn summary(
    model: &Specification,
    fitted: &Fitted,
    (plan, trials): (&Plan, &[Trial]),
    conformal: Option<&Conformal>,
) -> String {
    let Fitted { network, training, validation, .. } = fitted;
    let mut text = format!("{}\n{}, {}\n", model.formula, shape(network), noise(network));
    text += &format!("{}\n", how(plan));
    text += &stages(plan);
    if !trials.is_empty() {
        let last = plan.training.epochs;
        let plans = trials.iter().map(|trial| trial.number).max().map_or(0, |most| most + 1);
        let best = trials.iter().filter(|trial| trial.epochs == last).filter_map(|trial| trial.log_score);
        text += &format!(
            "the best of {plans} plans, by a cross-validated {} of {} a row\n",
            if network.curves() > 1 { "score (minus the pinball losses)" } else { "log score" },
            significant(best.fold(f64::NEG_INFINITY, f64::max), 5)
        );
    }
    text += &calibrated(plan, network, validation.as_deref());
    text += &shrunk(&fitted.shrinkage);
    text += &model.weighting();
    text += &lines_of(model, network);
    let others = if plan.left_out.is_some() { "left out" } else { "validation" };
    text += &format!("\n{}", scores(training, validation.as_deref(), others));
    text += &format!("\n{}", members(network));
    if let Some(missing) = model.counts.map(|counts| counts.missing).filter(|missing| *missing > 0) {
        text += &format!("\n{} with missing values left out\n", count_of(missing, "row"));
    }
    if let Some(conformal) = conformal {
        let rows = training.first().map_or(0, |scores| scores.nobs)
            + validation.as_ref().and_then(|scores| scores.first()).map_or(0, |scores| scores.nobs);
        text += &format!("\n{}", calibration(conformal, Some(rows)));
    }
    if model.transformed.is_some() {
        let response = &model.response;
        let of = match model.no_claim() {
            None => format!("the response itself: the Jacobian of {response} is in them"),
            Some(why) => format!("{response}, not of the response itself, for {why}"),
        };
        text += &format!(
            "\nThe negative log-likelihoods are those of {of}.\nLosses, R2, RMSE and MAE are of {response}.\n"
        );
    }
    text
}

/// The summary of a model that was loaded, whose training is not known any more.
pub fn loaded(model: &Specification, network: &Network, conformal: Option<&Conformal>) -> String {
    let mut text = format!("{}\n{}, {}\n", model.formula, shape(network), noise(network));
    text += &model.weighting();
    text += &lines_of(model, network);
    text += &format!("\n{}", members(network));
    if let Some(conformal) = conformal {
        text += &format!("\n{}", calibration(conformal, None));
    }
    text
}

/// The coefficients of a linear model and of its scale.
fn lines_of(model: &Specification, network: &Network) -> String {
    let mut text = String::new();
    if let Some(lines) = network.coefficients() {
        text += &format!("\n{}", coefficients("term", &model.terms, &lines));
    }
    if let Some(lines) = network.scale_coefficients() {
        text += &format!("\n{}", coefficients("log scale", &model.terms, &lines));
    }
    text
}

/// `network 10-64-32-1 with relu`, `linear model`; and of how many.
fn shape(network: &Network) -> String {
    let architecture = &network.architecture;
    let one = if network.is_linear() && network.curves() > 1 {
        "a line for the lowest quantile, steps above it".to_owned()
    } else if network.is_linear() {
        "linear model".to_owned()
    } else {
        let pieces: usize = architecture.pieces.iter().map(Pieces::count).sum();
        let read = architecture.layers().first().map_or(0, |layer| layer.inputs) - pieces;
        let widths = [read].into_iter().chain(architecture.hidden.iter().copied());
        let widths: Vec<String> = widths.chain([architecture.outputs]).map(|width| width.to_string()).collect();
        let hidden =
            if architecture.hidden.is_empty() { String::new() } else { format!(" with {}", architecture.activation) };
        let embedded = match architecture.embeddings.len() {
            0 => String::new(),
            count => format!(", {}", count_of(count as u64, "embedding")),
        };
        let pieces = match pieces {
            0 => String::new(),
            count => format!(", {} read by {count} pieces", count_of(architecture.pieces.len() as u64, "number")),
        };
        format!("network {}{hidden}{embedded}{pieces}", widths.join("-"))
    };
    match network.members.len() {
        1 => one,
        members => format!("ensemble of {members}: {one}"),
    }
}

fn noise(network: &Network) -> String {
    let first = network.members.first();
    let own = match first.map(|member| &member.noise[..]) {
        Some([Noise::StudentT(StudentT { df: Parameter::Estimated(_) })]) => "student-t noise".to_owned(),
        Some([noise]) => noise.noun(),
        Some(_) | None => match &network.objective {
            Objective::Quantiles(levels) => {
                let levels: Vec<String> = levels.iter().map(f64::to_string).collect();
                format!("quantiles {} that do not cross", levels.join(", "))
            }
            _ => String::new(),
        },
    };
    if network.models_scale() { format!("{own}, its scale modelled") } else { own }
}

/// How the loss was minimised.
fn how(plan: &Plan) -> String {
    let mut text = match &plan.solver {
        Solver::Lbfgs => "lbfgs over all rows".to_owned(),
        Solver::Steps { method, batch, shuffle } => {
            let name = match method {
                UpdateRule::Sgd { momentum: 0.0, .. } => "sgd".to_owned(),
                UpdateRule::Sgd { momentum, nesterov } => {
                    format!("sgd with {} {momentum}", if *nesterov { "nesterov momentum" } else { "momentum" })
                }
                UpdateRule::Adam => "adam".to_owned(),
                UpdateRule::AdamW => "adamw".to_owned(),
            };
            let rate = plan.training.rate;
            let schedule = match plan.training.schedule {
                Schedule::Constant => String::new(),
                Schedule::Cosine => ", cosine".to_owned(),
                Schedule::Step { epochs, factor } => format!(", times {factor} every {epochs} epochs"),
                Schedule::Plateau { epochs, factor } => format!(", times {factor} after {epochs} epochs without gain"),
            };
            let batch = batch.map_or_else(|| "all rows at once".to_owned(), |rows| format!("batches of {rows}"));
            let order = if *shuffle { "" } else { " in their order" };
            format!("{name} at {rate}{schedule}, {batch}{order}")
        }
    };
    for (name, value) in
        [("weight decay", plan.decay), ("dropout", plan.dropout), ("gradients cut to", plan.clip.unwrap_or(0.0))]
    {
        if value > 0.0 {
            text += &format!(", {name} {value}");
        }
    }
    text
}

/// When the scale is learned, where that has a course of its own.
fn stages(plan: &Plan) -> String {
    let training = &plan.training;
    match (training.scale_rate, training.common_scale) {
        (Some(rate), common @ 1..) if common < training.epochs => {
            let then = training.epochs - common;
            format!("{} with one scale, then {then} with each row's own at {rate}\n", count_of(common, "epoch"))
        }
        _ => String::new(),
    }
}

/// On what rows the noise was calibrated, and how.
fn calibrated(plan: &Plan, network: &Network, unseen: Option<&[Scores]>) -> String {
    let Some(rows) = unseen.and_then(|scores| scores.first()).map(|scores| scores.nobs) else { return String::new() };
    let on = match plan.left_out {
        Some(LeftOut { each, .. }) if plan.members > 1 => {
            format!("{}, each unseen by {each} of the {} networks", count_of(rows, "row"), plan.members)
        }
        Some(_) => format!("{} that the network did without", count_of(rows, "row")),
        None => format!("{} that validate", count_of(rows, "row")),
    };
    let what = match &network.shifts[..] {
        [] => "calibrated".to_owned(),
        shifts => {
            let shifts: Vec<String> = shifts.iter().map(|shift| significant(*shift, 3)).collect();
            format!("quantiles moved by {}, calibrated", shifts.join(", "))
        }
    };
    format!("{what} on {on}\n")
}

/// How much of what is predicted is a line, and one scale.
fn shrunk(by: &Shrinkage) -> String {
    let share = |share: f64, what: &str| (share > 0.0).then(|| format!("{} {what}", percent(share)));
    let parts =
        [share(by.line, "of the way to a line"), share(by.scale, "of the way from its own scale to one for all rows")];
    match parts.into_iter().flatten().collect::<Vec<_>>() {
        parts if parts.is_empty() => String::new(),
        parts => format!("drawn {}\n", parts.join(", ")),
    }
}

/// A linear model's coefficients; of several the mean and the standard deviation.
fn coefficients(heading: &str, terms: &[String], lines: &[Affine]) -> String {
    let lines: Vec<Vec<f64>> = lines.iter().map(|line| line.numbers().collect()).collect();
    let row = |(j, term): (usize, &String)| {
        let values: Vec<f64> = lines.iter().map(|line| line[j]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let mut row = vec![term.clone(), significant(mean, 7)];
        if values.len() > 1 {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            row.push(significant((squares / (values.len() - 1) as f64).sqrt(), 3));
        }
        row
    };
    let rows: Vec<Vec<String>> = terms.iter().enumerate().map(row).collect();
    table(&[heading, "estimate", "sd over members"][..if lines.len() > 1 { 3 } else { 2 }], &rows)
}

/// The scores of the rows that were learned from beside those of the others.
fn scores(training: &[Scores], validation: Option<&[Scores]>, others: &str) -> String {
    let mut text = String::new();
    for (curve, own) in training.iter().enumerate() {
        let other = validation.and_then(|scores| scores.get(curve));
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut line = |name: String, value: &dyn Fn(&Scores) -> String| {
            let cells = std::iter::once(own).chain(other).map(value);
            rows.push(std::iter::once(name).chain(cells).collect());
        };
        line("observations".to_owned(), &|scores| scores.nobs.to_string());
        match &own.quantile {
            Some(quantile) => {
                let of = |pick: fn(&noisefit_core::inference::evaluate::QuantileScores) -> f64, digits: usize| {
                    move |scores: &Scores| optional(scores.quantile.as_ref().map(pick), digits)
                };
                line("mean pinball loss".to_owned(), &of(|quantile| quantile.mean_pinball, 5));
                line(format!("share below the quantile {}", quantile.tau), &of(|quantile| quantile.share_below, 3));
            }
            None => {
                line("NLL of a row".to_owned(), &|scores| optional(scores.mean_nll, 5));
                line("RMSE".to_owned(), &|scores| significant(scores.rmse, 5));
                line("MAE".to_owned(), &|scores| significant(scores.mae, 5));
                line("R2".to_owned(), &|scores| optional(scores.r_squared, 4));
                line(format!("coverage of {} intervals", percent(own.level)), &|scores| optional(scores.coverage, 3));
            }
        }
        if curve > 0 {
            text.push('\n');
        }
        text += &table(&["", "training", others][..if other.is_some() { 3 } else { 2 }], &rows);
    }
    text
}

/// A row for each member.
fn members(network: &Network) -> String {
    let loss = network.objective.name();
    let validates = network.members.iter().any(|member| member.validation.is_some());
    let validation = format!("validation {loss}");
    let mut heading = vec!["member", "epochs", "best", loss];
    heading.extend(validates.then_some(&validation[..]));
    heading.push(if network.models_scale() { "scale times" } else { "scale" });
    let estimates_df = network.members.iter().any(|member| df(member).is_some());
    heading.extend(estimates_df.then_some("df"));
    heading.push("stopped by");
    let row = |(k, member): (usize, &Member)| {
        let mut row = vec![(k + 1).to_string(), member.epochs.to_string(), (member.best_epoch + 1).to_string()];
        row.push(optional(member.loss, 5));
        row.extend(validates.then(|| optional(member.validation, 5)));
        row.push(member.scale.iter().map(|scale| significant(*scale, 4)).collect::<Vec<_>>().join(", "));
        row.extend(estimates_df.then(|| optional(df(member), 3)));
        row.push(member.termination.reason.to_string());
        row
    };
    let rows: Vec<Vec<String>> = network.members.iter().enumerate().map(row).collect();
    table(&heading, &rows)
}

fn df(member: &Member) -> Option<f64> {
    match member.noise.first() {
        Some(Noise::StudentT(StudentT { df: Parameter::Estimated(df) })) => Some(*df),
        _ => None,
    }
}

/// A trial in a line.
pub fn trial_line(trial: &Trial) -> String {
    let hidden: Vec<String> = trial.hidden.iter().map(usize::to_string).collect();
    let layers = if hidden.is_empty() { String::new() } else { format!("hidden {}, ", hidden.join(",")) };
    format!(
        "trial {:>3}: {layers}rate {}, decay {}, {} epochs: log score {}",
        trial.number,
        significant(trial.rate, 3),
        significant(trial.decay, 3),
        trial.epochs,
        optional(trial.log_score, 5),
    )
}
