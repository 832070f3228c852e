//! A formula's design over the records of a data set, as the estimators see it.

mod options;
mod partition;
mod sampling;

use std::ops::ControlFlow;
use std::sync::OnceLock;

pub use noisefit_core::record::Counts;
use noisefit_core::record::LikelihoodOf;
use noisefit_core::rows::{BLOCK_ROWS, Layout, Next, Pass, Precision, RowSource, perturbation, rows_of_block};
use noisefit_core::sentence;
use noisefit_core::wording::{Sentence, Setting};

pub use self::options::{Missing, RowPlace, SourceOptions};
pub use self::partition::fold_partition;
use crate::cluster::{PartitionRead, Remote, Told, TravellingRows, Work};
use crate::error::{DataError, Location};
use crate::formula::{
    Design, EvaluateError, EvaluateOptions, Learner, Model, Scope, Slopes, Travelling, TravellingModel, Undefined,
    Workspace,
};
use crate::frame::{Column, Field, Frame, Kind, MISSING};
use crate::ranges::{Range, Ranges};
use crate::read::Dataset;
use crate::records::Records;
use crate::remarks::{Remark, Seen};

/// A value as text; `NA` where it is missing.
fn cell(column: &Column, row: usize) -> String {
    match column {
        Column::Number { high, .. } if high[row].is_nan() => "NA".to_owned(),
        Column::Number { high, .. } => high[row].to_string(),
        Column::Category { codes, levels } => {
            levels.get(codes[row] as usize).map_or_else(|| "NA".to_owned(), String::clone)
        }
    }
}

/// A row source over files: records in, blocks of the design out.
#[derive(Debug)]
pub struct DesignRows<'a> {
    records: Records<'a>,
    design: Design,
    options: SourceOptions,
    counts: OnceLock<Counts>,
    /// How many rows stand before each unit.
    rows_before: OnceLock<Vec<u64>>,
    /// The same of an engine's partitions, by their numbers.
    partitions_before: OnceLock<Vec<(u64, u64)>>,
    remarks: OnceLock<Vec<Remark>>,
    /// The ranges of the columns that the design reads.
    ranges: OnceLock<Vec<Range>>,
    /// Places of columns that are terms as they stand.
    bare: Vec<usize>,
}

impl<'a> DesignRows<'a> {
    /// Learns what the model needs to know from the records and makes its design.
    ///
    /// # Errors
    /// Those of reading; [`DataError::Formula`] where the data cannot teach what the formula asks for.
    pub fn learn(mut model: Model, records: Records<'a>, options: SourceOptions) -> Result<Self, DataError> {
        while let Some(empty) = model.learner() {
            let learned = match records.dataset().remote() {
                Some(remote) => learned_elsewhere(remote, &model, &empty, &records)?,
                None => learned_here(&empty, &records)?,
            };
            model.learn(learned.unwrap_or(empty))?;
        }
        Ok(DesignRows::new(model.into_design()?, records, options))
    }

    /// A design that was learned before.
    pub fn new(design: Design, records: Records<'a>, options: SourceOptions) -> Self {
        let (counts, rows_before, remarks, ranges) =
            (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        let (bare, partitions_before) = (design.bare_columns(), OnceLock::new());
        DesignRows { records, design, options, counts, rows_before, partitions_before, remarks, ranges, bare }
    }

    /// The design.
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// Where the rows that a fit used, by their numbers from 0 in ascending order, stand in the files, with the values of the
    /// columns that the model reads; two passes.
    ///
    /// # Errors
    /// Those of reading.
    pub fn places(&self, rows: &[u64]) -> Result<Vec<RowPlace>, DataError> {
        if let Some(remote) = self.records.dataset().remote() {
            let (before, numbers) = (self.partitions_before(remote)?.to_vec(), rows.to_vec());
            return Ok(match self.gather(remote, Work::Places { rows: self.travelling(), before, numbers })? {
                Some(Told::Places(places)) => places,
                _ => Vec::new(),
            });
        }
        let before = self.rows_before()?;
        let mut found = Vec::new();
        self.records.fold(
            |unit| (before.get(unit).copied().unwrap_or(u64::MAX), Vec::new(), Workspace::default()),
            |(next, places, workspace), frame| self.add_places(rows, (next, places), workspace, frame),
            |origin, (_, places, _)| {
                found.extend(
                    places
                        .into_iter()
                        .map(|place: RowPlace| RowPlace { record: place.record + origin.first_record, ..place }),
                );
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// Adds the places of those rows with these numbers that are in a frame, of whose rows the first that is used has the number `next`.
    fn add_places(
        &self,
        rows: &[u64],
        (next, places): (&mut u64, &mut Vec<RowPlace>),
        workspace: &mut Workspace,
        frame: &Frame,
    ) -> Result<(), DataError> {
        let dataset = self.records.dataset();
        let fields = self.design.columns_needed(self.options.scope);
        self.used(frame, workspace, |kept| {
            let first = rows.partition_point(|row| row < next);
            *next += kept.len() as u64;
            let begin = *next - kept.len() as u64;
            for &row in rows[first..].iter().take_while(|row| *row < next) {
                let place = kept[(row - begin) as usize];
                let value = |(field, column): (&Field, &Column)| (field.name.clone(), cell(column, place));
                places.push(RowPlace {
                    row,
                    file: dataset.file_name(frame.file).to_owned(),
                    record: frame.first_record + place as u64 + 1,
                    values: fields.iter().zip(&frame.columns).map(value).collect(),
                });
            }
        })
    }

    /// How many rows stand before each unit, by a pass of its own where none was made yet.
    fn rows_before(&self) -> Result<&[u64], DataError> {
        if let Some(known) = self.rows_before.get() {
            return Ok(known);
        }
        let mut before = vec![0u64];
        self.records.fold(
            |_| (0u64, Workspace::default()),
            |(used, workspace), frame| self.used(frame, workspace, |kept| *used += kept.len() as u64),
            |_, (used, _)| {
                before.push(before[before.len() - 1] + used);
                Ok(())
            },
        )?;
        Ok(self.rows_before.get_or_init(|| before))
    }

    /// Tells `next` the places in a frame of the rows that a fit uses, block after block.
    fn used(&self, frame: &Frame, workspace: &mut Workspace, mut next: impl FnMut(&[usize])) -> Result<(), DataError> {
        let SourceOptions { scope, unseen, .. } = self.options;
        let options = EvaluateOptions { scope, unseen, ..EvaluateOptions::default() };
        let bound = self.design.bind(frame, options).map_err(|error| locate(self.records.dataset(), error))?;
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let rows = start..(start + BLOCK_ROWS).min(frame.rows);
            let evaluated = bound.evaluate(rows, workspace).map_err(|error| locate(self.records.dataset(), error))?;
            next(evaluated.kept());
        }
        Ok(())
    }

    /// Looks at a transformed response, in a pass of its own: where it takes a value at several responses, or has no derivative at
    /// one, the likelihood of models is that of the transformed response ([`Design::likelihood_of`]).
    ///
    /// # Errors
    /// Those of reading.
    pub fn look_at_response(&mut self) -> Result<(), DataError> {
        if !self.design.transforms_response() {
            return Ok(());
        }
        // No derivative is an error while they are looked at.
        self.design = self.design.clone().with_likelihood_of(LikelihoodOf::NoDerivative);
        let slopes = self.slopes()?;
        self.design = self.design.clone().with_likelihood_of(slopes.likelihood_of());
        Ok(())
    }

    /// What the derivatives of a transformed response are like over the rows.
    ///
    /// # Errors
    /// Those of reading.
    pub fn slopes(&self) -> Result<Slopes, DataError> {
        if let Some(remote) = self.records.dataset().remote() {
            return Ok(match self.gather(remote, Work::Slopes(self.travelling()))? {
                Some(Told::Slopes(slopes)) => slopes,
                _ => Slopes::default(),
            });
        }
        let mut all = Slopes::default();
        self.records.fold(
            |_| (Slopes::default(), Workspace::default()),
            |(slopes, workspace), frame| self.add_slopes(slopes, workspace, frame),
            |_, (slopes, _)| {
                all = all.and(slopes);
                Ok(())
            },
        )?;
        Ok(all)
    }

    fn add_slopes(&self, slopes: &mut Slopes, workspace: &mut Workspace, frame: &Frame) -> Result<(), DataError> {
        let options = EvaluateOptions { scope: self.options.scope, ..EvaluateOptions::default() };
        let bound = self.design.bind(frame, options).map_err(|error| locate(self.records.dataset(), error))?;
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let rows = start..(start + BLOCK_ROWS).min(frame.rows);
            let evaluated = bound.evaluate(rows, workspace).map_err(|error| locate(self.records.dataset(), error))?;
            if evaluated.rows() > 0 {
                *slopes = slopes.and(evaluated.slopes());
            }
        }
        Ok(())
    }

    /// The same rows of models whose likelihood is of that.
    #[must_use]
    pub fn with_likelihood_of(self, of: LikelihoodOf) -> Self {
        DesignRows { design: self.design.with_likelihood_of(of), ..self }
    }

    /// The same rows by another design that reads the same columns.
    #[must_use]
    pub fn with_design(self, design: Design) -> Self {
        DesignRows { design, ..self }
    }

    /// The records met, once a pass has been run.
    pub fn counts(&self) -> Counts {
        self.counts.get().copied().unwrap_or_default()
    }

    /// What the rows show that a reader should know, once a pass has been run.
    pub fn remarks(&self) -> &[Remark] {
        self.remarks.get().map_or(&[], Vec::as_slice)
    }

    /// The least and largest values of the columns of numbers that the design reads, once a pass has been run.
    pub fn ranges(&self) -> &[Range] {
        self.ranges.get().map_or(&[], Vec::as_slice)
    }

    /// The state that a pass, which has seen no rows itself, comes to on the rows of one work unit: the units are those of
    /// [`RowSource::units`], counted from 0. No other unit is decoded.
    ///
    /// # Errors
    /// A unit that is not there; those of reading.
    pub fn unit(&self, unit: usize, empty: &dyn Pass) -> Result<Box<dyn Pass>, noisefit_core::Error> {
        match self.records.fold_unit(unit, State::new(empty), |state, frame| self.fold_frame(state, frame)) {
            Ok(Some(state)) => Ok(state.pass),
            Ok(None) => Err(DataError::Option(format!("there is no unit {unit} of the rows")).into()),
            Err(error) => {
                // Which record of its file it is the units before tell.
                let own = |number: usize| (number == unit).then(|| State::new(empty));
                let fold = |state: &mut Option<State>, frame: &Frame| {
                    state.as_mut().map_or(Ok(()), |state| self.fold_frame(state, frame))
                };
                self.records.fold(own, fold, |_, _| Ok(()))?;
                Err(error.into())
            }
        }
    }

    /// The rows as they travel to an engine's workers.
    fn travelling(&self) -> TravellingRows {
        TravellingRows { design: Travelling::of(&self.design), options: self.options }
    }

    /// The names of the columns that are read, in their order.
    fn columns(&self) -> Vec<&str> {
        self.design.columns_needed(self.options.scope).iter().map(|field| field.name.as_str()).collect()
    }

    /// What an engine's workers tell of all rows; none where there is no row.
    fn gather(&self, remote: &Remote, work: Work) -> Result<Option<Told>, DataError> {
        let answer = remote.gather(&self.columns(), work, &|| self.records.go_on().is_err())?;
        Ok(answer.map(|answer| answer.told))
    }

    /// How many rows stand before those of each of an engine's partitions, by a pass of its own where none was made yet.
    fn partitions_before(&self, remote: &Remote) -> Result<&[(u64, u64)], DataError> {
        if let Some(known) = self.partitions_before.get() {
            return Ok(known);
        }
        let work = Work::Count(self.travelling());
        let answer = remote.gather(&self.columns(), work, &|| self.records.go_on().is_err())?;
        let partitions = answer.map(|answer| answer.partitions).unwrap_or_default();
        Ok(self.partitions_before.get_or_init(|| standing_before(&partitions)))
    }

    /// Runs a pass on an engine's workers.
    fn fold_elsewhere(&self, remote: &Remote, empty: &dyn Pass) -> Result<Box<dyn Pass>, noisefit_core::Error> {
        let before = if empty.needs_place() { self.partitions_before(remote)?.to_vec() } else { Vec::new() };
        let looks = self.remarks.get().is_none();
        let work = Work::Fold { rows: self.travelling(), pass: empty.to_bytes()?, looks, before };
        let answer = remote.fold(&self.columns(), work, empty, &|| self.records.go_on().is_err())?;
        let Some(answer) = answer else {
            self.counts.get_or_init(Counts::default);
            return Ok(empty.clone_box());
        };
        let Told::Folded { state, counts, looked } = answer.told else {
            return Err(DataError::Option("the engine's workers have not answered what was asked".to_owned()).into());
        };
        self.counts.get_or_init(|| counts);
        self.partitions_before.get_or_init(|| standing_before(&answer.partitions));
        if let Some((seen, ranges)) = looked {
            self.see(seen, &ranges);
        }
        empty.state_from_bytes(&state)
    }

    /// Remembers what the rows show.
    fn see(&self, seen: Seen, ranges: &Ranges) {
        self.ranges.get_or_init(|| {
            ranges.named(self.design.columns_needed(Scope::Design).iter().map(|field| field.name.as_str()))
        });
        self.remarks.get_or_init(|| {
            let response = Some(self.layout().response.as_str()).filter(|_| !self.design.transforms_response());
            seen.finish(response, |place| self.design.columns_needed(Scope::All)[place].name.clone())
        });
    }

    fn fold_frame(&self, state: &mut State, frame: &Frame) -> Result<(), DataError> {
        let moved;
        let (frame, low_words, draw) = match state.pass.precision() {
            Precision::Double => (frame, false, None),
            Precision::Extended => (frame, true, None),
            Precision::Perturbed(draw) => {
                moved = perturbed(frame, self.design.columns_needed(self.options.scope), draw);
                (&moved, true, Some(draw))
            }
        };
        let SourceOptions { scope, unseen, missing } = self.options;
        let options = EvaluateOptions { low_words, draw, scope, unseen, undefined: Undefined::Refuse };
        let bound = self.design.bind(frame, options).map_err(|error| locate(self.records.dataset(), error))?;
        state.counts.records += frame.rows as u64;
        let looks = self.remarks.get().is_none();
        if looks {
            state.seen.add_columns(frame, &self.bare);
            state.ranges.add(frame, self.design.columns_needed(Scope::Design).len());
        }
        // Blocks that leave room in the cache for what is made of them.
        let Layout { terms, scale, .. } = self.design.layout();
        let columns = terms.len() + scale.as_ref().map_or(0, |scale| scale.terms.len());
        let block = rows_of_block(columns, 32 * 1024);
        for start in (0..frame.rows).step_by(block) {
            // A block of thousands of columns takes long.
            self.records.go_on()?;
            let rows = start..(start + block).min(frame.rows);
            let evaluated = bound
                .evaluate(rows.clone(), &mut state.workspace)
                .map_err(|error| locate(self.records.dataset(), error))?;
            if evaluated.missing() > 0 && missing == Missing::Fail {
                return Err(self.first_missing(frame, rows));
            }
            state.counts.missing += evaluated.missing() as u64;
            state.counts.weightless += evaluated.weightless() as u64;
            if let Some(block) = evaluated.block().filter(|block| block.rows() > 0) {
                if looks {
                    state.seen.add_response(block.response.high);
                }
                state.pass.fold(&block);
            }
        }
        Ok(())
    }

    /// The error that names the first missing value of some rows.
    fn first_missing(&self, frame: &Frame, rows: std::ops::Range<usize>) -> DataError {
        let is_missing = |column: &Column, row: usize| match column {
            Column::Number { high, .. } => high[row].is_nan(),
            Column::Category { codes, .. } => codes[row] == MISSING,
        };
        let fields = self.design.columns_needed(self.options.scope);
        let place = rows.clone().find_map(|row| {
            let column = frame.columns.iter().position(|column| is_missing(column, row))?;
            Some((row, fields.get(column)?.name.clone()))
        });
        let (row, column) = place.unwrap_or((rows.start, String::new()));
        let at = Location {
            file: self.records.dataset().file_name(frame.file).to_owned(),
            line: None,
            record: Some(frame.first_record + row as u64 + 1),
            column: Some(column),
        };
        let without = Setting::Missing.with("fail");
        let what = sentence!["the value is missing; without ", without, " such records are left out and counted"];
        DataError::Invalid { at, what }
    }
}

struct State {
    pass: Box<dyn Pass>,
    workspace: Workspace,
    counts: Counts,
    seen: Seen,
    ranges: Ranges,
}

impl State {
    fn new(empty: &dyn Pass) -> Self {
        State {
            pass: empty.clone_box(),
            workspace: Workspace::default(),
            counts: Counts::default(),
            seen: Seen::default(),
            ranges: Ranges::default(),
        }
    }
}

impl RowSource for DesignRows<'_> {
    fn layout(&self) -> &Layout {
        self.design.layout()
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), noisefit_core::Error> {
        if let Some(remote) = self.records.dataset().remote() {
            // Its partitions are merged where they are: here they are one unit.
            let _: ControlFlow<()> = next(self.fold_elsewhere(remote, empty)?);
            return Ok(());
        }
        let known = if empty.needs_place() { self.rows_before()? } else { &[] };
        let (mut counts, mut stopped, mut rows_before) = (Counts::default(), false, vec![0]);
        let (mut seen, mut ranges) = (Seen::default(), Ranges::default());
        let read = self.records.fold(
            |unit| {
                let mut state = State::new(empty);
                state.pass.begin(known.get(unit).copied().unwrap_or(0));
                state
            },
            |state, frame| self.fold_frame(state, frame),
            |_, State { pass, counts: Counts { records, missing, weightless }, seen: later, ranges: wider, .. }| {
                seen.merge(later);
                ranges.merge(&wider);
                counts.records += records;
                counts.missing += missing;
                counts.weightless += weightless;
                rows_before.push(counts.records - counts.missing - counts.weightless);
                stopped = next(pass).is_break();
                // What it says is not told: nothing more was wanted.
                if stopped { Err(DataError::Interrupted) } else { Ok(()) }
            },
        );
        if stopped {
            return Ok(());
        }
        read?;
        // Every pass meets the same records.
        self.counts.get_or_init(|| counts);
        self.rows_before.get_or_init(|| rows_before);
        self.see(seen, &ranges);
        Ok(())
    }

    fn threads(&self) -> usize {
        self.records.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        match self.counts.get() {
            Some(Counts { records, missing, weightless }) => Some(records - missing - weightless),
            // Whoever asks wants to send little: that is worth a pass.
            None => match self.records.dataset().remote() {
                Some(remote) => remote.records().or_else(|| {
                    self.partitions_before(remote).ok()?;
                    remote.records()
                }),
                None => self.records.rows_hint(),
            },
        }
    }

    fn report(&self, done: u64, of: u64) -> Result<(), noisefit_core::Error> {
        Ok(self.records.report(done, of)?)
    }
}

/// How many rows stand before those of each partition.
fn standing_before(partitions: &[PartitionRead]) -> Vec<(u64, u64)> {
    let mut rows = 0;
    let before = |read: &PartitionRead| {
        let before = rows;
        rows += read.used;
        (read.number, before)
    };
    partitions.iter().map(before).collect()
}

/// What a learner comes to on records; none where there are none.
fn learned_here(empty: &Learner, records: &Records<'_>) -> Result<Option<Learner>, DataError> {
    let mut learned: Option<Learner> = None;
    records.fold(
        |_| empty.clone(),
        |learner, frame| learner.fold(frame).map_err(|error| locate(records.dataset(), error)),
        |_, learner| {
            match &mut learned {
                Some(learned) => learned.merge(learner),
                None => learned = Some(learner),
            }
            Ok(())
        },
    )?;
    Ok(learned)
}

/// The same on the workers of an engine.
fn learned_elsewhere(
    remote: &Remote,
    model: &Model,
    empty: &Learner,
    records: &Records<'_>,
) -> Result<Option<Learner>, DataError> {
    let work = Work::Learn(TravellingModel::of(model));
    let answer = remote.learn(&model.columns_needed(), work, empty.clone(), &|| records.go_on().is_err())?;
    match answer.map(|answer| answer.told) {
        Some(Told::Learned(bytes)) => {
            let learned = empty.of_bytes(&bytes);
            Ok(Some(
                learned
                    .map_err(|error| DataError::Option(format!("what the engine's workers have learned: {error}")))?,
            ))
        }
        _ => Ok(None),
    }
}

/// Where the columns that a design reads stand in a data set, in the design's order.
///
/// # Errors
/// [`DataError::Option`] for a column that is not there; [`DataError::Invalid`] for one of another kind than in the data of
/// the fit.
pub fn columns_of(design: &Design, dataset: &Dataset, scope: Scope) -> Result<Vec<usize>, DataError> {
    let position = |needed: &Field| {
        let fields = dataset.fields();
        let Some(place) = dataset.position(&needed.name) else {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let (file, name) = (dataset.file_name(0), &needed.name);
            return Err(DataError::Option(format!(
                "{file} has no column `{name}`, which the model needs; its columns are {}",
                names.join(", ")
            )));
        };
        let found = fields[place].kind;
        if found == needed.kind || (found.is_category() && needed.kind.is_category()) {
            return Ok(place);
        }
        let advice = match needed.kind {
            Kind::Text => sentence!["say ", Setting::Text.with(&needed.name), " to read it as text"],
            _ => sentence![
                "correct the column; a text that stands for a missing value is named with ",
                Setting::MissingText
            ],
        };
        let file = dataset.file_name(0).to_owned();
        let at = Location { file, column: Some(needed.name.clone()), ..Location::default() };
        let kinds = format!("the model was fitted to {} and finds {}; ", needed.kind.plural(), found.plural());
        let what = Sentence::from(kinds).and(advice);
        Err(DataError::Invalid { at, what })
    };
    design.columns_needed(scope).iter().map(position).collect()
}

/// An error of a row, with the name of its file.
pub fn locate(dataset: &Dataset, error: EvaluateError) -> DataError {
    match error.place() {
        Some((file, record)) => {
            let file = dataset.file_name(file).to_owned();
            let at = Location { file, line: None, record: Some(record + 1), column: None };
            DataError::Invalid { at, what: error.message() }
        }
        None => DataError::Option(error.message().to_string()),
    }
}

/// How much more than its double's rounding a decimal may have been rounded by whoever wrote it: a number of fifteen
/// digits, which is what many programs write, by half a unit of its last digit; one of fewer digits is taken as it stands.
fn decimal_rounding(value: f64) -> f64 {
    let digits = format!("{value:.14e}");
    let Some((mantissa, exponent)) = digits.split_once('e') else { return 0.0 };
    if mantissa.ends_with('0') {
        return 0.0;
    }
    let unit = exponent.parse().map_or(0.0, |exponent: i32| 10f64.powi(exponent - 14));
    unit / (value.abs().next_up() - value.abs())
}

/// The frame with every number moved within its rounding error, unless what the rounding left out is known. Dates and times
/// are counts of a clock's units, which are what they are.
fn perturbed(frame: &Frame, fields: &[Field], draw: u32) -> Frame {
    let is_time = |j: usize| fields.get(j).is_some_and(|field| matches!(field.kind, Kind::Date | Kind::Timestamp));
    let column = |(j, column): (usize, &Column)| match column {
        Column::Category { .. } => column.clone(),
        Column::Number { .. } if is_time(j) => column.clone(),
        Column::Number { high, low } => {
            // A column that has integers beyond 2^53 in two words is one of integers.
            let integers = low.iter().flatten().zip(high).any(|(low, high)| low.abs() >= 1.0 && high.fract() == 0.0);
            let moved = high.iter().enumerate().map(|(i, &value)| {
                let known = low.as_ref().map_or(0.0, |low| low[i]);
                if integers && value.fract() == 0.0 && known.fract() == 0.0 {
                    return known;
                }
                let row = frame.first_record + i as u64;
                let moved = perturbation(value, draw, row, j as u64);
                match known {
                    0.0 => moved,
                    _ => known + moved * decimal_rounding(value),
                }
            });
            Column::Number { high: high.clone(), low: Some(moved.collect()) }
        }
    };
    Frame { columns: frame.columns.iter().enumerate().map(column).collect(), ..*frame }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::Formula;
    use crate::read::ReadOptions;
    use noisefit_core::algebra::Moments;
    use noisefit_core::rows::RowSourceExt;

    #[test]
    fn the_number_of_rows_is_an_estimate_before_a_pass_and_known_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, "y,x,a\n1,2,u\n3,,v\n5,6,u\n\n").unwrap();
        let dataset = Dataset::open(&[path.display().to_string()], &ReadOptions::default()).unwrap();
        // With and without room to keep the records, and something to learn before.
        for (budget, formula) in [(0, "y ~ x"), (1 << 20, "y ~ x"), (0, "y ~ scale(x)"), (1 << 20, "y ~ scale(x)")] {
            let model = Formula::parse(formula).unwrap().resolve(dataset.fields(), None, None).unwrap();
            let learns = model.learner().is_some();
            let records = Records::new(&dataset, &model.columns_needed(), 1, budget, &()).unwrap();
            let rows = DesignRows::learn(model, records, SourceOptions::default()).unwrap();
            // The empty line is no record.
            assert_eq!(rows.rows_hint(), Some(if learns { 3 } else { 4 }));
            rows.pass(Moments::new(1, true)).unwrap();
            assert_eq!(rows.rows_hint(), Some(2));
        }
    }

    #[test]
    fn rows_are_found_where_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], "y,x,g\n1,2,u\n3,,v\n5,6,u\n").unwrap();
        std::fs::write(&paths[1], "y,x,g\n,1,u\n7,8,w\n9,10,v\n").unwrap();
        let names = paths.map(|path| path.display().to_string());
        let dataset = Dataset::open(&names, &ReadOptions::default()).unwrap();
        for (budget, threads) in [(0, 1), (1 << 20, 2)] {
            let formula = Formula::parse("y ~ x").unwrap().with_clusters(&["g".to_owned()]);
            let model = formula.resolve(dataset.fields(), None, None).unwrap();
            assert_eq!(model.columns_needed(), ["x", "y", "g"]);
            let records = Records::new(&dataset, &model.columns_needed(), threads, budget, &()).unwrap();
            let rows = DesignRows::learn(model, records, SourceOptions::default()).unwrap();
            let places = rows.places(&[1, 2, 3]).unwrap();
            let found: Vec<_> = places.iter().map(|place| (place.row, place.file == names[1], place.record)).collect();
            assert_eq!(found, [(1, false, 3), (2, true, 2), (3, true, 3)]);
            let value = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            assert_eq!(places[1].values, [("x", "8"), ("y", "7"), ("g", "w")].map(value));
        }
    }
}
