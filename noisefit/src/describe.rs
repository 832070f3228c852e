//! What is in the columns of a table.

use noisefit_core::record::Topic;
use noisefit_data::describe::{
    ColumnDescription, Description, EXACT_QUANTILES, LevelSummary, NumberSummary, Summary, Value, describe,
};
use noisefit_data::frame::Kind;
use noisefit_data::read::UnreadColumn;
use noisefit_report::text::{optional, significant, table};
use noisefit_report::tidy::{Cell, Tidy};
use serde::Serialize;

use crate::error::Error;
use crate::remark::Remark;
use crate::table::Table;
use noisefit_core::wording::Setting;

/// A level longer than this is cut short in the table.
const SHOWN_CHARACTERS: usize = 40;

/// What is in some columns of a table.
#[derive(Debug, Clone)]
pub struct Described {
    files: Vec<String>,
    description: Description,
    warnings: Vec<Remark>,
}

impl Table {
    /// Describes columns, all where none are named: kinds, missing values, means, quantiles, levels.
    ///
    /// ```
    /// let described = noisefit::Table::open("../testdata/engel.csv")?.describe(&["income".to_owned()])?;
    /// assert_eq!((described.description().rows, described.description().columns.len()), (235, 1));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::NoRows`]; those of reading.
    pub fn describe(&self, columns: &[String]) -> Result<Described, Error> {
        self.reading(&[], |table| table.describe_once(columns))
    }

    fn describe_once(&self, columns: &[String]) -> Result<Described, Error> {
        let dataset = self.dataset();
        let files: Vec<String> = dataset.files().map(str::to_owned).collect();
        let position = |name: &String| {
            dataset.position(name).ok_or_else(|| {
                let (setting, name, files) = (Setting::Columns, name.clone(), Some(in_short(&files)));
                Error::NoColumn { setting, name, files, columns: self.names() }
            })
        };
        let positions = match columns.is_empty() {
            true => (0..self.columns().len()).collect(),
            false => columns.iter().map(position).collect::<Result<Vec<_>, _>>()?,
        };
        let description = describe(dataset, &positions, self.watch())?;
        if description.rows == 0 {
            return Err(Error::NoRows { files: in_short(&files), columns: self.names() });
        }
        let unread = |column: &UnreadColumn| {
            let UnreadColumn { name, of_type } = column;
            format!("column '{name}' is left out: its type {of_type} is neither a number nor a category")
        };
        let warnings = match columns.is_empty() {
            true => Remark::all(Topic::Data, dataset.unread().iter().map(unread)),
            false => Vec::new(),
        };
        Ok(Described { files, description, warnings })
    }
}

impl Described {
    /// What was found.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What is to be said.
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
    }

    /// Tables for people.
    pub fn summary(&self) -> String {
        summary(&in_short(&self.files), &self.description)
    }

    /// The columns as a table, a row for each.
    pub fn tidy(&self) -> Tidy {
        tidy(&self.description)
    }

    /// The JSON object.
    pub fn record<'a>(&'a self) -> impl Serialize + use<'a> {
        DescriptionRecord { schema: "noisefit.describe/1", files: &self.files, description: &self.description }
    }
}

/// The JSON object of a description.
#[derive(Serialize)]
struct DescriptionRecord<'a> {
    schema: &'static str,
    files: &'a [String],
    #[serde(flatten)]
    description: &'a Description,
}

/// The first file, and how many more there are.
fn in_short(files: &[String]) -> String {
    match files {
        [] => String::new(),
        [one] => one.clone(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}

/// A table of the numbers, one of the dates and times, one of the categories, and what is to be said about them.
fn summary(files: &str, description: &Description) -> String {
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (rows, width) = (count(description.rows, "row"), count(description.columns.len() as u64, "column"));
    let mut text = format!("{files}: {rows}, {width}\n");
    let (mut numbers, mut times, mut levels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut notes, mut rank_error) = (Vec::new(), 0.0f64);
    for column in &description.columns {
        match &column.summary {
            Summary::Numbers(summary) => {
                if column.kind == Kind::Number { &mut numbers } else { &mut times }.push(number_row(column, summary));
                rank_error = rank_error.max(summary.rank_error);
                notes.extend(infinite(&column.name, summary.infinite));
                if summary.rounded {
                    notes.push(format!(
                        "{}: integers beyond 2^53; mean and quartiles are rounded to doubles, min and max are exact",
                        column.name
                    ));
                }
            }
            Summary::Levels(summary) => levels.push(level_row(column, summary)),
        }
    }
    for (kind, rows) in [("number", numbers), ("time", times)] {
        if !rows.is_empty() {
            let heading = [kind, "count", "missing", "mean", "sd", "min", "25%", "median", "75%", "max"];
            text.push_str(&format!("\n{}", table(&heading, &rows)));
        }
    }
    if !levels.is_empty() {
        let heading = ["category", "type", "count", "missing", "levels", "most frequent", "times"];
        text.push_str(&format!("\n{}", table(&heading, &levels)));
    }
    if rank_error > 0.0 {
        // Rounded up: what is promised is not exceeded.
        let percent = (rank_error * 1e4).ceil() / 100.0;
        notes.push(format!(
            "25%, median and 75% are within {percent}% of rank (exact for columns of up to {EXACT_QUANTILES} values)"
        ));
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n{}\n", notes.join("\n")));
    }
    text
}

/// A row for each column, whatever it holds.
fn tidy(description: &Description) -> Tidy {
    let columns = vec![
        "column",
        "type",
        "count",
        "missing",
        "mean",
        "sd",
        "min",
        "q25",
        "median",
        "q75",
        "max",
        "levels",
        "most_frequent",
        "times",
    ];
    let value = |value: &Option<Value>| match value {
        Some(Value::Number(number)) => Cell::Number(*number),
        Some(Value::Integer(integer)) => Cell::Text(integer.to_string()),
        Some(Value::Time(time)) => Cell::Text(time.clone()),
        None => Cell::Missing,
    };
    let row = |column: &ColumnDescription| {
        let kind = serde_json::to_value(column.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        let (count, missing) = (Cell::Count(column.count), Cell::Count(column.missing));
        let mut row = vec![column.name.as_str().into(), kind.map_or(Cell::Missing, Cell::Text), count, missing];
        match &column.summary {
            Summary::Numbers(found) => {
                row.extend([value(&found.mean), found.sd.into()]);
                row.extend([&found.min, &found.q25, &found.median, &found.q75, &found.max].map(value));
                row.extend([Cell::Missing, Cell::Missing, Cell::Missing]);
            }
            Summary::Levels(found) => {
                row.extend(std::iter::repeat_n(Cell::Missing, 7));
                row.push(found.distinct.map_or(Cell::Missing, Cell::Count));
                let most = found.most_frequent.as_ref();
                row.push(most.map_or(Cell::Missing, |most| Cell::Text(most.level.clone())));
                row.push(most.map_or(Cell::Missing, |most| Cell::Count(most.count)));
            }
        }
        row
    };
    Tidy::new(columns, description.columns.iter().map(row).collect())
}

fn number_row(column: &ColumnDescription, summary: &NumberSummary) -> Vec<String> {
    let sd = match column.kind {
        Kind::Date => summary.sd.map_or_else(|| optional(None, 7), |days| format!("{} days", significant(days, 5))),
        Kind::Timestamp => {
            summary.sd.map_or_else(|| optional(None, 7), |seconds| format!("{} s", significant(seconds, 5)))
        }
        _ => optional(summary.sd, 7),
    };
    let mut row = vec![column.name.clone(), column.count.to_string(), column.missing.to_string()];
    row.extend([moment(summary.mean.as_ref()), sd]);
    row.extend([&summary.min, &summary.q25, &summary.median, &summary.q75, &summary.max].map(|at| order(at.as_ref())));
    row
}

fn moment(value: Option<&Value>) -> String {
    match value {
        Some(Value::Time(time)) => time.clone(),
        Some(Value::Number(number)) => significant(*number, 7),
        Some(Value::Integer(integer)) => integer.to_string(),
        None => optional(None, 7),
    }
}

/// A number of the data: as it stands there unless that is long, and then without zeros that it does not have.
fn order(value: Option<&Value>) -> String {
    let Some(Value::Number(number)) = value else { return moment(value) };
    let (exact, rounded) = (number.to_string(), significant(*number, 7));
    match () {
        () if exact.len() <= 10 => exact,
        () if rounded.contains('.') && !rounded.contains('e') => {
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        () => rounded,
    }
}

fn infinite(name: &str, count: u64) -> Option<String> {
    let (values, are) = if count == 1 { ("value", "is") } else { ("values", "are") };
    (count > 0).then(|| format!("{name}: {count} infinite {values} {are} left out of all but the count"))
}

fn level_row(column: &ColumnDescription, summary: &LevelSummary) -> Vec<String> {
    let kind = if column.kind == Kind::Boolean { "boolean" } else { "text" };
    let distinct = match (summary.distinct, summary.distinct_more_than) {
        (Some(distinct), _) => distinct.to_string(),
        (None, Some(more_than)) => format!("more than {more_than}"),
        (None, None) => optional(None, 7),
    };
    let (level, times) = match &summary.most_frequent {
        Some(most) if most.count == most.count_at_most => (shown(&most.level), most.count.to_string()),
        Some(most) => (shown(&most.level), format!("{} to {}", most.count, most.count_at_most)),
        None => (optional(None, 7), optional(None, 7)),
    };
    let (count, missing) = (column.count.to_string(), column.missing.to_string());
    vec![column.name.clone(), kind.to_owned(), count, missing, distinct, level, times]
}

/// A level on one line, of bounded length.
fn shown(level: &str) -> String {
    let line = level.escape_debug().to_string();
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
