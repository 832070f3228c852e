//! A table's rows as a model sees them.

use std::collections::{BTreeMap, HashSet};

use noisefit_core::record::{Counts, Topic};
use noisefit_core::wording::Sentence;
use noisefit_data::DataError;
use noisefit_data::formula::{Design, Expression, Formula, FormulaError, Scope};
use noisefit_data::frame::Field;
use noisefit_data::read::{LookAlike, UnreadColumn};
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, RowPlace, SourceOptions, columns_of};
use noisefit_report::text::count_of;
use noisefit_report::{Place, Specification};
use serde_json::{Value, json};

use crate::error::Error;
use crate::machine;
use crate::model::Model;
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::table::Table;

/// Bytes of the product of two columns in a matrix: two words.
const BYTES_OF_PRODUCT: f64 = 16.0;

/// Bytes of a column in the blocks of a thread.
const BYTES_OF_COLUMN: f64 = (1 << 14) as f64;

/// A formula whose columns are found.
pub(crate) use noisefit_data::formula::Model as Resolved;

impl Model {
    /// How many design columns there is memory for. Of an exact fit it grows as their square: some matrices of products, of
    /// which each thread has one of its own; of what is trained as their number.
    fn most_columns(&self, threads: usize) -> usize {
        let free = machine::memory() as f64;
        // No more of them work than the machine has.
        let threads = threads.min(std::thread::available_parallelism().map_or(1, usize::from));
        let most = match self.training() {
            None => (free / (BYTES_OF_PRODUCT * (2 + threads) as f64)).sqrt(),
            Some(_) => free / (BYTES_OF_COLUMN * (2 + threads) as f64),
        };
        most as usize
    }

    /// The rows of a table as `formula` (the model's own, perhaps with more) sees them.
    pub(crate) fn rows<'a>(&self, formula: &Formula, table: &'a Table) -> Result<DesignRows<'a>, Error> {
        let (dataset, model) = (table.dataset(), self.resolved(formula, table, table.dataset().fields())?);
        let names = model.columns_needed();
        let records = Records::new(dataset, &names, table.threads(), table.budget(), table.watch())?;
        self.learned(model, records)
    }

    /// A formula whose columns are found among `fields` of a table, before anything is learned from rows.
    pub(crate) fn resolved(&self, formula: &Formula, table: &Table, fields: &[Field]) -> Result<Resolved, Error> {
        let parsed =
            |text: &Option<String>| text.as_deref().map(Expression::parse).transpose().map_err(Refusal::Formula);
        let (weights, sampling) = (parsed(&self.weights)?, parsed(&self.sampling_weights)?);
        let frequencies = self.frequencies.as_deref().map(Expression::column);
        formula
            .resolve(fields, weights.as_ref(), frequencies.as_ref())
            .and_then(|model| sampling.iter().try_fold(model, |model, weights| model.with_sampling_weights(weights)))
            .and_then(|model| model.at_most(self.most_columns(table.threads())))
            .map_err(|error| explained(error, formula, table))
    }

    /// Records as a formula sees them that has learned from them what it needs.
    pub(crate) fn learned<'a>(&self, model: Resolved, records: Records<'a>) -> Result<DesignRows<'a>, Error> {
        let options = SourceOptions { missing: self.missing, ..SourceOptions::default() };
        let mut rows = DesignRows::learn(model, records, options)?;
        rows.look_at_response()?;
        Ok(rows.with_sampling_weights_scaled()?)
    }
}

impl Table {
    /// The rows of the table as a design sees them that was learned before, from this table or another.
    ///
    /// # Errors
    /// A column that is not there, or is of another kind; with sampling weights, which are read for their mean, those of reading.
    pub fn rows(&self, design: &Design, options: SourceOptions) -> Result<DesignRows<'_>, Error> {
        let dataset = self.dataset();
        let names: Vec<&str> = design.columns_needed(options.scope).iter().map(|field| field.name.as_str()).collect();
        columns_of(design, dataset, options.scope)?;
        let records = Records::new(dataset, &names, self.threads(), self.budget(), self.watch())?;
        Ok(DesignRows::new(design.clone(), records, options).with_sampling_weights_scaled()?)
    }
}

/// What is wrong with a formula, and what the table has to say to that.
fn explained(error: FormulaError, formula: &Formula, table: &Table) -> Error {
    let (names, dataset) = (formula.columns(), table.dataset());
    let unread = dataset.unread().iter().filter(|column| names.contains(&column.name.as_str()));
    let mut remarks: Vec<Sentence> = unread
        .map(|UnreadColumn { name, of_type }| {
            format!("column `{name}` is there, and its type {of_type} is neither a number nor a category").into()
        })
        .collect();
    let alike = dataset.look_alikes().iter().filter(|alike| names.contains(&alike.column.as_str()));
    remarks.extend(alike.map(LookAlike::sentence));
    remarked(DataError::from(error).into(), remarks)
}

/// An error with what else is to be said, where there is something.
pub(crate) fn remarked(error: Error, remarks: Vec<Sentence>) -> Error {
    match remarks.is_empty() {
        true => error,
        false => Error::Remarked { error: Box::new(error), remarks },
    }
}

/// What is to be said of the columns that a design reads: categories that look like numbers or dates, and what its rows show.
pub(crate) fn notes(rows: &DesignRows<'_>, table: &Table) -> Vec<Remark> {
    let columns: HashSet<&str> =
        rows.design().columns_needed(Scope::All).iter().map(|field| field.name.as_str()).collect();
    let alike = table.dataset().look_alikes().iter().filter(|alike| columns.contains(alike.column.as_str()));
    let alike = Remark::all(Topic::Data, alike.map(LookAlike::sentence));
    alike.into_iter().chain(Remark::all(Topic::Data, rows.remarks().iter().map(ToString::to_string))).collect()
}

/// Says why there is nothing to fit.
pub(crate) fn explain(error: noisefit_core::Error, counts: Counts, table: &Table) -> Error {
    let dataset = table.dataset();
    match error {
        noisefit_core::Error::NoRows => {
            let files = match dataset.files().len() {
                1 => dataset.file_name(0).to_owned(),
                more => format!("{} and {}", dataset.file_name(0), count_of(more as u64 - 1, "other file")),
            };
            Error::NothingToFit { files, counts }
        }
        error => error.into(),
    }
}

/// What a summary says of a design and the rows it met.
pub(crate) fn specification(design: &Design, counts: Option<Counts>) -> Specification {
    let (formula, layout) = (design.formula(), design.layout());
    let text = |expression: Option<&Expression>| expression.map(|expression| expression.text().to_owned());
    Specification {
        formula: formula.text().to_owned(),
        scale: formula.scale().map(ToString::to_string),
        weights: text(design.weights()),
        frequencies: text(design.frequencies()),
        sampling_weights: text(design.sampling_weights()),
        response: layout.response.clone(),
        transformed: design.transforms_response().then(|| design.likelihood_of()),
        terms: layout.coefficient_names(),
        counts,
    }
}

/// Rows of a record, as JSON names them: by the number of the record in its file, from 1, and where the data are of several files
/// by `{"file", "record"}`. Every `row` within the value that has a place is named so.
pub(crate) fn name_rows(value: &mut Value, places: &BTreeMap<u64, RowPlace>, several_files: bool) {
    let name = |number: &Value| {
        let RowPlace { file, record, .. } = places.get(&number.as_u64()?)?;
        Some(if several_files { json!({ "file": file, "record": record }) } else { json!(record) })
    };
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| name_rows(value, places, several_files)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key == "row").then(|| name(value)).flatten() {
                    Some(named) => *value = named,
                    None => name_rows(value, places, several_files),
                }
            }
        }
        _ => {}
    }
}

/// A place as summaries take it.
pub(crate) fn place(place: &RowPlace) -> Place<'_> {
    let RowPlace { row, file, record, values } = place;
    Place { row: *row, file, record: *record, values }
}
