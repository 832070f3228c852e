//! What is asked for, as columns that are set and pairs of values that are compared.

use std::collections::BTreeMap;

use noisefit_core::wording::Setting;
use noisefit_data::formula::{Level, Variable, Variation};
use noisefit_data::frame::{Column, Field, Frame};

use super::options::{At, Change, EffectsOptions, Quantity};
use super::typical::Typical;
use crate::error::Error;

/// What a column is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Set {
    /// The same in every row.
    Level(Level),
    /// The observed number and so much more.
    Moved(f64),
}

impl Set {
    fn number(value: f64) -> Self {
        Set::Level(Level::Number(value.into()))
    }

    /// A frame whose column is set so.
    pub(super) fn applied(&self, frame: &Frame, place: usize) -> Frame {
        let column = match (self, &frame.columns[place]) {
            (Set::Level(level), _) => level.column(frame.rows),
            (Set::Moved(by), Column::Number { high, .. }) => {
                Column::Number { high: high.iter().map(|x| x + by).collect(), low: None }
            }
            (Set::Moved(_), column) => column.clone(),
        };
        frame.with_column(place, column)
    }
}

/// A number of every row whose average is taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) term: String,
    pub(super) contrast: String,
    pub(super) what: What,
}

/// Which number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Prediction,
    /// The derivative by the column at a place.
    Slope {
        place: usize,
    },
    /// What the prediction is more where the column at a place is set to the first than where it is set to the second.
    Comparison {
        place: usize,
        high: Set,
        low: Set,
    },
}

/// Values that columns are set to in every row.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    /// Places and what stands there.
    pub(super) sets: Vec<(usize, Level)>,
    /// The names and values that tables show, in the order of the columns.
    pub(super) shown: Vec<(String, String)>,
}

/// Where columns stand, and what is known of their values.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) variables: &'a [Variable],
    pub(super) fields: &'a [Field],
    pub(super) typical: &'a BTreeMap<usize, Typical>,
}

/// The places of the columns whose values over the rows are to be known.
pub(super) fn wanted(options: &EffectsOptions, variables: &[Variable], fields: &[Field]) -> Vec<usize> {
    let place = |name: &str| fields.iter().position(|field| field.name == name);
    let all = || variables.iter().filter_map(|variable| place(&variable.name)).collect::<Vec<_>>();
    let mut places = Vec::new();
    for at in &options.at {
        match at {
            At::Mean | At::Median => places.extend(all()),
            At::Values { name, values } => {
                let is_typical = |value: &String| value == "mean" || value == "median";
                places.extend(place(name).filter(|_| values.iter().any(is_typical)));
            }
        }
    }
    let needs = |change: &Change| matches!(change, Change::Sd | Change::TwoSd | Change::Iqr | Change::MinMax);
    if options.quantity == Quantity::Comparisons {
        if options.change.as_ref().is_some_and(needs) {
            places.extend(all());
        }
        let named = options.variables.iter().filter(|varied| varied.change.as_ref().is_some_and(needs));
        places.extend(named.filter_map(|varied| place(&varied.name)));
    }
    places.sort_unstable();
    places.dedup();
    places
}

impl Columns<'_> {
    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The variable of a name.
    fn variable(&self, setting: Setting, name: &str) -> Result<(&Variable, usize), Error> {
        let variable = self.variables.iter().find(|variable| variable.name == name);
        variable.and_then(|variable| Some((variable, self.place(name)?))).ok_or_else(|| Error::NoColumn {
            setting,
            name: name.to_owned(),
            files: Some("the terms of the model".to_owned()),
            columns: self.variables.iter().map(|variable| variable.name.clone()).collect(),
        })
    }

    /// Every combination of the values that columns are set to; one without any where none is.
    ///
    /// # Errors
    /// Columns that are not in the model, levels that are not the column's, texts that are no number.
    pub(super) fn settings(&self, at: &[At]) -> Result<Vec<Given>, Error> {
        let mut all = vec![Given::default()];
        let mut named: Vec<&str> = Vec::new();
        for at in at {
            let At::Values { name, values } = at else { continue };
            let (variable, place) = self.variable(Setting::At, name)?;
            if named.contains(&name.as_str()) {
                return Err(unsupported(format!(
                    "at {name}: the column is named twice; say its values with commas between"
                )));
            }
            named.push(name);
            let levels =
                values.iter().map(|value| self.value(variable, place, value)).collect::<Result<Vec<_>, _>>()?;
            all = all
                .iter()
                .flat_map(|before| {
                    levels.iter().map(move |level| {
                        let mut next = before.clone();
                        next.sets.push((place, level.clone()));
                        next.shown.push((name.clone(), variable.shown(level)));
                        next
                    })
                })
                .collect();
        }
        let rest = at.iter().find(|at| !matches!(at, At::Values { .. }));
        if let Some(rest) = rest {
            for variable in self.variables.iter().filter(|variable| !named.contains(&variable.name.as_str())) {
                let Some(place) = self.place(&variable.name) else { continue };
                let level = self.typical_level(variable, place, *rest == At::Median)?;
                for setting in &mut all {
                    setting.sets.push((place, level.clone()));
                    setting.shown.push((variable.name.clone(), variable.shown(&level)));
                }
            }
        }
        Ok(all)
    }

    fn typical_level(&self, variable: &Variable, place: usize, median: bool) -> Result<Level, Error> {
        let typical = self.typical.get(&place).ok_or_else(no_rows)?;
        match &variable.variation {
            Variation::Number if median => Ok(Level::Number(typical.quantile(0.5).into())),
            Variation::Number => Ok(Level::Number(typical.mean().into())),
            Variation::Levels { levels, .. } => {
                let common = typical.most_common().ok_or_else(no_rows)?;
                Ok(variable.level(&common).or(levels.first()).cloned().unwrap_or(Level::Other))
            }
        }
    }

    fn value(&self, variable: &Variable, place: usize, text: &str) -> Result<Level, Error> {
        let name = &variable.name;
        match &variable.variation {
            Variation::Number if text == "mean" || text == "median" => {
                let typical = self.typical.get(&place).ok_or_else(no_rows)?;
                let value = if text == "mean" { typical.mean() } else { typical.quantile(0.5) };
                Ok(Level::Number(value.into()))
            }
            Variation::Number => variable.number(text).map(Level::Number).map_err(|what| {
                unsupported(format!("at {name}={text}: {name} is calculated with, and takes {what}, mean or median"))
            }),
            Variation::Levels { levels, .. } => variable.level(text).cloned().ok_or_else(|| {
                let levels: Vec<String> = levels.iter().take(20).map(ToString::to_string).collect();
                unsupported(format!(
                    "at {name}={text}: the model was not fitted to that level of {name}; it knows {}",
                    levels.join(", ")
                ))
            }),
        }
    }

    /// The numbers whose averages are taken.
    ///
    /// # Errors
    /// Variables that are not in the model, and changes that they cannot have.
    pub(super) fn asked(&self, options: &EffectsOptions, with_scale: bool) -> Result<Vec<Asked>, Error> {
        if options.quantity == Quantity::Predictions {
            if let Some(first) = options.variables.first() {
                let name = &first.name;
                let what = format!(
                    "predictions have no variables ({name}): say at {name}=VALUES for predictions where it has these, or by {name} for groups"
                );
                return Err(unsupported(what));
            }
            return Ok(vec![Asked { term: String::new(), contrast: String::new(), what: What::Prediction }]);
        }
        let mut varied: Vec<(&Variable, usize, Option<Change>)> = Vec::new();
        for asked in &options.variables {
            let (variable, place) = self.variable(Setting::Variables, &asked.name)?;
            varied.push((variable, place, asked.change));
        }
        if varied.is_empty() {
            let matters = |variable: &&Variable| variable.in_location || (with_scale && variable.in_scale);
            let all = self.variables.iter().filter(matters);
            varied = all.filter_map(|variable| Some((variable, self.place(&variable.name)?, None))).collect();
        }
        if varied.is_empty() {
            return Err(unsupported(
                "the model has no terms but an intercept: there is nothing that varies".to_owned(),
            ));
        }
        let mut found = Vec::new();
        for (variable, place, change) in varied {
            let term = variable.name.clone();
            let wrong = |what: &str| Err(unsupported(format!("variables {term}: {what}")));
            match (&variable.variation, options.quantity) {
                (Variation::Levels { levels, reference }, _) => {
                    let pairwise = match change {
                        None | Some(Change::Reference) => options.pairwise && change.is_none(),
                        Some(Change::Pairwise) => true,
                        Some(_) => return wrong("it is a category, and changes by reference or pairwise"),
                    };
                    for (high, low) in pairs(levels.len(), *reference, pairwise) {
                        let (high, low) = (&levels[high], &levels[low]);
                        let contrast = format!("{high} - {low}");
                        let what =
                            What::Comparison { place, high: Set::Level(high.clone()), low: Set::Level(low.clone()) };
                        found.push(Asked { term: term.clone(), contrast, what });
                    }
                }
                (Variation::Number, Quantity::Slopes) if change.is_some() => {
                    return wrong("a slope is by a unit; ask for comparisons of a change");
                }
                (Variation::Number, Quantity::Slopes) => {
                    let contrast = options.slope.shown().to_owned();
                    found.push(Asked { term, contrast, what: What::Slope { place } });
                }
                (Variation::Number, _) => {
                    let change = change.or(options.change).unwrap_or(Change::Step(1.0));
                    let (contrast, high, low) = match self.change(place, change)? {
                        Some(found) => found,
                        None => return wrong("it is a number, and changes by a step, sd, 2sd, iqr or minmax"),
                    };
                    found.push(Asked { term, contrast, what: What::Comparison { place, high, low } });
                }
            }
        }
        Ok(found)
    }

    /// What a change of a number is called, and its two ends; none of one of categories.
    fn change(&self, place: usize, change: Change) -> Result<Option<(String, Set, Set)>, Error> {
        let typical = || self.typical.get(&place).ok_or_else(no_rows);
        let around = |half: f64| (Set::Moved(half), Set::Moved(-half));
        Ok(Some(match change {
            Change::Step(step) => {
                let sign = if step > 0.0 { "+" } else { "" };
                (format!("{sign}{step}"), Set::Moved(step), Set::Moved(0.0))
            }
            Change::Sd => {
                let (high, low) = around(0.5 * typical()?.deviation());
                ("(x + sd/2) - (x - sd/2)".to_owned(), high, low)
            }
            Change::TwoSd => {
                let (high, low) = around(typical()?.deviation());
                ("(x + sd) - (x - sd)".to_owned(), high, low)
            }
            Change::Iqr => {
                let (high, low) = (typical()?.quantile(0.75), typical()?.quantile(0.25));
                ("Q3 - Q1".to_owned(), Set::number(high), Set::number(low))
            }
            Change::MinMax => {
                let (high, low) = (typical()?.quantile(1.0), typical()?.quantile(0.0));
                ("Max - Min".to_owned(), Set::number(high), Set::number(low))
            }
            Change::Reference | Change::Pairwise => return Ok(None),
        }))
    }
}

/// Which levels are compared with which: each with the reference, or each later one with each earlier one.
fn pairs(levels: usize, reference: usize, pairwise: bool) -> Vec<(usize, usize)> {
    match pairwise {
        true => (0..levels).flat_map(|low| (low + 1..levels).map(move |high| (high, low))).collect(),
        false => (0..levels).filter(|&level| level != reference).map(|level| (level, reference)).collect(),
    }
}

fn no_rows() -> Error {
    unsupported("no row of the data is complete, so that there is no mean of its columns".to_owned())
}

pub(super) fn unsupported(what: String) -> Error {
    noisefit_core::Error::Unsupported(what).into()
}
