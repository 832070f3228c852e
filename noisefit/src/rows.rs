//! A table's rows as a model sees them.

use noisefit_core::record::Counts;
use noisefit_core::wording::Sentence;
use noisefit_data::DataError;
use noisefit_data::formula::{Design, Expression, Formula, FormulaError, Scope};
use noisefit_data::read::{LookAlike, UnreadColumn};
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, RowPlace, SourceOptions, columns_of};
use noisefit_report::text::count_of;
use noisefit_report::{Place, Specification};

use crate::error::Error;
use crate::model::Model;
use crate::refusal::Refusal;
use crate::table::Table;

impl Model {
    /// The rows of a table as `formula` (the model's own, perhaps with more) sees them.
    pub(crate) fn rows<'a>(&self, formula: &Formula, table: &'a Table) -> Result<DesignRows<'a>, Error> {
        let weights = self.weights.as_deref().map(Expression::parse).transpose().map_err(Refusal::Formula)?;
        let frequencies = self.frequencies.as_deref().map(Expression::column);
        let dataset = table.dataset();
        let model = formula
            .resolve(dataset.fields(), weights.as_ref(), frequencies.as_ref())
            .map_err(|error| explained(error, formula, table))?;
        let names = model.columns_needed();
        let records = Records::new(dataset, &names, table.threads(), table.budget(), table.watch())?;
        let options = SourceOptions { missing: self.missing, ..SourceOptions::default() };
        let mut rows = DesignRows::learn(model, records, options)?;
        rows.look_at_response()?;
        Ok(rows)
    }
}

impl Table {
    /// The rows of the table as a design sees them that was learned before, from this table or another.
    ///
    /// # Errors
    /// A column that is not there, or is of another kind.
    pub fn rows(&self, design: &Design, options: SourceOptions) -> Result<DesignRows<'_>, Error> {
        let dataset = self.dataset();
        let names: Vec<&str> = design.columns_needed(options.scope).iter().map(|field| field.name.as_str()).collect();
        columns_of(design, dataset, options.scope)?;
        let records = Records::new(dataset, &names, self.threads(), self.budget(), self.watch())?;
        Ok(DesignRows::new(design.clone(), records, options))
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
    match remarks.is_empty() {
        true => DataError::from(error).into(),
        false => Error::Formula { error, remarks },
    }
}

/// What is to be said of the columns that a design reads: categories that look like numbers or dates.
pub(crate) fn look_alikes(design: &Design, table: &Table) -> Vec<Sentence> {
    let columns = design.columns_needed(Scope::All);
    let alike = table.dataset().look_alikes().iter();
    alike.filter(|alike| columns.iter().any(|field| field.name == alike.column)).map(LookAlike::sentence).collect()
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
        response: layout.response.clone(),
        transformed: design.transforms_response().then(|| design.likelihood_of()),
        terms: layout.coefficient_names(),
        counts,
    }
}

/// A place as summaries take it.
pub(crate) fn place(place: &RowPlace) -> Place<'_> {
    let RowPlace { row, file, record, values } = place;
    Place { row: *row, file, record: *record, values }
}
