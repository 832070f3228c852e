//! Models side by side, as papers print them.

use std::collections::HashSet;

use noisefit_core::record::{Coefficient, LikelihoodOf};
use noisefit_report::tabulate::{Options, Tabulated};
use noisefit_report::text::significant;

use crate::fitted::Fitted;

/// A table of models side by side, each under its name: estimates over their errors in brackets, and at the foot the number of
/// observations, the noise and its scale, log-likelihood, AIC and BIC. A model of several quantiles has a column for each.
///
/// ```
/// use noisefit::report::tabulate::{Format, Options};
/// use noisefit::{Model, Table, tabulate};
///
/// let table = Table::open("../testdata/engel.csv")?;
/// let plain = Model::new("foodexp ~ income").fit(&table)?;
/// let robust = Model::new("foodexp ~ income").noise("laplace")?.fit(&table)?;
/// let options = Options { format: Format::Markdown, stars: false };
/// let text = tabulate(&[("gaussian".into(), &plain), ("laplace".into(), &robust)], options);
/// assert!(text.contains("| income | 0.4852 | 0.5602 |"), "{text}");
/// # Ok::<(), noisefit::Error>(())
/// ```
pub fn tabulate(models: &[(String, &Fitted)], options: Options) -> String {
    let told = told_apart(models);
    let columns: Vec<Tabulated> = models.iter().flat_map(|(name, fitted)| columns(name, fitted, told)).collect();
    noisefit_report::tabulate::tabulate(&columns, options)
}

/// Whether the models have several responses, or transformed ones: what stands side by side is of different things then.
fn told_apart(models: &[(String, &Fitted)]) -> bool {
    let design = |fitted: &Fitted| fitted.model.design.clone();
    let responses: HashSet<String> =
        models.iter().map(|(_, fitted)| design(fitted).layout().response.clone()).collect();
    responses.len() > 1 || models.iter().any(|(_, fitted)| design(fitted).transforms_response())
}

/// The response, and of what the likelihood is.
fn of_response(fitted: &Fitted) -> [(&'static str, String); 2] {
    let design = &fitted.model.design;
    let response = design.response();
    let of = match design.transforms_response() && design.likelihood_of() == LikelihoodOf::Response {
        true => design.response_column().unwrap_or_default().to_owned(),
        false => response.to_owned(),
    };
    [("Response", response.to_owned()), ("Likelihood of", of)]
}

fn columns(name: &str, fitted: &Fitted, told: bool) -> Vec<Tabulated> {
    let mut columns = alone(name, fitted);
    for column in columns.iter_mut().filter(|_| told) {
        column.facts.splice(0..0, of_response(fitted));
    }
    columns
}

fn alone(name: &str, fitted: &Fitted) -> Vec<Tabulated> {
    if let Some(network) = fitted.network() {
        return vec![trained(name, fitted, network)];
    }
    let several = fitted.fits().len() > 1;
    let of = |fit: &noisefit_core::record::Fit| {
        let name = if several { format!("{name}, {}", fit.noise) } else { name.to_owned() };
        Tabulated::of_fit(name, fit, fitted.model.design.weights().is_some())
    };
    fitted.fits().iter().map(of).collect()
}

/// A column of what was trained: its coefficients where it is a line, without errors.
fn trained(name: &str, fitted: &Fitted, network: &noisefit_core::network::Network) -> Tabulated {
    let names = fitted.model.design.layout().coefficient_names();
    let line = network.coefficients().and_then(|lines| lines.into_iter().next());
    let coefficients = line.filter(|_| network.members.len() == 1).map_or_else(Vec::new, |line| {
        let rows = names.iter().zip(line.numbers());
        rows.map(|(term, estimate)| Coefficient::without_error(term.clone(), estimate)).collect()
    });
    let member = network.members.first();
    let noise = member.and_then(|member| member.noise.first());
    let scale = member.and_then(|member| member.scale.first()).filter(|_| !network.models_scale());
    let facts = vec![
        ("Noise", noise.map_or_else(String::new, ToString::to_string)),
        ("Scale", scale.map_or_else(|| "modelled".to_owned(), |scale| significant(*scale, 4))),
        ("Members", network.members.len().to_string()),
    ];
    Tabulated { name: name.to_owned(), coefficients, facts }
}
