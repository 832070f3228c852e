//! What is in the columns of a data set, in one pass over it.
//!
//! | quantity | how |
//! |---|---|
//! | mean, standard deviation | in double-double arithmetic, from the decimals in the file |
//! | quantiles | exact up to [`EXACT_QUANTILES`] values of a column, then within a stated error of rank |
//! | different levels | exact up to [`COUNTED_LEVELS`] of a column, then only that there are more |
//!
//! Memory does not grow with the number of records, and no result depends on the number of threads.

mod levels;
mod moments;
mod numbers;
pub(crate) mod quantiles;

use serde::Serialize;

pub use self::levels::COUNTED_LEVELS;
use self::levels::Levels;
use self::numbers::{Numbers, Scratch};
pub use self::quantiles::EXACT_QUANTILES;
use crate::error::DataError;
use crate::frame::{Column, Field, Kind};
use crate::read::{Dataset, Decimals, Frames, Progress, number, time};

/// What is in some columns of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// The number of records.
    pub rows: u64,
    /// The columns, in the order they were asked for.
    pub columns: Vec<ColumnDescription>,
}

/// What is in a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Values that are not missing, infinite ones included.
    pub count: u64,
    /// Values that are missing.
    pub missing: u64,
    /// More, by what it holds.
    #[serde(flatten)]
    pub summary: Summary,
}

/// Numbers are summarised by moments and quantiles, categories by their levels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Summary {
    /// Of numbers, dates and times.
    Numbers(NumberSummary),
    /// Of text and booleans.
    Levels(LevelSummary),
}

/// Moments and quantiles of the finite values of a column. What there are too few values for is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumberSummary {
    /// How many values are infinite. They are left out of everything below.
    pub infinite: u64,
    /// The mean.
    pub mean: Option<Value>,
    /// The standard deviation with divisor `n - 1`; of dates in days, of times in seconds.
    pub sd: Option<f64>,
    /// The smallest value.
    pub min: Option<Value>,
    /// The first quartile, by R's type 7 as the other two.
    pub q25: Option<Value>,
    /// The median.
    pub median: Option<Value>,
    /// The third quartile.
    pub q75: Option<Value>,
    /// The largest value.
    pub max: Option<Value>,
    /// How far the rank of a quartile can be off, as a share of the number of values; 0 where quartiles are exact.
    pub rank_error: f64,
    /// Whether mean and quartiles are the nearest doubles of integers beyond 2^53; the smallest and largest are exact.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rounded: bool,
}

/// The levels of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelSummary {
    /// The number of different levels, where they could be counted.
    pub distinct: Option<u64>,
    /// A number that it exceeds, where they could not.
    pub distinct_more_than: Option<u64>,
    /// The level that occurs most often. Of a column with more levels than can be counted only if no other can be it.
    pub most_frequent: Option<MostFrequent>,
}

/// The most frequent level of a category; of several the first in alphabetical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MostFrequent {
    /// The level.
    pub level: String,
    /// How often it occurs, at least.
    pub count: u64,
    /// How often it occurs, at most: the same, unless there were more levels than can be counted.
    pub count_at_most: u64,
}

/// A number, or a date or time as ISO 8601 writes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Of a column of numbers.
    Number(f64),
    /// An integer that no double is.
    Integer(i128),
    /// `yyyy-mm-dd` (with the time of day if a mean or quantile lies within a day) or `yyyy-mm-ddThh:mm:ssZ`.
    Time(String),
}

/// Describes the columns with these positions in [`Dataset::fields`].
///
/// ```
/// use noisefit_data::describe::{Summary, Value, describe};
/// use noisefit_data::read::{Dataset, ReadOptions};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("cities.csv");
/// std::fs::write(&path, "city,income\nParis,2.5\nRome,NA\nParis,4.5\n")?;
/// let data = Dataset::open(&[path.display().to_string()], &ReadOptions::default())?;
///
/// let description = describe(&data, &[1, 0], &())?;
/// assert_eq!(description.rows, 3);
/// let [income, city] = description.columns.as_slice() else { return Err("two columns".into()) };
/// assert_eq!((income.count, income.missing), (2, 1));
/// assert!(matches!(&income.summary, Summary::Numbers(numbers) if numbers.mean == Some(Value::Number(3.5))));
/// assert!(matches!(&city.summary, Summary::Levels(levels) if levels.distinct == Some(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Dataset::scan`].
pub fn describe(dataset: &Dataset, columns: &[usize], progress: &dyn Progress) -> Result<Description, DataError> {
    let fields: Vec<&Field> = columns.iter().filter_map(|&column| dataset.fields().get(column)).collect();
    let start = || fields.iter().map(|field| State::new(field.kind)).collect::<Vec<State>>();
    let work = |frames: &mut Frames<'_>| {
        let (mut states, mut scratch) = (start(), Scratch::default());
        for frame in frames {
            for (state, column) in states.iter_mut().zip(&frame?.columns) {
                state.add(column, &mut scratch);
            }
        }
        Ok(states)
    };
    let (mut rows, mut total) = (0, start());
    dataset.scan(columns, Decimals::WithLow, progress, work, |origin, states| {
        rows += origin.rows;
        total.iter_mut().zip(states).for_each(|(total, state)| total.merge(state));
        Ok(())
    })?;
    let columns = fields.into_iter().zip(total).map(|(field, state)| state.finish(field, rows)).collect();
    Ok(Description { rows, columns })
}

/// What is kept of a column while it is read.
#[derive(Debug, Clone)]
enum State {
    Numbers(Box<Numbers>),
    Levels { levels: Levels, missing: u64 },
}

impl State {
    fn new(kind: Kind) -> State {
        match kind.is_category() {
            true => State::Levels { levels: Levels::default(), missing: 0 },
            false => State::Numbers(Box::default()),
        }
    }

    fn add(&mut self, column: &Column, scratch: &mut Scratch) {
        match (self, column) {
            (State::Numbers(numbers), Column::Number { high, low }) => numbers.add(high, low.as_deref(), scratch),
            (State::Levels { levels, missing }, Column::Category { codes, levels: texts }) => {
                *missing += levels.add(codes, texts);
            }
            // A column is read as its kind says.
            (State::Numbers(_) | State::Levels { .. }, _) => {}
        }
    }

    fn merge(&mut self, later: State) {
        match (self, later) {
            (State::Numbers(numbers), State::Numbers(later)) => numbers.merge(*later),
            (State::Levels { levels, missing }, State::Levels { levels: later, missing: more }) => {
                levels.merge(later);
                *missing += more;
            }
            // States of one column are of one kind.
            (State::Numbers(_) | State::Levels { .. }, _) => {}
        }
    }

    fn finish(self, field: &Field, rows: u64) -> ColumnDescription {
        let (missing, summary) = match self {
            State::Numbers(numbers) => (numbers.missing, Summary::Numbers(summary_of_numbers(&numbers, field.kind))),
            State::Levels { levels, missing } => (missing, Summary::Levels(summary_of_levels(&levels))),
        };
        ColumnDescription { name: field.name.clone(), kind: field.kind, count: rows - missing, missing, summary }
    }
}

fn summary_of_numbers(numbers: &Numbers, kind: Kind) -> NumberSummary {
    let value = |value: f64| time::iso(kind, value).map_or(Value::Number(value), Value::Time);
    let exact = |(high, low): (f64, f64)| match number::to_integer(high, low) {
        Some(integer) if number::is_long_integer(high, low) => Value::Integer(integer),
        _ => value(high),
    };
    let any = numbers.moments.count() > 0;
    let [q25, median, q75] = match numbers.sample.quantiles([0.25, 0.5, 0.75]) {
        Some(quartiles) => quartiles.map(|quartile| Some(value(quartile))),
        None => [None, None, None],
    };
    NumberSummary {
        infinite: numbers.infinite,
        mean: numbers.moments.mean().map(value),
        sd: numbers.moments.standard_deviation(),
        min: any.then(|| exact(numbers.minimum)),
        q25,
        median,
        q75,
        max: any.then(|| exact(numbers.maximum)),
        rank_error: numbers.sample.rank_error(),
        rounded: numbers.long,
    }
}

fn summary_of_levels(levels: &Levels) -> LevelSummary {
    let most_frequent = levels.most_frequent().map(|(level, count, count_at_most)| MostFrequent {
        level: level.to_owned(),
        count,
        count_at_most,
    });
    let distinct = levels.distinct();
    LevelSummary { distinct, distinct_more_than: distinct.is_none().then(|| levels.limit()), most_frequent }
}
