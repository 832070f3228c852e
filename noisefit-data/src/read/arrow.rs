//! Arrow arrays as columns.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, Schema as ArrowSchema, TimeUnit};
use noisefit_core::numeric::double_double::DoubleDouble;

use super::columns::Categories;
use super::kinds::{Ground, MissingWords};
use super::options::Decimals;
use super::table::{FrameIterator, Query, Schema, UnreadColumn, Wanted};
use super::{number, time};
use crate::error::DataError;
use crate::frame::{Column, Frame, Kind, MISSING, Texts};

const MILLISECONDS_A_DAY: f64 = 86_400_000.0;

/// Values of a frame, about: 1 MB of doubles, which stays in the cache and which an allocator keeps rather than returns.
const FRAME_VALUES: usize = 1 << 17;

/// The columns of an Arrow schema that are read, and their positions in it.
#[derive(Debug)]
pub(crate) struct ArrowColumns {
    sources: Vec<usize>,
    /// Dictionaries of text that were met last.
    dictionaries: Mutex<VecDeque<Dictionary>>,
}

/// The values of a dictionary array, and the category that they are.
#[derive(Debug)]
struct Dictionary {
    values: ArrayRef,
    coded: Column,
}

/// Dictionaries that are kept: those of a batch, and of one before.
const MOST_DICTIONARIES: usize = 16;

impl ArrowColumns {
    pub fn of(table: &str, arrow: &ArrowSchema) -> Result<(ArrowColumns, Schema), DataError> {
        Schema::refuse_duplicates(table, arrow.fields().iter().map(|field| field.name().as_str()), false)?;
        let mut columns = ArrowColumns { sources: Vec::new(), dictionaries: Mutex::default() };
        let mut schema = Schema::default();
        for (position, field) in arrow.fields().iter().enumerate() {
            let name = field.name().clone();
            let kind = kind_of(field.data_type());
            match (kind, field.data_type()) {
                (Some(_), _) | (None, DataType::Null) => {
                    schema.push(name, kind, Ground::Word);
                    columns.sources.push(position);
                }
                _ => schema.unread.push(UnreadColumn { name, of_type: field.data_type().to_string() }),
            }
        }
        Ok((columns, schema))
    }

    /// The positions in the Arrow schema that a query asks for, ascending.
    pub fn projection(&self, query: &Query<'_>) -> Vec<usize> {
        let mut projection: Vec<usize> =
            query.columns.iter().filter_map(|wanted| self.sources.get(wanted.field).copied()).collect();
        projection.sort_unstable();
        projection
    }

    /// A batch of the [`projection`](ArrowColumns::projection)'s columns as a frame.
    fn frame(&self, batch: &RecordBatch, query: &Query<'_>) -> Option<Frame> {
        let projection = self.projection(query);
        let column = |wanted: &Wanted<'_>| {
            let position = projection.binary_search(self.sources.get(wanted.field)?).ok()?;
            let array = batch.columns().get(position)?;
            match array.as_any_dictionary_opt() {
                Some(dictionary) if wanted.kind.is_category() && !dictionary.values().is_empty() => {
                    let coded = self.dictionary(dictionary.values(), wanted.kind, query)?;
                    Some(at(&coded, &positions(array.as_ref())))
                }
                _ => column(array, wanted.kind, query),
            }
        };
        let columns = query.columns.iter().map(column).collect::<Option<Vec<_>>>()?;
        Some(Frame { file: 0, first_record: 0, rows: batch.num_rows(), columns })
    }

    /// The values of a dictionary as a category, which is made once for all slices of a batch.
    fn dictionary(&self, values: &ArrayRef, kind: Kind, query: &Query<'_>) -> Option<Column> {
        let mut all = self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| std::ptr::addr_eq(Arc::as_ptr(&known.values), Arc::as_ptr(values)))
        {
            return Some(known.coded.clone());
        }
        let coded = column(values, kind, query)?;
        if all.len() == MOST_DICTIONARIES {
            all.pop_front();
        }
        all.push_back(Dictionary { values: Arc::clone(values), coded: coded.clone() });
        Some(coded)
    }

    /// Batches of any length as frames of bounded length; `wrong` is the error for one that is not of the schema.
    pub fn frames<'a>(
        &'a self,
        batches: impl Iterator<Item = Result<RecordBatch, DataError>> + 'a,
        query: &'a Query<'a>,
        wrong: impl Fn(&'static str) -> DataError + Copy + 'a,
    ) -> FrameIterator<'a> {
        let step = frame_rows(query);
        let slices = move |batch: RecordBatch| {
            let rows = batch.num_rows();
            (0..rows).step_by(step).map(move |start| {
                let frame = self.frame(&batch.slice(start, step.min(rows - start)), query);
                frame.ok_or_else(|| wrong("a column is not of the type that the file's schema says"))
            })
        };
        Box::new(batches.flat_map(move |batch| match batch {
            Ok(batch) => Box::new(slices(batch)) as FrameIterator<'a>,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }))
    }
}

/// How many records a frame should have, so that a frame of many columns does not fill the memory.
pub(crate) fn frame_rows(query: &Query<'_>) -> usize {
    (FRAME_VALUES / query.columns.len().max(1)).clamp(1 << 10, 1 << 14)
}

fn kind_of(data_type: &DataType) -> Option<Kind> {
    match data_type {
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => Some(Kind::Number),
        data_type if data_type.is_integer() || data_type.is_floating() => Some(Kind::Number),
        DataType::Boolean => Some(Kind::Boolean),
        DataType::Date32 | DataType::Date64 => Some(Kind::Date),
        DataType::Timestamp(..) => Some(Kind::Timestamp),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Kind::Text),
        DataType::Dictionary(_, values) => kind_of(values),
        _ => None,
    }
}

/// The values of an array of a type that [`kind_of`] knows; `None` for any other.
fn column(array: &ArrayRef, kind: Kind, query: &Query<'_>) -> Option<Column> {
    let missing = query.missing;
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        if dictionary.values().is_empty() {
            return Some(all_missing(kind, array.len()));
        }
        return column(dictionary.values(), kind, query).map(|values| at(&values, &positions(array.as_ref())));
    }
    if kind.is_category() {
        return texts(array, query);
    }
    let plain = |high: Vec<f64>| Column::Number { high, low: None };
    Some(match array.data_type() {
        DataType::Null => all_missing(kind, array.len()),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale, query),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale, query),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale, query),
        DataType::Date32 => days(kind, plain(numbers::<Date32Type>(array, f64::from))),
        DataType::Date64 => days(kind, plain(numbers::<Date64Type>(array, |value| value as f64 / MILLISECONDS_A_DAY))),
        DataType::Timestamp(unit, _) => {
            let seconds = match unit {
                TimeUnit::Second => exactly::<TimestampSecondType>(array, query, |count| time::seconds(count, 1)),
                TimeUnit::Millisecond => {
                    exactly::<TimestampMillisecondType>(array, query, |count| time::seconds(count, 1_000))
                }
                TimeUnit::Microsecond => {
                    exactly::<TimestampMicrosecondType>(array, query, |count| time::seconds(count, 1_000_000))
                }
                TimeUnit::Nanosecond => {
                    exactly::<TimestampNanosecondType>(array, query, |count| time::seconds(count, 1_000_000_000))
                }
            };
            if kind == Kind::Date { scaled(seconds, |value| value / time::SECONDS_A_DAY) } else { seconds }
        }
        DataType::Int64 => exactly::<Int64Type>(array, query, |value| number::from_integer(value.into())),
        DataType::UInt64 => exactly::<UInt64Type>(array, query, |value| number::from_integer(value.into())),
        _ => {
            let mut values = plain_numbers(array)?;
            for value in &mut values {
                *value = missing.without(*value, 0.0);
            }
            plain(values)
        }
    })
}

/// Days, or seconds where the column is one of times: a day is its midnight.
fn days(kind: Kind, days: Column) -> Column {
    if kind == Kind::Timestamp { scaled(days, |value| value * time::SECONDS_A_DAY) } else { days }
}

/// A column of numbers in another unit.
fn scaled(column: Column, to: impl Fn(DoubleDouble) -> DoubleDouble) -> Column {
    let Column::Number { high, low } = column else { return column };
    let value = |i: usize| to(DoubleDouble::from_sum(high[i], low.as_ref().map_or(0.0, |low| low[i])));
    let value = |i: usize| if high[i].is_nan() { DoubleDouble::from(f64::NAN) } else { value(i) };
    let values: Vec<DoubleDouble> = (0..high.len()).map(value).collect();
    let has_low = low.is_some();
    Column::Number {
        high: values.iter().map(|value| value.high).collect(),
        low: has_low.then(|| values.iter().map(|value| if value.high.is_nan() { 0.0 } else { value.low }).collect()),
    }
}

/// Values in two words. The second is given where it is asked for and wherever it is not zero: what a double leaves out of
/// long keys and of times is no rounding of somebody's decimals but the value itself.
fn exactly<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    query: &Query<'_>,
    words: impl Fn(T::Native) -> (f64, f64),
) -> Column {
    let array = array.as_primitive::<T>();
    let mut low = (query.decimals == Decimals::WithLow).then(|| vec![0.0; array.len()]);
    let number = |(i, value): (usize, Option<T::Native>)| {
        let Some((high, rest)) = value.map(&words) else { return f64::NAN };
        if rest != 0.0 {
            low.get_or_insert_with(|| vec![0.0; array.len()])[i] = rest;
        }
        query.missing.without(high, rest)
    };
    let high = array.iter().enumerate().map(number).collect();
    Column::Number { high, low }
}

fn plain_numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    Some(match array.data_type() {
        DataType::Float64 => numbers::<Float64Type>(array, |value| value),
        DataType::Float32 => numbers::<Float32Type>(array, f64::from),
        DataType::Float16 => numbers::<Float16Type>(array, |value| value.to_f64()),
        DataType::Int32 => numbers::<Int32Type>(array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(array, f64::from),
        DataType::Int8 => numbers::<Int8Type>(array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
        DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
        _ => return None,
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    let array = array.as_primitive::<T>();
    match array.null_count() {
        0 => array.values().iter().map(|&value| number(value)).collect(),
        _ => array.iter().map(|value| value.map_or(f64::NAN, &number)).collect(),
    }
}

fn decimals<T: ArrowPrimitiveType>(array: &ArrayRef, scale: i8, query: &Query<'_>) -> Column
where
    T::Native: Into<i128>,
{
    let value =
        |value: Option<T::Native>| value.map_or((f64::NAN, 0.0), |value| number::from_decimal(value.into(), scale));
    let (mut high, low): (Vec<f64>, Vec<f64>) = array.as_primitive::<T>().iter().map(value).unzip();
    for (value, &low) in high.iter_mut().zip(&low) {
        *value = query.missing.without(*value, low);
    }
    Column::Number { high, low: (query.decimals == Decimals::WithLow).then_some(low) }
}

/// The values as text, whatever they are.
fn texts(array: &ArrayRef, query: &Query<'_>) -> Option<Column> {
    let missing = query.missing;
    Some(match array.data_type() {
        DataType::Utf8 => coded(array.as_string::<i32>().iter().map(|text| text.map(Cow::Borrowed)), missing),
        DataType::LargeUtf8 => coded(array.as_string::<i64>().iter().map(|text| text.map(Cow::Borrowed)), missing),
        DataType::Utf8View => coded(array.as_string_view().iter().map(|text| text.map(Cow::Borrowed)), missing),
        DataType::Boolean => coded(array.as_boolean().iter().map(printed), missing),
        // Through their own type: a double could not tell long keys apart.
        DataType::Int64 => coded(array.as_primitive::<Int64Type>().iter().map(printed), missing),
        DataType::UInt64 => coded(array.as_primitive::<UInt64Type>().iter().map(printed), missing),
        _ => match column(array, Kind::Number, query)? {
            Column::Number { high, .. } => {
                coded(high.into_iter().map(|value| printed((!value.is_nan()).then_some(value))), missing)
            }
            categories => categories,
        },
    })
}

fn printed<'a>(value: Option<impl Display>) -> Option<Cow<'a, str>> {
    value.map(|value| Cow::Owned(value.to_string()))
}

fn coded<'a>(texts: impl ExactSizeIterator<Item = Option<Cow<'a, str>>>, missing: &MissingWords) -> Column {
    let mut categories = Categories::new(texts.len());
    for text in texts {
        match text {
            Some(text) if !missing.added(&text) => categories.push(text),
            _ => categories.push_missing(),
        }
    }
    categories.finish()
}

/// For every row of a dictionary array its position among the dictionary's values, `None` where it is missing.
fn positions(array: &dyn Array) -> Vec<Option<usize>> {
    let keys = array.as_any_dictionary().normalized_keys();
    keys.into_iter().enumerate().map(|(row, key)| (!array.is_null(row)).then_some(key)).collect()
}

/// The values of a column at some positions.
fn at(values: &Column, positions: &[Option<usize>]) -> Column {
    match values {
        Column::Number { high, low } => {
            let pick = |values: &Vec<f64>, missing: f64| -> Vec<f64> {
                positions
                    .iter()
                    .map(|position| position.and_then(|at| values.get(at).copied()).unwrap_or(missing))
                    .collect()
            };
            Column::Number { high: pick(high, f64::NAN), low: low.as_ref().map(|low| pick(low, 0.0)) }
        }
        Column::Category { codes, levels } => {
            let code = |position: Option<usize>| position.and_then(|at| codes.get(at).copied()).unwrap_or(MISSING);
            let codes = positions.iter().map(|&position| code(position)).collect();
            Column::Category { codes, levels: levels.clone() }
        }
    }
}

fn all_missing(kind: Kind, rows: usize) -> Column {
    match kind.is_category() {
        true => Column::Category { codes: vec![MISSING; rows], levels: Texts::default() },
        false => Column::Number { high: vec![f64::NAN; rows], low: None },
    }
}
