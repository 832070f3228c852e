//! Fits of groups as one long table: a row for each coefficient of each group, or one for each fit.

use noisefit_core::record::{Coefficient, Fit};
use noisefit_core::wording::{InRust, Wording};
use noisefit_data::DataError;
use noisefit_data::frame::{Field, Kind};
use noisefit_data::groups::KeyValue;
use noisefit_data::write::{TableColumn, TableWriter};
use noisefit_report::tidied::{COMPARISON, glance};
use noisefit_report::tidy::{Cell, Tidy};

use super::{GroupCompared, GroupFit, GroupFound};
use crate::compare::Compared;

/// Rows of a long table, column by column: first the columns that make groups, last why a group has no fit and what is to be said of one.
///
/// ```
/// use noisefit::{GroupTable, InRust, Model, Table};
///
/// let table = Table::open("../testdata/mtcars.csv")?;
/// let mut long = GroupTable::new(&table, &["cyl"], false)?;
/// Model::new("mpg ~ wt").fit_by(&table, &["cyl"], false, |group| {
///     long.push(&group, &InRust);
///     Ok(())
/// })?;
/// // An intercept and a slope for each of three groups.
/// assert_eq!(long.rows(), 6);
/// # Ok::<(), noisefit::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GroupTable {
    names: Vec<String>,
    kinds: Vec<Kind>,
    columns: Vec<Values>,
    of: Of,
    rows: usize,
}

/// What a row of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Coefficients,
    Fits,
    Models,
}

/// The values of a column.
#[derive(Debug, Clone)]
pub enum Values {
    /// Texts, missing ones among them.
    Texts(Vec<Option<String>>),
    /// Numbers: the doubles, NaN where one is missing, and what they leave out.
    Numbers(Vec<f64>, Vec<f64>),
}

/// The columns of coefficients, as `fit --format csv` has them, and whether they are texts.
const COEFFICIENTS: [(&str, bool); 10] = [
    ("noise", true),
    ("part", true),
    ("term", true),
    ("estimate", false),
    ("std_error", false),
    ("statistic", false),
    ("p_value", false),
    ("conf_low", false),
    ("conf_high", false),
    ("df", false),
];

/// Those of fits that are texts.
const TEXTS_OF_FITS: [&str; 3] = ["noise", "vcov_type", "converged"];

/// Those of models side by side.
const TEXTS_OF_MODELS: [&str; 3] = ["model", "preferred", "note"];

impl GroupTable {
    /// No rows yet, of groups by some columns of a table; of coefficients, or one row for each fit with what
    /// [`Fitted::glance`](crate::Fitted::glance) tells.
    ///
    /// # Errors
    /// A column that is not there.
    pub fn new(table: &crate::Table, by: &[&str], glance: bool) -> Result<Self, crate::Error> {
        let fields = super::by_fields(by, table)?;
        Ok(GroupTable::of(&fields, if glance { Of::Fits } else { Of::Coefficients }))
    }

    /// No rows yet, of groups by some columns of a table; one row for each noise model of a group.
    ///
    /// # Errors
    /// A column that is not there.
    pub fn of_models(table: &crate::Table, by: &[&str]) -> Result<Self, crate::Error> {
        Ok(GroupTable::of(&super::by_fields(by, table)?, Of::Models))
    }

    fn of(fields: &[Field], of: Of) -> Self {
        let own: Vec<(String, bool)> = match of {
            Of::Coefficients => COEFFICIENTS.iter().map(|(name, is_text)| ((*name).to_owned(), *is_text)).collect(),
            Of::Models => COMPARISON.iter().map(|name| ((*name).to_owned(), TEXTS_OF_MODELS.contains(name))).collect(),
            Of::Fits => {
                let is_text = |name: &str| TEXTS_OF_FITS.contains(&name);
                glance(&[]).columns.iter().map(|name| (name.to_string(), is_text(name))).collect()
            }
        };
        let kind = |is_text: bool| if is_text { Kind::Text } else { Kind::Number };
        let beside = match of {
            Of::Fits => vec![("error", true), ("warnings", true)],
            Of::Coefficients | Of::Models => vec![("nobs", false), ("error", true), ("warnings", true)],
        };
        let own = own.into_iter().chain(beside.into_iter().map(|(name, is_text)| (name.to_owned(), is_text)));
        let own = own.map(|(name, is_text)| (name, kind(is_text)));
        let all = fields.iter().map(|field| (field.name.clone(), field.kind)).chain(own);
        let (names, kinds): (Vec<String>, Vec<Kind>) = all.unzip();
        let mut table = GroupTable { names, kinds, columns: Vec::new(), of, rows: 0 };
        table.clear();
        table
    }

    /// The names of the columns, and their kinds.
    pub fn columns(&self) -> Vec<(&str, Kind)> {
        self.names.iter().map(String::as_str).zip(self.kinds.iter().copied()).collect()
    }

    /// The values of the columns, in the same order.
    pub fn values(&self) -> &[Values] {
        &self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes all rows away.
    pub fn clear(&mut self) {
        let empty = |kind: &Kind| match kind.is_category() {
            true => Values::Texts(Vec::new()),
            false => Values::Numbers(Vec::new(), Vec::new()),
        };
        self.columns = self.kinds.iter().map(empty).collect();
        self.rows = 0;
    }

    /// Adds the rows of a group, with settings in messages as `wording` writes them.
    pub fn push(&mut self, group: &GroupFit, wording: &dyn Wording) {
        let warnings: Vec<String> = group.warnings.iter().map(|remark| remark.worded(wording)).collect();
        let warnings = Some(warnings.join("; ")).filter(|text| !text.is_empty());
        let key = group.key.len();
        match &group.found {
            Ok(fits) if self.of == Of::Fits => {
                for row in glance(fits).rows {
                    self.key(group);
                    row.into_iter().enumerate().for_each(|(place, cell)| self.cell(key + place, cell));
                    self.ended(None, warnings.clone());
                }
            }
            Ok(fits) => {
                for fit in fits {
                    fit.location.rows.iter().for_each(|row| self.coefficient(group, fit, "location", row, &warnings));
                    fit.scale
                        .coefficients()
                        .iter()
                        .for_each(|row| self.coefficient(group, fit, "scale", row, &warnings));
                }
            }
            Err(error) => self.failed(group, error, warnings, wording),
        }
    }

    /// Adds the rows of a group's noise models.
    pub fn push_compared(&mut self, group: &GroupCompared, wording: &dyn Wording) {
        let warnings: Vec<String> = group.warnings.iter().map(|remark| remark.worded(wording)).collect();
        let warnings = Some(warnings.join("; ")).filter(|text| !text.is_empty());
        let comparison = match &group.found {
            Ok(comparison) => comparison,
            Err(error) => return self.failed(group, error, warnings, wording),
        };
        let key = group.key.len();
        // Observations, as those of fits are: rows that stand for several count as often.
        let nobs = comparison.models.iter().find_map(|entry| entry.fit.as_ref()).map(|fit| fit.nobs as f64);
        for row in noisefit_report::tidied::comparison(comparison).rows {
            self.key(group);
            row.into_iter().enumerate().for_each(|(place, cell)| self.cell(key + place, cell));
            self.number(key + COMPARISON.len(), nobs.unwrap_or(f64::NAN), 0.0);
            self.ended(None, warnings.clone());
        }
    }

    /// Adds a row of a group of which nothing was found.
    fn failed<T>(
        &mut self,
        group: &GroupFound<T>,
        error: &crate::Error,
        warnings: Option<String>,
        wording: &dyn Wording,
    ) {
        self.key(group);
        let last = self.columns.len() - 2;
        (group.key.len()..last).for_each(|place| self.cell(place, Cell::Missing));
        self.ended(Some(error.sentence(wording).replace('\n', " ")), warnings);
    }

    fn coefficient(&mut self, group: &GroupFit, fit: &Fit, part: &str, row: &Coefficient, warnings: &Option<String>) {
        self.key(group);
        let key = group.key.len();
        for (place, text) in [fit.noise.to_string(), part.to_owned(), row.term.clone()].into_iter().enumerate() {
            self.text(key + place, Some(text));
        }
        let numbers = [row.estimate, row.std_error, row.statistic, row.p_value, row.conf_low, row.conf_high, row.df];
        for (place, value) in numbers.into_iter().chain([Some(fit.nobs as f64)]).enumerate() {
            self.number(key + 3 + place, value.unwrap_or(f64::NAN), 0.0);
        }
        self.ended(None, warnings.clone());
    }

    fn key<T>(&mut self, group: &GroupFound<T>) {
        for (place, value) in group.key.iter().enumerate() {
            match (value, self.kinds[place].is_category()) {
                (KeyValue::Number { high, low }, false) => self.number(place, *high, *low),
                (KeyValue::Text(text), true) => self.text(place, Some(text.clone())),
                (_, true) => self.text(place, None),
                (_, false) => self.number(place, f64::NAN, 0.0),
            }
        }
    }

    /// The last two columns, and the end of a row.
    fn ended(&mut self, error: Option<String>, warnings: Option<String>) {
        let last = self.columns.len() - 1;
        self.text(last - 1, error);
        self.text(last, warnings);
        self.rows += 1;
    }

    fn text(&mut self, place: usize, text: Option<String>) {
        if let Values::Texts(values) = &mut self.columns[place] {
            values.push(text);
        }
    }

    fn number(&mut self, place: usize, high: f64, low: f64) {
        if let Values::Numbers(highs, lows) = &mut self.columns[place] {
            highs.push(high);
            lows.push(low);
        }
    }

    fn cell(&mut self, place: usize, cell: Cell) {
        match (&self.columns[place], cell) {
            (Values::Texts(_), Cell::Text(text)) => self.text(place, Some(text)),
            (Values::Texts(_), _) => self.text(place, None),
            (Values::Numbers(..), Cell::Number(x) | Cell::P(x)) => self.number(place, x, 0.0),
            (Values::Numbers(..), Cell::Count(count)) => self.number(place, count as f64, 0.0),
            (Values::Numbers(..), _) => self.number(place, f64::NAN, 0.0),
        }
    }

    /// Appends the rows to a table that was made for [`GroupTable::columns`].
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&self, writer: &mut TableWriter) -> Result<(), DataError> {
        let texts: Vec<Vec<Option<&str>>> = self.columns.iter().map(Values::texts).collect();
        let columns = self.columns.iter().zip(&texts).map(|(values, texts)| match values {
            Values::Texts(_) => TableColumn::Text(texts),
            Values::Numbers(high, low) => TableColumn::Read { high, low: Some(low) },
        });
        writer.write(&columns.collect::<Vec<_>>())
    }

    /// Writes the rows as a `.csv`, `.tsv`, `.ndjson` or `.parquet` file.
    ///
    /// # Errors
    /// A name that ends otherwise; a file that cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), crate::Error> {
        let mut writer = TableWriter::create(path.as_ref(), &self.columns())?;
        self.write(&mut writer)?;
        Ok(writer.finish()?)
    }

    /// The same for people.
    pub fn tidy(&self) -> Tidy {
        let cell = |row: usize, (place, values): (usize, &Values)| match values {
            Values::Texts(texts) => texts[row].as_deref().map_or(Cell::Missing, Cell::from),
            Values::Numbers(high, _) if high[row].is_nan() => Cell::Missing,
            Values::Numbers(high, low) => match self.names[place].as_str() {
                "p_value" | "f_p_value" => Cell::P(high[row]),
                _ if place < self.keys() => {
                    Cell::Text(KeyValue::Number { high: high[row], low: low[row] }.shown(self.kinds[place]))
                }
                "nobs" | "df_model" | "df_residual" => Cell::Count(high[row] as u64),
                "df" if high[row].fract() == 0.0 => Cell::Count(high[row] as u64),
                _ => Cell::Number(high[row]),
            },
        };
        let rows = (0..self.rows).map(|row| self.columns.iter().enumerate().map(|column| cell(row, column)).collect());
        Tidy { columns: self.names.iter().cloned().map(Into::into).collect(), rows: rows.collect() }
    }

    /// The table for people: without the noise and the part where these are the same in all rows.
    pub fn summary(&self) -> String {
        let mut all = self.tidy();
        for name in ["part", "noise"] {
            let Some(place) = all.columns.iter().position(|column| column == name) else { continue };
            let values: Vec<Cell> =
                all.rows.iter().map(|row| row[place].clone()).filter(|cell| *cell != Cell::Missing).collect();
            if values.windows(2).all(|pair| pair[0] == pair[1]) {
                all.columns.remove(place);
                all.rows.iter_mut().for_each(|row| drop(row.remove(place)));
            }
        }
        all.text()
    }

    /// How many columns make groups.
    fn keys(&self) -> usize {
        let own = match self.of {
            Of::Fits => glance(&[]).columns.len() + 2,
            Of::Coefficients => COEFFICIENTS.len() + 3,
            Of::Models => COMPARISON.len() + 3,
        };
        self.names.len() - own
    }
}

impl Compared {
    /// The models as a table that can be written to a file, a row for each.
    pub fn models(&self) -> GroupTable {
        let mut table = GroupTable::of(&[], Of::Models);
        let (found, warnings) = (Ok(self.comparison().clone()), Vec::new());
        table.push_compared(&GroupFound { key: Vec::new(), counts: self.counts(), found, warnings }, &InRust);
        table
    }
}

impl Values {
    fn texts(&self) -> Vec<Option<&str>> {
        match self {
            Values::Texts(texts) => texts.iter().map(Option::as_deref).collect(),
            Values::Numbers(..) => Vec::new(),
        }
    }
}
