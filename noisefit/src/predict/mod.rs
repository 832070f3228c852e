//! Predictions of a table's rows, with intervals.

mod back;
mod columns;
mod distribution;
mod options;
mod outside;

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use noisefit_core::inference::predict::{IntervalKind, Intervals, NewRows, Predictor};
use noisefit_core::network::{Deviation, Mixture, Network};
use noisefit_core::record::{Fit, LikelihoodOf, Topic};
use noisefit_core::sentence;
use noisefit_core::wording::{Sentence, Setting};
use noisefit_data::DataError;
use noisefit_data::formula::{Design, EvaluateOptions, Scope, Undefined, Workspace};
use noisefit_data::frame::{Column, Field, Frame, Kind};
use noisefit_data::model::FittedModel;
use noisefit_data::read::{Decimals, Frames, Look, LookAlike};
use noisefit_data::source::locate;
use noisefit_data::write::{TableColumn, TableWriter};
use noisefit_report::text::count_of;

pub use options::{Back, Interval, Keep, PredictOptions};

use back::{carry_back, check_back};
use columns::{carried, columns, curves, has_deviations, named, predicted_names, refuse_twice, texts};
use distribution::{Block, Wanted};
use options::{Asked, Columns};
use outside::Outside;

use crate::error::Error;
use crate::fitted::Fitted;
use crate::overwriting::refuse_overwriting;
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::table::Table;

/// Rows predicted at a time.
const BLOCK_ROWS: usize = 1024;

/// Predictions as columns of numbers: one for each row of the table, NaN where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// The names: `prediction`, `pred_low`, `pred_high`, `scale`, ... ; with several quantiles `q0.1`, ...; with several levels
    /// `pred_low_0.5`, ...
    pub names: Vec<String>,
    /// The columns, in their order.
    pub columns: Vec<Vec<f64>>,
    /// What is to be said.
    pub warnings: Vec<Remark>,
}

impl Predicted {
    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let place = self.names.iter().position(|known| known == name)?;
        self.columns.get(place).map(Vec::as_slice)
    }
}

/// A prediction that is ready to be run: the columns are found, and the model has what is asked for.
#[derive(Debug)]
struct Prediction<'a> {
    model: &'a FittedModel,
    /// The design of the model, perhaps with its largest category as codes.
    design: Cow<'a, Design>,
    predictors: Predictors<'a>,
    table: &'a Table,
    asked: Option<Asked>,
    /// What is asked of the distribution of a new observation.
    wanted: Option<Wanted<'a>>,
    outside: Option<Outside<'a>>,
    options: &'a PredictOptions,
    carried: Vec<Field>,
    /// The columns to read, and where those carried along stand among them.
    read: (Vec<usize>, Vec<usize>),
    names: Vec<String>,
    incomplete: AtomicUsize,
    /// Rows in which a term has no value.
    undefined: AtomicUsize,
    /// Rows with levels of absorbed effects that no row of the fit connects.
    unconnected: AtomicUsize,
    /// Rows with a value beyond the boundary of a spline.
    beyond: AtomicUsize,
    /// Which of the columns are locations, to which an offset is added.
    located: Vec<bool>,
}

impl Fitted {
    /// Predicts the rows of a table.
    ///
    /// ```
    /// use noisefit::{Model, PredictOptions, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let fitted = Model::new("foodexp ~ income").noise("student-t")?.fit(&table)?;
    /// let options = PredictOptions { levels: vec![0.9], ..PredictOptions::default() };
    /// let predicted = fitted.predict(&table, &options)?;
    /// assert_eq!(predicted.names, ["prediction", "pred_low", "pred_high"]);
    /// assert_eq!(predicted.column("prediction").map(<[f64]>::len), Some(235));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// Columns that are not there; intervals that the model does not have; those of reading.
    pub fn predict(&self, table: &Table, options: &PredictOptions) -> Result<Predicted, Error> {
        table.reading(self.columns_for(options), |table| {
            let prediction = self.prediction(table, options)?;
            let mut columns = vec![Vec::new(); prediction.names.len()];
            prediction.run(|_, _, predicted| {
                columns.iter_mut().zip(predicted).for_each(|(column, values)| column.extend_from_slice(values));
                Ok(())
            })?;
            let warnings = prediction.warnings();
            Ok(Predicted { names: prediction.names, columns, warnings })
        })
    }

    /// Predicts the rows of a table into a `.csv`, `.tsv` or `.parquet` file; what is to be said of it.
    ///
    /// # Errors
    /// As [`Fitted::predict`], and those of writing.
    pub fn predict_to(
        &self,
        table: &Table,
        options: &PredictOptions,
        path: impl AsRef<Path>,
    ) -> Result<Vec<Remark>, Error> {
        let path = path.as_ref();
        refuse_overwriting(&[(Setting::Output, path)], &self.read(Some(table)))?;
        self.predict_into(table, options, |columns| TableWriter::create(path, columns))
    }

    /// Predicts the rows of a table into what `writer` makes for the columns of the result, those carried along first; what is
    /// to be said of it.
    ///
    /// # Errors
    /// As [`Fitted::predict`], and those of writing.
    pub fn predict_into(
        &self,
        table: &Table,
        options: &PredictOptions,
        mut writer: impl FnMut(&[(&str, Kind)]) -> Result<TableWriter, DataError>,
    ) -> Result<Vec<Remark>, Error> {
        table.reading(self.columns_for(options), |table| {
            // What was written to a stream could not be taken back where a later row shows a column to be of another kind.
            let table = table.settled(&carried(&options.keep, table)?)?;
            let prediction = self.prediction(&table, options)?;
            prediction.write(writer(&prediction.columns())?)?;
            Ok(prediction.warnings())
        })
    }

    /// The columns that a prediction reads, with their kinds: a table that is opened knowing them need not be opened again.
    pub fn columns(&self) -> &[Field] {
        self.model.design.columns_needed(Scope::Design)
    }

    /// The same with the response where a prediction asks for its density.
    pub fn columns_for(&self, options: &PredictOptions) -> &[Field] {
        self.model.design.columns_needed(scope(options))
    }

    /// Makes a prediction ready, and refuses what the model does not have.
    fn prediction<'a>(&'a self, table: &'a Table, options: &'a PredictOptions) -> Result<Prediction<'a>, Error> {
        let model = &self.model;
        self.check_prediction(options)?;
        let asked = self.asked(options);
        let carried = carried(&options.keep, table)?;
        let read = columns(model, table.dataset(), &carried, scope(options))?;
        let mut names = predicted_names(model, asked.as_ref());
        let located = names.iter().map(|name| name != "scale" && !name.starts_with("sd_")).collect();
        let (design, predictors) = match self.by_codes() {
            Some((design, fits)) => (Cow::Owned(design), Predictors::of_fits(&fits, false)?),
            None => (Cow::Borrowed(&model.design), Predictors::new(model)?),
        };
        let predictor = match &predictors {
            Predictors::Fits(predictors, _) => predictors.first(),
            Predictors::Network(_) => None,
        };
        let wanted = Wanted::new(model, predictor, options)?;
        let outside = options.outside.then(|| Outside::new(model, self.columns()));
        names.extend(wanted.iter().flat_map(Wanted::names));
        names.extend(outside.iter().map(|_| "outside".to_owned()));
        names.extend(wanted.iter().flat_map(Wanted::draws));
        let names = named(names, options.name.as_deref());
        refuse_twice(&carried, &names)?;
        let [incomplete, undefined, unconnected, beyond] = [(); 4].map(|()| AtomicUsize::new(0));
        Ok(Prediction {
            model,
            design,
            predictors,
            table,
            asked,
            wanted,
            outside,
            options,
            carried,
            read,
            names,
            incomplete,
            undefined,
            unconnected,
            beyond,
            located,
        })
    }

    /// Refuses intervals and distributions that the model does not have, before a table is opened.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::NoIntervals`].
    pub fn check_prediction(&self, options: &PredictOptions) -> Result<(), Error> {
        self.check_effects()?;
        if let Some(back) = options.back {
            check_back(&self.model, back, self.asked(options).as_ref())?;
        }
        distribution::check(&self.model, options)?;
        if options.outside
            && self.model.ranges.is_empty()
            && !self.columns().iter().all(|field| field.kind.is_category())
        {
            return Err(Refusal::NoRanges { model: self.name.clone() }.into());
        }
        let is_quantile = curves(&self.model).iter().any(Option::is_some);
        let of_distribution = options.of_distribution().filter(|_| !is_quantile);
        let asked = self.asked(options);
        let setting = asked.as_ref().map(|_| Setting::Interval).or(of_distribution);
        let unknown = |fit: &Fit| fit.absorbed.as_ref().is_some_and(|absorbed| !absorbed.has_variances());
        let effects = &self.model.design.layout().effects;
        let effect = effects.first().map(|effect| effect.name.clone()).filter(|_| self.fits().iter().any(unknown));
        if let (Some(setting), Some(effect)) = (setting, effect) {
            return Err(Refusal::IntervalWithEffects { setting, effect }.into());
        }
        if let Some(asked) = asked {
            check(&self.model, &asked, &self.name)?;
        }
        of_distribution.map_or(Ok(()), |setting| check_errors(&self.model, setting, &self.name))
    }

    /// Refuses predictions of a model without the constants of its effects.
    pub(crate) fn check_effects(&self) -> Result<(), Refusal> {
        let absorbed = self.fits().iter().filter_map(|fit| fit.absorbed.as_ref());
        let mut dropped = absorbed.flat_map(|absorbed| &absorbed.effects).filter(|effect| effect.constants.is_none());
        match dropped.next() {
            Some(effect) => Err(Refusal::EffectsDropped { model: self.name.clone(), effect: effect.name.clone() }),
            None => Ok(()),
        }
    }

    fn asked(&self, options: &PredictOptions) -> Option<Asked> {
        let by_default = if self.model.conformal.is_some() { Interval::Conformal } else { Interval::Prediction };
        let kind = options.interval.unwrap_or(by_default);
        (!options.levels.is_empty()).then(|| Asked { kind, levels: options.levels.clone() })
    }
}

impl Prediction<'_> {
    /// The columns of the result, those carried along first.
    fn columns(&self) -> Vec<(&str, Kind)> {
        let carried = self.carried.iter().map(|field| (field.name.as_str(), field.kind));
        carried.chain(self.names.iter().map(|name| (name.as_str(), Kind::Number))).collect()
    }

    /// Predicts every row and writes the table.
    fn write(&self, mut writer: TableWriter) -> Result<(), Error> {
        let (_, places) = &self.read;
        self.run(|frame, range, predicted| {
            let texts: Vec<Option<Vec<Option<&str>>>> =
                places.iter().map(|&place| texts(&frame.columns[place], range)).collect();
            let mut table: Vec<TableColumn<'_>> = Vec::new();
            for (&place, texts) in places.iter().zip(&texts) {
                table.push(match (texts, &frame.columns[place]) {
                    (Some(texts), _) => TableColumn::Text(texts),
                    (None, Column::Number { high, low }) => TableColumn::Read {
                        high: &high[range.clone()],
                        low: low.as_deref().map(|low| &low[range.clone()]),
                    },
                    (None, Column::Category { .. }) => TableColumn::Text(&[]),
                });
            }
            table.extend(predicted.iter().map(|values| TableColumn::Number(values)));
            writer.write(&table)
        })?;
        Ok(writer.finish()?)
    }

    /// Predicts every frame of the table, and hands on parts of frames with their columns, in the order of the rows: whole frames, or,
    /// where rows have draws, which are many, blocks of them.
    fn run(
        &self,
        mut sink: impl FnMut(&Frame, &Range<usize>, &[&[f64]]) -> Result<(), DataError> + Send,
    ) -> Result<(), Error> {
        let unit = |frames: &mut Frames<'_>| -> Result<Vec<(Frame, Columns, Vec<Block>)>, DataError> {
            frames
                .map(|frame| {
                    let frame = frame?;
                    let (predicted, blocks) = self.frame(&frame)?;
                    Ok((frame, predicted, blocks))
                })
                .collect()
        };
        let (columns, _) = &self.read;
        let (drawing, mut before) = (self.wanted.as_ref().filter(|wanted| wanted.samples() > 0), 0);
        self.table.dataset().scan(columns, Decimals::WithLow, self.table.watch(), unit, |_, frames| {
            for (frame, predicted, blocks) in frames {
                let Some(wanted) = drawing else {
                    sink(&frame, &(0..frame.rows), &predicted.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                    continue;
                };
                for (start, block) in (0..frame.rows).step_by(BLOCK_ROWS).zip(&blocks) {
                    let range = start..(start + BLOCK_ROWS).min(frame.rows);
                    let draws = wanted.drawn(block, &range, before);
                    let own = predicted.iter().map(|column| &column[range.clone()]);
                    sink(&frame, &range, &own.chain(draws.iter().map(Vec::as_slice)).collect::<Vec<_>>())?;
                }
                before += frame.rows as u64;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Predictions of a frame, and the ends of their intervals where asked for, NaN for incomplete rows; and where rows have draws the
    /// distributions of its blocks.
    fn frame(&self, frame: &Frame) -> Result<(Columns, Vec<Block>), DataError> {
        let (dataset, asked) = (self.table.dataset(), self.asked.as_ref());
        let options = EvaluateOptions {
            low_words: true,
            scope: Scope::Design,
            unseen: self.options.unseen,
            undefined: self.options.undefined,
            ..EvaluateOptions::default()
        };
        let bound = self.design.bind(frame, options).map_err(|error| locate(dataset, error))?;
        let responses = self.responses(frame)?;
        let (mut columns, mut blocks): (Vec<Vec<f64>>, Vec<Block>) = (Vec::new(), Vec::new());
        let mut workspace = Workspace::default();
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let range = start..(start + BLOCK_ROWS).min(frame.rows);
            let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
            self.incomplete.fetch_add(rows.missing(), Ordering::Relaxed);
            self.undefined.fetch_add(rows.undefined(), Ordering::Relaxed);
            self.beyond.fetch_add(rows.beyond(), Ordering::Relaxed);
            let new = NewRows {
                scale_design: rows.scale_design().into(),
                effects: rows.effects(),
                weights: rows.scaled(),
                ..NewRows::new(rows.design(), rows.rows())
            };
            let mixture = self.predictors.mixture(&new);
            let mut results = self.predictors.predict(&new, mixture.as_ref(), asked)?;
            if let Some(locations) = results.first().filter(|_| !rows.effects().is_empty()) {
                let unconnected = locations.iter().filter(|location| location.is_nan()).count();
                self.unconnected.fetch_add(unconnected, Ordering::Relaxed);
            }
            if let (Some(Asked { kind: Interval::Conformal, levels }), Some(conformal)) = (asked, &self.model.conformal)
            {
                for &level in levels {
                    add(&mut results, conformal.intervals(&new, level))?;
                }
            }
            if let Some(offset) = rows.offset() {
                let located = results.iter_mut().zip(&self.located).filter(|(_, located)| **located);
                located.for_each(|(column, _)| column.iter_mut().zip(offset).for_each(|(value, o)| *value += o));
            }
            if let Some(back) = self.options.back {
                let scales = match (back, &self.predictors) {
                    (Back::Mean, Predictors::Fits(predictors, _)) => predictors.first().map(|of| of.scale(&new)),
                    _ => None,
                };
                let names = self.names.iter().map(String::as_str).zip(self.located.iter().copied());
                carry_back(self.model, scales, &names.collect::<Vec<_>>(), &mut results);
            }
            if let Some(wanted) = &self.wanted {
                let found = match (wanted.new_observation(), mixture) {
                    (Some(new_observation), _) => new_observation.of(&new).map_err(unasked)?,
                    (None, Some(mixture)) => mixture.into(),
                    (None, None) => continue,
                };
                let own = responses.as_ref().map(|all| rows.kept().iter().map(|&row| all[row]).collect::<Vec<_>>());
                results.extend(wanted.columns(&found, rows.offset(), own.as_deref()).map_err(unasked)?);
                if wanted.samples() > 0 {
                    blocks.push(wanted.block(rows.kept(), found, rows.offset()));
                }
            }
            if let Some(outside) = &self.outside {
                results.push(outside.of(frame, rows.kept()));
            }
            columns.resize_with(results.len(), || vec![f64::NAN; frame.rows]);
            for (column, results) in columns.iter_mut().zip(results) {
                for (&row, value) in rows.kept().iter().zip(results) {
                    column[row] = value;
                }
            }
        }
        let drawn = self.wanted.as_ref().map_or(0, Wanted::samples);
        columns.resize_with(self.names.len() - drawn, || vec![f64::NAN; frame.rows]);
        Ok((columns, blocks))
    }

    /// The response of every row of a frame, as the model has it, where its density is asked for; NaN where it is missing or has no value.
    fn responses(&self, frame: &Frame) -> Result<Option<Vec<f64>>, DataError> {
        if !self.options.density {
            return Ok(None);
        }
        let options = EvaluateOptions {
            scope: Scope::Response,
            unseen: self.options.unseen,
            undefined: Undefined::Missing,
            ..EvaluateOptions::default()
        };
        let dataset = self.table.dataset();
        let bound = self.design.bind(frame, options).map_err(|error| locate(dataset, error))?;
        let (mut responses, mut workspace) = (vec![f64::NAN; frame.rows], Workspace::default());
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let range = start..(start + BLOCK_ROWS).min(frame.rows);
            let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
            let Some(response) = rows.response() else { continue };
            for (i, &row) in rows.kept().iter().enumerate() {
                // The response is without its offset there.
                responses[row] = response.high[i] + rows.offset().map_or(0.0, |offset| offset[i]);
            }
        }
        Ok(Some(responses))
    }

    /// What is to be said, once it was run.
    fn warnings(&self) -> Vec<Remark> {
        let (model, mut warnings, mut remarks) = (self.model, Vec::<Sentence>::new(), Vec::new());
        let incomplete = self.incomplete.load(Ordering::Relaxed);
        if incomplete > 0 {
            let rows = count_of(incomplete as u64, "row");
            warnings.push(format!("{rows} with a missing value: the prediction is missing, too").into());
        }
        warnings.extend(model.fits.iter().find_map(Fit::far_from_zero).map(|warning| warning.to_string().into()));
        let carried: Vec<&str> = self.carried.iter().map(|field| field.name.as_str()).collect();
        let alike = self.table.dataset().look_alikes().iter();
        let codes = alike.filter(|alike| alike.look == Look::Code && carried.contains(&alike.column.as_str()));
        warnings.extend(codes.map(LookAlike::sentence));
        let undefined = self.undefined.load(Ordering::Relaxed);
        if undefined > 0 {
            let rows = count_of(undefined as u64, "row");
            let terms = model.design.computed_terms();
            let of = if terms.is_empty() { "a term".to_owned() } else { terms.join(", ") };
            warnings.push(sentence![
                format!("{rows} in which {of} has no finite value: the prediction is missing, too; "),
                Setting::Undefined.with("fail"),
                " names the first"
            ]);
        }
        let unconnected = self.unconnected.load(Ordering::Relaxed);
        if unconnected > 0 {
            let rows = count_of(unconnected as u64, "row");
            let names: Vec<&str> = model.design.layout().effects.iter().map(|effect| effect.name.as_str()).collect();
            warnings.push(
                format!(
                    "{rows} with levels of {} that no row of the fit connects, so that the sum of their constants is not determined: \
                     the prediction is missing, too",
                    names.join(" and ")
                )
                .into(),
            );
        }
        let beyond = self.beyond.load(Ordering::Relaxed);
        if beyond > 0 {
            let rows = count_of(beyond as u64, "row");
            warnings.push(
                format!(
                    "{rows} with a value beyond the boundary of a spline, where bs goes on as a polynomial and ns as a straight line"
                )
                .into(),
            );
        }
        if let Some(back) = self.options.back {
            let (response, column) = (model.design.response(), model.design.response_column().unwrap_or_default());
            let what = match back {
                Back::Median if curves(model).iter().any(Option::is_some) => "quantiles",
                Back::Median => "medians",
                Back::Mean => "means",
            };
            let scale = if model.design.layout().scale.is_some() {
                format!("; scales are of {response}")
            } else {
                String::new()
            };
            warnings.push(format!("predictions are {what} of {column}, back from {response}{scale}").into());
        } else if model.design.transforms_response() {
            warnings.push(format!("predictions are of {}", model.design.response()).into());
        }
        warnings.extend(self.of_distribution());
        warnings.extend(self.outside.as_ref().and_then(Outside::sentence).map(Sentence::from));
        let is_aliased =
            |fit: &Fit| fit.location.rows.iter().chain(fit.scale.coefficients()).any(|c| c.estimate.is_none());
        if model.fits.iter().any(is_aliased) {
            warnings.push(
                "the model has collinear terms; predictions hold only for rows in which they are related as in its data"
                    .into(),
            );
        }
        if model.design.weights().is_some() {
            warnings.push("the model is weighted; prediction intervals and scales are for rows of weight 1".into());
        }
        if let (Some(Asked { kind: Interval::Conformal, levels }), Some(conformal)) = (&self.asked, &model.conformal) {
            let too_few = levels.iter().filter_map(|&level| conformal.too_few(level));
            remarks = too_few.map(|warning| Remark::from(&warning)).collect();
        }
        [Remark::all(Topic::Prediction, warnings), remarks].concat()
    }
}

impl Prediction<'_> {
    /// Of what the columns of the distribution are, where a reader might think of the response as it is modelled.
    fn of_distribution(&self) -> Option<Sentence> {
        let design = &self.model.design;
        let wanted = self.wanted.as_ref().filter(|wanted| wanted.is_carried_back())?;
        let mut names = wanted.names();
        names.retain(|name| !name.starts_with("sd_"));
        names.extend((wanted.samples() > 0).then(|| "draws".to_owned()));
        let (response, column) = (design.response(), design.response_column().unwrap_or_default());
        let beyond = match design.likelihood_of() {
            LikelihoodOf::Beyond(_) => format!(
                "; the noise reaches beyond the values that {response} can have, and what lies there counts as at their end"
            ),
            _ => String::new(),
        };
        (!names.is_empty()).then(|| format!("{} are of {column} itself{beyond}", names.join(", ")).into())
    }
}

/// What predicts the rows of a design.
#[derive(Debug)]
enum Predictors<'a> {
    /// One, or one for each quantile; and whether they have a modelled scale.
    Fits(Vec<Predictor>, bool),
    Network(&'a Network),
}

impl<'a> Predictors<'a> {
    fn new(model: &'a FittedModel) -> Result<Self, noisefit_core::Error> {
        Ok(match &model.network {
            Some(network) => Predictors::Network(network),
            None => Self::of_fits(&model.fits, model.design.layout().scale.is_some())?,
        })
    }

    fn of_fits(fits: &[Fit], models_scale: bool) -> Result<Self, noisefit_core::Error> {
        let predictors = fits.iter().map(Predictor::new).collect::<Result<Vec<_>, _>>()?;
        Ok(Predictors::Fits(predictors, models_scale))
    }

    /// What the members of a network say of rows.
    fn mixture(&self, rows: &NewRows<'_>) -> Option<Mixture> {
        match self {
            Predictors::Fits(..) => None,
            Predictors::Network(network) => Some(network.predict(rows)),
        }
    }

    /// Predictions, the ends of their own intervals where asked for, and scales; of a network by its mixture.
    fn predict(
        &self,
        rows: &NewRows<'_>,
        mixture: Option<&Mixture>,
        asked: Option<&Asked>,
    ) -> Result<Vec<Vec<f64>>, DataError> {
        let own = match asked {
            Some(Asked { kind: Interval::Prediction, levels }) => (IntervalKind::Prediction, &levels[..]),
            Some(Asked { kind: Interval::Confidence, levels }) => (IntervalKind::Confidence, &levels[..]),
            _ => (IntervalKind::Prediction, &[][..]),
        };
        let (kind, levels) = own;
        let mut results = Vec::new();
        match self {
            Predictors::Fits(predictors, models_scale) => {
                for predictor in predictors {
                    results.push(predictor.location(rows));
                    for &level in levels {
                        add(&mut results, predictor.intervals(rows, kind, level))?;
                    }
                    results.extend(models_scale.then(|| predictor.scale(rows)));
                }
            }
            Predictors::Network(network) => {
                let Some(mixture) = mixture else { return Ok(results) };
                for curve in 0..network.curves() {
                    results.push(mixture.location(curve));
                }
                for &level in levels {
                    add(&mut results, Ok(mixture.intervals(level)))?;
                }
                results.extend(network.models_scale().then(|| mixture.scale(0)));
                if has_deviations(network) {
                    let deviations = mixture.deviations();
                    let column = |pick: fn(&Deviation) -> f64| deviations.iter().map(pick).collect::<Vec<f64>>();
                    results.extend([column(|d| d.total), column(|d| d.aleatoric), column(|d| d.epistemic)]);
                }
            }
        }
        Ok(results)
    }
}

/// The ends of intervals, as two columns.
fn add(columns: &mut Vec<Vec<f64>>, ends: Result<Intervals, noisefit_core::Error>) -> Result<(), DataError> {
    let Intervals { low, high } = ends.map_err(unasked)?;
    columns.extend([low, high]);
    Ok(())
}

/// What a model does not have after all, though it was checked for it.
fn unasked(error: noisefit_core::Error) -> DataError {
    DataError::Option(error.to_string())
}

/// Refuses intervals that the model does not have.
fn check(model: &FittedModel, Asked { kind, levels: asked }: &Asked, name: &str) -> Result<(), Error> {
    let levels: Vec<f64> = curves(model).into_iter().flatten().collect();
    let level = asked.first().copied().unwrap_or(0.95);
    match kind {
        Interval::Conformal if model.conformal.is_some() => return Ok(()),
        Interval::Conformal => return Err(Refusal::NotConformal { level, model: name.to_owned() }.into()),
        Interval::Prediction if !levels.is_empty() => {
            // In decimals, as one would write them.
            let decimal = |tau: f64| (tau * 1e9).round() / 1e9;
            let ends = [decimal(0.5 * (1.0 - level)), decimal(0.5 * (1.0 + level))];
            return Err(Refusal::IntervalOfQuantiles { level, ends, levels }.into());
        }
        _ => {}
    }
    if let (Interval::Confidence, Some(network)) = (kind, &model.network) {
        return Err(Refusal::ConfidenceOfTrained { level, members: network.members.len() }.into());
    }
    check_errors(model, Setting::Interval, name)
}

/// Refuses what rests on standard errors where there are none.
fn check_errors(model: &FittedModel, setting: Setting, name: &str) -> Result<(), Error> {
    for fit in &model.fits {
        let why = match (fit.df_residual, fit.leverage()) {
            (0, _) => "the model has as many coefficients as observations",
            (_, None) => "the model has no standard errors",
            _ => continue,
        };
        return Err(Error::NoIntervals { setting, model: name.to_owned(), why });
    }
    Ok(())
}

/// What is read: the response, too, where its density is asked for.
fn scope(options: &PredictOptions) -> Scope {
    if options.density { Scope::Response } else { Scope::Design }
}
