//! Means, quantiles and most common levels of variables over the rows of a table.

use std::collections::BTreeMap;

use noisefit_data::DataError;
use noisefit_data::formula::{EvaluateOptions, Scope, Undefined, Unseen, Workspace};
use noisefit_data::frame::{Column, Frame, MISSING};
use noisefit_data::model::FittedModel;
use noisefit_data::read::Decimals;
use noisefit_data::source::{columns_of, locate};

use crate::error::Error;
use crate::table::Table;

/// Rows that are looked at together.
const BLOCK_ROWS: usize = 1024;

/// What is known of a variable over the rows.
#[derive(Debug, Clone)]
pub(super) enum Typical {
    /// A number, by its values in ascending order, each with how many observations there are up to and with it.
    Number(Vec<(f64, f64)>),
    /// A category, by how often each of its levels is met.
    Category(BTreeMap<String, f64>),
}

/// Of variables by their places among the columns that the design reads, over the complete rows.
///
/// # Errors
/// Those of reading.
pub(super) fn typical(
    model: &FittedModel,
    table: &Table,
    places: &[usize],
    scope: Scope,
    unseen: Unseen,
) -> Result<BTreeMap<usize, Typical>, Error> {
    let (design, dataset) = (&model.design, table.dataset());
    let columns = columns_of(design, dataset, scope)?;
    let mut found: BTreeMap<usize, Typical> = BTreeMap::new();
    dataset.scan(
        &columns,
        Decimals::WithLow,
        table.watch(),
        |frames| {
            let (mut found, mut workspace) = (BTreeMap::new(), Workspace::default());
            for frame in frames {
                let frame = frame?;
                let options =
                    EvaluateOptions { scope, unseen, undefined: Undefined::Missing, ..EvaluateOptions::default() };
                let bound = design.bind(&frame, options).map_err(|error| locate(dataset, error))?;
                for start in (0..frame.rows).step_by(BLOCK_ROWS) {
                    let range = start..(start + BLOCK_ROWS).min(frame.rows);
                    let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
                    for &place in places {
                        add(&mut found, place, &frame, rows.kept(), rows.frequencies());
                    }
                }
            }
            Ok::<_, DataError>(found)
        },
        |_, later| {
            for (place, later) in later {
                merge(&mut found, place, later);
            }
            Ok(())
        },
    )?;
    found.values_mut().for_each(Typical::finish);
    Ok(found)
}

fn add(found: &mut BTreeMap<usize, Typical>, place: usize, frame: &Frame, kept: &[usize], weights: Option<&[f64]>) {
    let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
    match &frame.columns[place] {
        Column::Number { high, .. } => {
            let values = kept.iter().enumerate().map(|(i, &row)| (high[row], weight(i)));
            if let Typical::Number(all) = found.entry(place).or_insert_with(|| Typical::Number(Vec::new())) {
                all.extend(values);
            }
        }
        Column::Category { codes, levels } => {
            let all = found.entry(place).or_insert_with(|| Typical::Category(BTreeMap::new()));
            let Typical::Category(all) = all else { return };
            for (i, &row) in kept.iter().enumerate().filter(|(_, row)| codes[**row] != MISSING) {
                if let Some(level) = levels.get(codes[row] as usize) {
                    *all.entry(level.clone()).or_default() += weight(i);
                }
            }
        }
    }
}

fn merge(found: &mut BTreeMap<usize, Typical>, place: usize, later: Typical) {
    match (found.entry(place).or_insert_with(|| later.emptied()), later) {
        (Typical::Number(all), Typical::Number(later)) => all.extend(later),
        (Typical::Category(all), Typical::Category(later)) => {
            later.into_iter().for_each(|(level, count)| *all.entry(level).or_default() += count);
        }
        _ => {}
    }
}

impl Typical {
    fn emptied(&self) -> Self {
        match self {
            Typical::Number(_) => Typical::Number(Vec::new()),
            Typical::Category(_) => Typical::Category(BTreeMap::new()),
        }
    }

    /// Sorts the values, and counts how many there are up to and with each.
    fn finish(&mut self) {
        if let Typical::Number(values) = self {
            values.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut count = 0.0;
            for (_, upto) in values {
                count += *upto;
                *upto = count;
            }
        }
    }

    /// The numbers with how many there are of each.
    fn counted(&self) -> impl Iterator<Item = (f64, f64)> {
        let values = if let Typical::Number(values) = self { &values[..] } else { &[] };
        let mut before = 0.0;
        values.iter().map(move |&(value, upto)| (value, upto - std::mem::replace(&mut before, upto)))
    }

    fn count(&self) -> f64 {
        if let Typical::Number(values) = self { values.last().map_or(0.0, |last| last.1) } else { 0.0 }
    }

    /// The mean of a number.
    pub(super) fn mean(&self) -> f64 {
        self.counted().map(|(value, count)| value * count).sum::<f64>() / self.count()
    }

    /// The standard deviation, with divisor n - 1.
    pub(super) fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.counted().map(|(value, count)| count * (value - mean).powi(2)).sum();
        (squares / (self.count() - 1.0)).sqrt()
    }

    /// The quantile of a number, as R's type 7 has it.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let Typical::Number(values) = self else { return f64::NAN };
        let at = |rank: f64| {
            let place = values.partition_point(|(_, upto)| *upto <= rank);
            values.get(place).or(values.last()).map_or(f64::NAN, |(value, _)| *value)
        };
        let rank = ((self.count() - 1.0) * share).max(0.0);
        let (below, above) = (at(rank.floor()), at((rank.floor() + 1.0).min(self.count() - 1.0)));
        if rank.fract() == 0.0 { below } else { (1.0 - rank.fract()) * below + rank.fract() * above }
    }

    /// The level of a category, or the value of a number, that is met most often; of several the first.
    pub(super) fn most_common(&self) -> Option<String> {
        match self {
            Typical::Category(levels) => {
                let first = levels.iter().fold(None, |most: Option<(&String, f64)>, (level, &count)| match most {
                    Some((_, before)) if before >= count => most,
                    _ => Some((level, count)),
                });
                first.map(|(level, _)| level.clone())
            }
            Typical::Number(_) => {
                let mut runs: Vec<(f64, f64)> = Vec::new();
                for (value, count) in self.counted() {
                    match runs.last_mut().filter(|last| last.0 == value) {
                        Some(last) => last.1 += count,
                        None => runs.push((value, count)),
                    }
                }
                let most = runs.into_iter().fold(None, |most: Option<(f64, f64)>, run| match most {
                    Some(before) if before.1 >= run.1 => most,
                    _ => Some(run),
                });
                most.map(|(value, _)| value.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_counted_values_are_those_of_repeated_ones() {
        let mut repeated = Typical::Number([3.0, 1.0, 1.0, 7.0, 7.0, 7.0].map(|x| (x, 1.0)).to_vec());
        let mut counted = Typical::Number(vec![(7.0, 3.0), (1.0, 2.0), (3.0, 1.0)]);
        repeated.finish();
        counted.finish();
        for share in [0.0, 0.1, 0.25, 0.5, 0.75, 1.0] {
            assert_eq!(repeated.quantile(share), counted.quantile(share), "{share}");
        }
        assert_eq!((repeated.mean(), repeated.deviation()), (counted.mean(), counted.deviation()));
        // The quartile of type 7 lies a quarter of the way from 1 to 3; the squares about the mean 13/3 sum to 136/3.
        assert_eq!(repeated.quantile(0.25), 1.5);
        assert!((repeated.deviation() - (136.0f64 / 15.0).sqrt()).abs() < 1e-14);
        assert_eq!(counted.most_common().as_deref(), Some("7"));
    }
}
