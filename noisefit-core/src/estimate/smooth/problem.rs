//! A linear model with a smooth noise family: where its likelihood starts, is searched, and what is told of its maximum.

use crate::Error;
use crate::algebra::Affine;
use crate::algebra::gram::{packed, symmetric};
use crate::algebra::{Accuracy, Coordinates, LeastSquares, Method, Settings};
use crate::error::Unbounded;
use crate::estimate::Options;
use crate::estimate::estimated::{Covariance, Estimate, EstimatedScale};
use crate::estimate::smooth::collapse::Collapse;
use crate::estimate::smooth::derived::{Constant, LogResiduals, Reweighted};
use crate::estimate::smooth::newton::{Maximum, Outcome, Search, maximise};
use crate::estimate::smooth::pass::Likelihood;
use crate::estimate::smooth::point::{Curvature, Point, ScaleColumns};
use crate::estimate::start::Start;
use crate::noise::{Kernel, Noise, NoiseFamily};
use crate::record::{Fit, Reference, ShapeParameter, Shortfall, Termination, VcovKind, Vertex, Warning};
use crate::rows::{Adapted, Layout, MemoryRows, RowSource, RowSourceExt, ScaleLayout, Subset};

/// Rows on which a search begins, at least and for each coefficient.
const SAMPLE_ROWS: usize = 16_384;
const SAMPLE_ROWS_A_COEFFICIENT: usize = 64;

/// Residuals less than this part of the typical one count as it when the scale's first coefficients are sought.
const LEAST_RESIDUAL: f64 = 1e-4;

/// Rows with the least squares fit that a search starts from.
pub(crate) struct Problem<'a> {
    pub(super) source: &'a dyn RowSource,
    pub(super) options: &'a Options,
    start: Start,
    scale: Option<ScaleStart>,
}

/// Where the location is, and how it was reached.
pub(super) struct Location {
    /// None for aliased terms.
    pub(super) coefficients: Vec<Option<f64>>,
    pub(super) vertex: Option<Vertex>,
    pub(super) accuracy: Accuracy,
    pub(super) termination: Termination,
}

/// The scale's columns.
struct ScaleStart {
    /// `ln |e|` on them: which are aliased, and `(U' F U)^-1`.
    solved: LeastSquares,
    columns: ScaleColumns,
}

impl<'a> Problem<'a> {
    /// Reads the rows for least squares and a sample, and the scale's columns where there are such.
    ///
    /// # Errors
    /// Those of [`LeastSquares::solve`], [`Error::Collinear`] where asked for, and [`Error::Unsupported`] for a scale that
    /// cannot be modelled because every row is fitted exactly.
    pub(crate) fn new(source: &'a dyn RowSource, options: &'a Options) -> Result<Self, Error> {
        let layout = source.layout();
        let coefficients = layout.coefficients() + layout.scale.as_ref().map_or(0, |scale| scale.terms.len() + 1);
        let rows = SAMPLE_ROWS.max(SAMPLE_ROWS_A_COEFFICIENT * coefficients);
        let start = Start::new(source, options, rows)?;
        let mut problem = Problem { source, options, start, scale: None };
        if let Some(scale) = &layout.scale {
            if problem.is_exact() {
                return Err(Error::Undetermined {
                    why: "every row is fitted exactly, so there are no residuals to model the scale of".to_owned(),
                    remedy: Some("leave out the scale's formula, or terms of the mean"),
                });
            }
            let derive = LogResiduals {
                location: Affine::new(&problem.start.least_squares.coefficients, layout.intercept),
                least: LEAST_RESIDUAL * problem.gaussian_scale(),
            };
            let derived = Adapted::new(source, derive, LogResiduals::layout(scale));
            let settings = Settings { digits: options.settings.digits.min(6.0), one_pass: true, ..options.settings };
            let solved = LeastSquares::solve(&derived, settings)?;
            let names: Vec<String> = scale.coefficient_names().iter().map(|name| format!("scale {name}")).collect();
            options.check_collinear(&solved, &names)?;
            let offset = usize::from(scale.intercept);
            let columns: Vec<usize> =
                (0..scale.terms.len()).filter(|j| !solved.aliased.contains(&(j + offset))).collect();
            let coordinates = Coordinates::of_columns(&solved, &columns, scale.intercept).without_response();
            problem.scale = Some(ScaleStart { solved, columns: ScaleColumns { coordinates, columns } });
        }
        Ok(problem)
    }

    /// Whether least squares leaves no residuals: then every family's scale is zero.
    pub(crate) fn is_exact(&self) -> bool {
        !(self.start.least_squares.residual_sum_of_squares > 0.0)
    }

    /// The maximum likelihood scale under Gaussian noise.
    pub(crate) fn gaussian_scale(&self) -> f64 {
        let solved = &self.start.least_squares;
        (solved.residual_sum_of_squares / solved.totals.observations).sqrt()
    }

    /// The least squares coefficients and a scale that fits their residuals.
    pub(crate) fn first<F: Kernel>(&self, functions: F, family: &dyn NoiseFamily) -> Point<F> {
        let coordinates = self.start.coordinates.clone();
        let location = self.start.in_coordinates();
        let scale = match &self.scale {
            None => vec![self.gaussian_scale().ln() - 0.5 * family.variance().min(3.0).ln()],
            Some(ScaleStart { solved, columns }) => {
                let mean = family.expectation(&|r| r.abs().ln());
                let coordinates = &columns.coordinates;
                let coefficients: Vec<f64> = solved.coefficients.iter().flatten().copied().collect();
                let slopes = coefficients[coordinates.offset()..].iter().enumerate();
                let mut scale: Vec<f64> = slopes.clone().map(|(j, g)| g / coordinates.scale(j)).collect();
                if coordinates.intercept() {
                    let shifts = slopes.map(|(j, g)| g * coordinates.shift(j)).sum::<f64>();
                    scale.insert(0, coefficients[0] + shifts - mean);
                }
                scale
            }
        };
        let scale_columns = self.scale.as_ref().map(|scale| scale.columns.clone());
        Point { coordinates, scale_columns, location, scale, functions, curvature: Curvature::Observed }
    }

    /// The rows with the columns that are not aliased.
    pub(crate) fn rows(&self) -> Subset<'_> {
        self.start.source(self.source)
    }

    /// The sample of them.
    pub(crate) fn sample(&self) -> Result<MemoryRows<'_>, Error> {
        self.start.sample.source()
    }

    /// Whether the sample is all rows.
    pub(crate) fn sample_is_all(&self) -> bool {
        self.start.sample.len() as u64 == self.start.least_squares.totals.rows
    }

    /// The maximum over all rows, reached by way of that of the sample from a point to which the scale has `fallen`; its shape is
    /// at most `heaviest`.
    pub(crate) fn maximise<F: Kernel>(&self, start: Point<F>, fallen: f64, heaviest: f64) -> Result<Maximum<F>, Error> {
        let (tolerance, search) = match self.sample_is_all() {
            true => (Search::FULL.tolerance, Search::FINEST),
            false => (1e-4, Search::FULL),
        };
        let rough = Search { tolerance, fallen, heaviest, ..Search::FULL };
        let (point, done, fallen) = match maximise(&self.sample()?, start.clone(), rough)?.maximum() {
            Some(found) => (found.state.point().clone(), found.iterations, found.fallen),
            None => (start, 0, fallen),
        };
        let mut found = match maximise(&self.rows(), point, Search { fallen, heaviest, ..search })? {
            Outcome::Maximum(found) => *found,
            Outcome::Collapsed(point) => return Err(Error::Unbounded(self.collapsed(&point)?)),
            Outcome::Flat => return Err(self.undetermined()),
        };
        found.iterations += done;
        Ok(found)
    }

    /// A start from least squares on the half of the sample whose regressors are most central; none where that leaves terms
    /// undetermined, or no residuals.
    pub(crate) fn central<F: Kernel>(&self, first: &Point<F>) -> Result<Option<Point<F>>, Error> {
        let half = self.start.sample.central_half();
        let settings = Settings { digits: 6.0, one_pass: true, ..Settings::default() };
        let solved = match half.len() {
            0 => return Ok(None),
            _ => LeastSquares::solve(&half.source()?, settings)?,
        };
        let scale = (solved.residual_sum_of_squares / solved.totals.observations).sqrt();
        if !solved.aliased.is_empty() || !(scale > 0.0) {
            return Ok(None);
        }
        let coordinates = &first.coordinates;
        let coefficients: Vec<f64> = solved.coefficients.iter().flatten().copied().collect();
        let mut point = Point { location: coordinates.carry_in(&coefficients), ..first.clone() };
        if self.scale.is_none() {
            point.scale[0] += (scale / self.gaussian_scale()).ln();
        }
        Ok(Some(point))
    }

    /// Why second derivatives do not determine every coefficient.
    pub(super) fn undetermined(&self) -> Error {
        self.start.nearly_collinear().unwrap_or_else(|| {
            let what = "too few rows are near enough to their fitted values to determine every coefficient";
            Error::Undetermined { why: what.to_owned(), remedy: Some("leave out terms") }
        })
    }

    /// Why the likelihood has no maximum: rows that are fitted exactly, by their number and by the scale's columns.
    pub(super) fn unbounded<F: Kernel>(&self, location: &[Option<f64>], point: &Point<F>) -> Result<Unbounded, Error> {
        let layout = self.source.layout();
        let intercept = layout.scale.as_ref().is_some_and(|scale| scale.intercept);
        let log_scale = self.scale.as_ref().map(|scale| Affine::new(&scale.coefficients(point), intercept));
        let location = Affine::new(location, layout.intercept);
        let found = self.source.pass(Collapse::new(location, log_scale, self.gaussian_scale()))?;
        Ok(found.unbounded(layout))
    }

    /// The same of a point to which a search collapsed.
    pub(crate) fn collapsed<F: Kernel>(&self, point: &Point<F>) -> Result<Unbounded, Error> {
        self.unbounded(&self.coefficients(point), point)
    }

    /// The number of coefficients of the location that are estimated.
    pub(crate) fn coefficient_count(&self) -> usize {
        self.start.coordinates.coefficients()
    }

    /// Observations, and how many numbers say where they are and how large their noise, but for one scale.
    pub(crate) fn size(&self) -> [f64; 2] {
        let of_scale =
            self.scale.as_ref().map_or(0, |scale| scale.columns.coordinates.coefficients().saturating_sub(1));
        [self.start.least_squares.totals.observations, (self.coefficient_count() + of_scale + self.options.held) as f64]
    }

    /// Whether `ln s` is modelled.
    pub(crate) fn models_scale(&self) -> bool {
        self.scale.is_some()
    }

    /// How many observations a location fits exactly, and how many there are; the most that was found at the points and, with an
    /// intercept, at the response that most of the sample's observations share.
    pub(crate) fn most_exact<F: Kernel>(&self, points: &[Point<F>]) -> Result<[f64; 2], Error> {
        let (layout, sample) = (self.source.layout(), self.sample()?);
        let mut locations: Vec<Vec<Option<f64>>> = points.iter().map(|point| self.coefficients(point)).collect();
        if let Some(shared) = self.most_shared_response().filter(|_| layout.intercept) {
            let slopes = std::iter::repeat_n(0.0, self.coefficient_count().saturating_sub(1));
            locations.push(self.start.widened(&std::iter::once(shared).chain(slopes).collect::<Vec<_>>()));
        }
        let (mut most, mut best) = ([0.0; 2], None);
        let all_rows = self.sample_is_all();
        for location in &locations {
            let location = Affine::new(location, layout.intercept);
            // The sample lacks the columns that are aliased.
            let narrow = Affine { slopes: self.start.narrowed(&location.slopes), ..location.clone() };
            let [exact, n] = sample.pass(Collapse::new(narrow, None, self.gaussian_scale()))?.counts();
            if exact > most[0] {
                (most, best) = ([exact, n], Some(location));
            }
        }
        match best.filter(|_| !all_rows && most[0] * 4.0 > most[1]) {
            Some(location) => Ok(self.source.pass(Collapse::new(location, None, self.gaussian_scale()))?.counts()),
            None => Ok(most),
        }
    }

    /// The response that most observations of the sample have.
    fn most_shared_response(&self) -> Option<f64> {
        let mut responses: Vec<(f64, f64)> = self
            .start
            .sample
            .show(|block| block.response.high.iter().enumerate().map(|(i, y)| (*y, block.frequency(i))).collect());
        responses.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let shares = responses.chunk_by(|(a, _), (b, _)| a == b).map(|alike| {
            let count: f64 = alike.iter().map(|(_, f)| f).sum();
            (count, alike[0].0)
        });
        shares.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, response)| response)
    }

    /// The coefficients of a modelled scale in the units of the data, none for aliased terms; empty for a common scale.
    pub(super) fn log_scale<F: Kernel>(&self, point: &Point<F>) -> Vec<Option<f64>> {
        self.scale.as_ref().map_or(Vec::new(), |scale| scale.coefficients(point))
    }

    /// The location's coefficients in the units of the data, none for aliased terms.
    fn coefficients<F: Kernel>(&self, point: &Point<F>) -> Vec<Option<f64>> {
        let coordinates = &point.coordinates;
        self.start.widened(&coordinates.carry_back_all(&point.location, coordinates.response_shift()))
    }

    /// The record of a maximum.
    ///
    /// # Errors
    /// [`Error::Range`] for a scale whose square is no double, and those of [`LeastSquares::solve`].
    pub(crate) fn fit<F: Kernel>(
        &self,
        maximum: &Maximum<F>,
        noise: Noise,
        shape: Option<ShapeParameter>,
        mut warnings: Vec<Warning>,
    ) -> Result<Fit, Error> {
        if !maximum.converged {
            let (iterations, step) = (maximum.iterations, maximum.distance);
            warnings.push(Warning::NotConverged(Shortfall::Iterations { iterations, step }));
        }
        let location = Location {
            coefficients: self.coefficients(maximum.state.point()),
            vertex: None,
            accuracy: self.accuracy(maximum),
            termination: Termination {
                converged: maximum.converged,
                reason: maximum.reason,
                iterations: maximum.iterations,
                duality_gap: None,
            },
        };
        self.record(&maximum.state, location, noise, shape, warnings)
    }

    /// The record of a location and of the pass at its scale.
    pub(super) fn record<F: Kernel>(
        &self,
        state: &Likelihood<F>,
        location: Location,
        noise: Noise,
        shape: Option<ShapeParameter>,
        mut warnings: Vec<Warning>,
    ) -> Result<Fit, Error> {
        let (layout, solved) = (self.source.layout(), &self.start.least_squares);
        let point = state.point();
        let information = point.functions.expected();
        let Location { coefficients, vertex, accuracy, termination } = location;
        let df_residual = solved.totals.observations - coefficients.iter().flatten().count() as f64;
        let (scale, covariance) = match &self.scale {
            None => {
                let scale = point.scale[0].exp();
                let variance = scale * scale / information.location;
                if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&variance) {
                    return Err(Error::Range { what: format!("the noise scale of {}", layout.response), size: scale });
                }
                (EstimatedScale::Common(scale), Covariance::Multiple((df_residual > 0.0).then_some(variance)))
            }
            Some(scale) => {
                let names = layout.scale.as_ref().map(ScaleLayout::coefficient_names).unwrap_or_default();
                warnings.extend(scale.aliased_warning(&names));
                let coefficients = scale.coefficients(point);
                let location = self.location_covariance(&coefficients, information.location)?;
                let covariance = self.scale_covariance(scale, state)?;
                (EstimatedScale::Modelled { coefficients, covariance }, location)
            }
        };
        let estimate = Estimate {
            noise,
            coefficients,
            scale,
            noise_parameters: point.scale.len() + usize::from(shape.is_some()),
            shape,
            vertex,
            log_likelihood: state.log_likelihood() + 0.5 * solved.totals.log_weight + solved.totals.log_jacobian,
            errors: state.errors(),
            explained: None,
            covariance,
            kind: VcovKind::CLASSICAL,
            reference: Reference::Normal,
            accuracy,
            termination,
            warnings,
        };
        Ok(estimate.into_fit(layout, solved, self.options.level))
    }

    /// The record where every row is fitted exactly: least squares, and a scale of zero.
    pub(crate) fn exact_fit(&self, noise: Noise) -> Fit {
        let (layout, solved) = (self.source.layout(), &self.start.least_squares);
        let estimate = Estimate::without_residuals(noise, solved);
        estimate.into_fit(layout, solved, self.options.level)
    }

    /// The covariance of the coefficients of `ln s`: the inverse of the expected information, less what an estimated
    /// shape shares with the scale.
    ///
    /// With `U` the columns of the scale that information is `i U'FU - c (U'F1) (U'F1)'`, whose inverse differs from that
    /// of its first term by a multiple of `a a'`, where `a` are the coefficients of a constant on the columns.
    fn scale_covariance<F: Kernel>(&self, scale: &ScaleStart, state: &Likelihood<F>) -> Result<Vec<Vec<f64>>, Error> {
        let (point, n, solved) = (state.point(), state.observations(), &scale.solved);
        let order = solved.coefficients.len();
        let information = point.functions.expected().log_scale;
        let (mut constant, mut more) = (vec![0.0; order], 0.0);
        if F::SHAPED {
            let [own, cross] = point.functions.expected_by_shape();
            let mut explained = n;
            if scale.columns.coordinates.intercept() {
                constant[0] = 1.0;
            } else if let Some(scale) = &self.source.layout().scale {
                let derived = Adapted::new(self.source, Constant, LogResiduals::layout(scale));
                let settings =
                    Settings { digits: self.options.settings.digits.min(6.0), one_pass: true, ..self.options.settings };
                let ones = LeastSquares::solve(&derived, settings)?;
                constant = ones.coefficients.iter().map(|value| value.unwrap_or(0.0)).collect();
                explained = ones.explained_sum_of_squares;
            }
            let shared = cross * cross / (own * n * information);
            more = shared / (1.0 - shared * explained) / information;
        }
        let entry = |i: usize, j: usize| {
            solved.unscaled_covariance[symmetric(i, j)] / information + more * constant[i] * constant[j]
        };
        Ok((0..order).map(|i| (0..order).map(|j| entry(i, j)).collect()).collect())
    }

    /// The location's covariance where the scale is modelled: that of weighted least squares with the fitted precisions.
    fn location_covariance(&self, log_scale: &[Option<f64>], information: f64) -> Result<Covariance, Error> {
        let settings =
            Settings { digits: self.options.settings.digits.min(6.0), one_pass: false, ..self.options.settings };
        let reference = self.gaussian_scale().ln();
        let solved = LeastSquares::solve(&reweighted(self.source, log_scale, reference), settings)?;
        let (order, variance) = (solved.coefficients.len(), (2.0 * reference).exp() / information);
        let entry = |i: usize, j: usize| variance * solved.unscaled_covariance[symmetric(i, j)];
        let matrix = (0..order).map(|i| (0..order).map(|j| entry(i, j)).collect()).collect();
        Ok(Covariance::Matrix(matrix, solved.leverage.times(variance)))
    }

    /// How many digits of the worst coefficient are right: what the search left, and what the rounding of every row's terms
    /// did to the gradient.
    fn accuracy<F: Kernel>(&self, maximum: &Maximum<F>) -> Accuracy {
        let (state, solved) = (&maximum.state, &self.start.least_squares);
        let (point, n) = (state.point(), state.observations());
        let coordinates = &point.coordinates;
        let response = coordinates.columns() - 1;
        let raw = |j: usize| (coordinates.shift(j) * coordinates.scale(j)).abs() + 1.0;
        let slopes = point.location[coordinates.offset()..].iter().enumerate();
        let magnitude = raw(response) + slopes.map(|(j, b)| b.abs() * raw(j)).sum::<f64>();
        let errors = state.errors();
        let typical = (errors.absolute / n * coordinates.response_scale()).max(f64::MIN_POSITIVE);
        // Rows that are alike have the same errors.
        let rounding = 4.0 * f64::EPSILON * (1.0 + magnitude / typical) / n.min(1000.0).sqrt();
        let lost = (maximum.distance + rounding) * n.sqrt();
        let variance = errors.weighted_squares / n;
        let worst = (0..solved.coefficients.len()).filter_map(|j| {
            let standard_error = (variance * solved.unscaled_covariance[packed(j, j)]).sqrt();
            let size = solved.coefficients[j]?.abs().max(standard_error);
            (size > 0.0).then(|| lost * standard_error / size)
        });
        let worst = worst.fold(f64::EPSILON, f64::max);
        Accuracy { digits: -worst.log10(), method: Method::Newton, condition: solved.accuracy.condition }
    }
}

/// Rows with weights by a scale whose logarithm has these coefficients, about that of `exp(reference)`.
pub(super) fn reweighted<'a>(
    source: &'a dyn RowSource,
    log_scale: &[Option<f64>],
    reference: f64,
) -> Adapted<'a, Reweighted> {
    let layout = source.layout();
    let intercept = layout.scale.as_ref().is_some_and(|scale| scale.intercept);
    let derive = Reweighted { log_scale: Affine::new(log_scale, intercept), reference };
    Adapted::new(source, derive, Layout { scale: None, ..layout.clone() })
}

impl ScaleStart {
    /// The coefficients of `ln s` in the units of the data; none for aliased terms.
    fn coefficients<F: Kernel>(&self, point: &Point<F>) -> Vec<Option<f64>> {
        let mut values = self.columns.coordinates.carry_back_all(&point.scale, 0.0).into_iter();
        let aliased = |j: usize| self.solved.aliased.contains(&j);
        (0..self.solved.coefficients.len()).map(|j| if aliased(j) { None } else { values.next() }).collect()
    }

    fn aliased_warning(&self, names: &[String]) -> Option<Warning> {
        let terms: Vec<String> = self.solved.aliased.iter().map(|&j| names[j].clone()).collect();
        (!terms.is_empty()).then_some(Warning::AliasedInScale { terms })
    }
}
