//! The columns of a prediction: their names, and those that are carried along.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use noisefit_core::network::Network;
use noisefit_core::noise::{AsymmetricLaplace, Noise};
use noisefit_core::wording::Setting;
use noisefit_data::DataError;
use noisefit_data::formula::Scope;
use noisefit_data::frame::{Column, Field, MISSING};
use noisefit_data::model::FittedModel;
use noisefit_data::read::Dataset;
use noisefit_data::source::columns_of;

use crate::error::Error;
use crate::predict::options::{Asked, Interval, Keep};
use crate::refusal::Refusal;
use crate::table::Table;

/// Whether a prediction says where its spread comes from: of the noise, and of members that differ.
pub(super) fn has_deviations(network: &Network) -> bool {
    network.members.len() > 1 && network.curves() == 1
}

/// For each curve that is predicted its level, where it is a quantile.
pub(super) fn curves(model: &FittedModel) -> Vec<Option<f64>> {
    let tau = |noise: &Noise| match noise {
        Noise::Quantile(AsymmetricLaplace { tau }) => Some(*tau),
        _ => None,
    };
    match &model.network {
        None => model.fits.iter().map(|fit| tau(&fit.noise)).collect(),
        Some(network) => network.members.iter().take(1).flat_map(|member| member.noise.iter().map(tau)).collect(),
    }
}

/// The names of what is predicted, in the order of [`Predictors::predict`]: with several quantiles `q0.1`, `q0.1_conf_low`, ...;
/// with several levels `pred_low_0.5`, ...
pub(super) fn predicted_names(model: &FittedModel, asked: Option<&Asked>) -> Vec<String> {
    let ends = |kind: Interval| {
        let name = if kind == Interval::Confidence { "conf" } else { "pred" };
        let levels = asked.map_or(&[][..], |asked| &asked.levels);
        let end = move |level: &f64, end: &str| match levels {
            [_] => format!("{name}_{end}"),
            _ => format!("{name}_{end}_{level}"),
        };
        levels.iter().flat_map(move |level| [end(level, "low"), end(level, "high")]).collect::<Vec<_>>()
    };
    let (own, conformal) = match asked.map(|asked| asked.kind) {
        None => (Vec::new(), Vec::new()),
        Some(Interval::Conformal) => (Vec::new(), ends(Interval::Conformal)),
        Some(kind) => (ends(kind), Vec::new()),
    };
    let mut names = Vec::new();
    let curves = curves(model);
    for curve in &curves {
        let prefix = match (curve, curves.len()) {
            (Some(tau), 2..) => format!("q{tau}"),
            _ => String::new(),
        };
        match prefix.is_empty() {
            true => names.extend(std::iter::once("prediction".to_owned()).chain(own.iter().cloned())),
            false => {
                let own = own.iter().map(|end| format!("{prefix}_{end}"));
                names.extend(std::iter::once(prefix.clone()).chain(own));
            }
        }
    }
    let network = model.network.as_ref();
    let models_scale = model.design.layout().scale.is_some() || network.is_some_and(Network::models_scale);
    names.extend(models_scale.then(|| "scale".to_owned()));
    if network.is_some_and(has_deviations) {
        names.extend(["sd_total", "sd_aleatoric", "sd_epistemic"].map(str::to_owned));
    }
    names.extend(conformal);
    names
}

/// The names with the one that was asked for: instead of `prediction`, and before the others.
pub(super) fn named(names: Vec<String>, name: Option<&str>) -> Vec<String> {
    let Some(own) = name else { return names };
    let renamed = |name: String| if name == "prediction" { own.to_owned() } else { format!("{own}_{name}") };
    names.into_iter().map(renamed).collect()
}

/// Refuses to write a name twice: whoever reads the table would take the wrong one of the two.
pub(super) fn refuse_twice(carried: &[Field], predicted: &[String]) -> Result<(), Refusal> {
    let mut kept = HashSet::new();
    if let Some(place) = carried.iter().position(|field| !kept.insert(field.name.as_str())) {
        return Err(Refusal::KeptTwice { name: carried[place].name.clone(), place: place + 1 });
    }
    match predicted.iter().find(|name| kept.contains(name.as_str())) {
        Some(name) => Err(Refusal::NameTaken { name: name.clone() }),
        None => Ok(()),
    }
}

/// The columns to carry along.
pub(super) fn carried(keep: &Keep, table: &Table) -> Result<Vec<Field>, Error> {
    let Keep::Named(names) = keep else { return Ok(table.columns().to_vec()) };
    let field = |name: &String| {
        let found = table.dataset().position(name).map(|place| table.columns()[place].clone());
        found.ok_or_else(|| Error::NoColumn {
            setting: Setting::Keep,
            name: name.clone(),
            files: None,
            columns: table.names(),
        })
    };
    names.iter().map(field).collect()
}

/// Positions of the columns to read: the design's first, then those carried along; and where the latter stand among them.
pub(super) fn columns(
    model: &FittedModel,
    dataset: &Dataset,
    carried: &[Field],
    scope: Scope,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let mut columns = columns_of(&model.design, dataset, scope)?;
    let mut place_of: HashMap<usize, usize> = columns.iter().copied().zip(0..).collect();
    let mut places = Vec::new();
    for field in carried {
        let Some(column) = dataset.position(&field.name) else { continue };
        let place = *place_of.entry(column).or_insert(columns.len());
        if place == columns.len() {
            columns.push(column);
        }
        places.push(place);
    }
    Ok((columns, places))
}

/// The texts of some rows of a category; none for numbers.
pub(super) fn texts<'c>(column: &'c Column, range: &Range<usize>) -> Option<Vec<Option<&'c str>>> {
    match column {
        Column::Number { .. } => None,
        Column::Category { codes, levels } => {
            let text = |&code: &u32| if code == MISSING { None } else { levels.get(code as usize).map(String::as_str) };
            Some(codes[range.clone()].iter().map(text).collect())
        }
    }
}
