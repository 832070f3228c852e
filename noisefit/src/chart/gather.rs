//! What charts need of the rows: one pass, and two more where a regressor is transformed.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use noisefit_core::inference::diagnostics::Diagnosis;
use noisefit_core::inference::predict::Predictor;
use noisefit_core::inference::sketch::{Sketch, Sketched};
use noisefit_core::noise::{AsymmetricLaplace, Noise};
use noisefit_core::record::Fit;
use noisefit_core::rows::RowSourceExt;
use noisefit_data::formula::Scope;
use noisefit_data::frame::Kind;
use noisefit_data::source::DesignRows;
use noisefit_report::charts::Curve;

use crate::chart::options::ChartOptions;
use crate::error::Error;
use crate::fitted::Fitted;
use crate::predict::PredictOptions;
use crate::table::Table;

/// Values along which a line is drawn.
const POINTS: usize = 121;

/// Rows, and the one column that predicts with its values at these, where there is one and it is a number.
pub(super) struct Gathered {
    pub(super) rows: Sketched,
    pub(super) regressor: Option<(String, Vec<f64>)>,
}

impl Fitted {
    /// What the one exact fit whose residuals can be tested is looked at by.
    pub(super) fn diagnosis(&self, rows: &DesignRows<'_>) -> Result<Option<Diagnosis>, Error> {
        match (self.network(), self.fits()) {
            (None, [fit]) if !matches!(fit.noise, Noise::Quantile(_)) => {
                Ok(Some(Diagnosis::new(rows, fit, &self.estimation_of(fit))?))
            }
            _ => Ok(None),
        }
    }

    /// Draws and counts rows, by their [`Fitted::diagnosis`].
    pub(super) fn gather(
        &self,
        rows: &DesignRows<'_>,
        diagnosis: Option<Diagnosis>,
        table: &Table,
        options: &ChartOptions,
    ) -> Result<Gathered, Error> {
        let &ChartOptions { rows: limit, seed, .. } = options;
        let sketch = match (self.network(), diagnosis, self.fits()) {
            (Some(network), ..) => Sketch::of_network(network.clone(), limit, seed),
            (None, Some(diagnosis), _) => Sketch::of_fit(diagnosis, limit, seed),
            (None, None, fits) => {
                let middle = fits.iter().min_by(|a, b| from_middle(a).total_cmp(&from_middle(b)));
                Sketch::of_quantile(Predictor::new(middle.ok_or(Error::NoSingleFit)?)?, limit, seed)
            }
        };
        let sketched = rows.pass(sketch)?.finish();
        if sketched.met == 0 {
            return Err(Error::NothingToScore { file: table.dataset().file_name(0).to_owned(), counts: rows.counts() });
        }
        let regressor = self.regressor(rows, &sketched)?;
        Ok(Gathered { rows: sketched, regressor })
    }

    /// The one column that predicts, and its values at the rows drawn.
    fn regressor(&self, rows: &DesignRows<'_>, sketched: &Sketched) -> Result<Option<(String, Vec<f64>)>, Error> {
        let design = &self.model.design;
        let [field] = design.columns_needed(Scope::Design) else { return Ok(None) };
        if field.kind != Kind::Number {
            return Ok(None);
        }
        if design.layout().terms == [field.name.clone()] {
            let values = sketched.rows.iter().filter_map(|row| row.design.first().copied()).collect();
            return Ok(Some((field.name.clone(), values)));
        }
        let numbers: Vec<u64> = sketched.rows.iter().map(|row| row.row).collect();
        let places = rows.places(&numbers)?;
        let value = |values: &[(String, String)]| {
            let found = values.iter().find(|(name, _)| *name == field.name);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or(f64::NAN)
        };
        Ok(Some((field.name.clone(), places.iter().map(|place| value(&place.values)).collect())))
    }

    /// What the model says along the values of its one column: a curve, or one for each quantile.
    pub(super) fn curves(&self, column: &str, values: &[f64], level: f64) -> Result<Vec<Curve>, Error> {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if !(low < high) {
            return Ok(Vec::new());
        }
        let x: Vec<f64> = (0..POINTS).map(|i| low + (high - low) * i as f64 / (POINTS - 1) as f64).collect();
        let array: ArrayRef = Arc::new(Float64Array::from(x.clone()));
        let grid = Table::from_batches(vec![
            RecordBatch::try_from_iter([(column, array)])
                .map_err(|error| Error::Core(noisefit_core::Error::State(error.to_string())))?,
        ])?;
        let mut options = PredictOptions { levels: vec![level], ..PredictOptions::default() };
        if self.model.curves() > 1 || self.check_prediction(&options).is_err() {
            options.levels.clear();
        }
        let predicted = match self.predict(&grid, &options) {
            Err(Error::NoIntervals { .. }) => self.predict(&grid, &PredictOptions::default())?,
            found => found?,
        };
        let noise = self.noise_of_curves();
        let curve = |(k, noise): (usize, &Noise)| {
            let ends = predicted.column("pred_low").zip(predicted.column("pred_high"));
            Some(Curve {
                name: if noise_is_quantile(noise) { noise.to_string() } else { "fitted".to_owned() },
                noise: *noise,
                x: x.clone(),
                location: predicted.columns.get(k)?.clone(),
                band: ends.map(|(low, high)| (low.to_vec(), high.to_vec())),
                level,
            })
        };
        Ok(noise.iter().enumerate().filter_map(curve).collect())
    }

    /// The noise of each curve that is predicted.
    fn noise_of_curves(&self) -> Vec<Noise> {
        match self.network() {
            Some(network) => network.members.first().map_or_else(Vec::new, |member| member.noise.clone()),
            None => self.fits().iter().map(|fit| fit.noise).collect(),
        }
    }
}

fn noise_is_quantile(noise: &Noise) -> bool {
    matches!(noise, Noise::Quantile(_))
}

/// How far a quantile is from the median.
fn from_middle(fit: &Fit) -> f64 {
    match fit.noise {
        Noise::Quantile(AsymmetricLaplace { tau }) => (tau - 0.5).abs(),
        _ => 0.0,
    }
}
