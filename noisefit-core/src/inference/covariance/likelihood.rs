//! Covariances of all parameters of a likelihood together: location, scale, and shape where it was estimated.

use crate::Error;
use crate::algebra::Coordinates;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::estimate::smooth::{Curvature, Likelihood, Point, ScaleColumns, scale_columns};
use crate::inference::covariance::contract::Request;
use crate::inference::covariance::form::Form;
use crate::inference::covariance::huber;
use crate::inference::covariance::likelihood_scores::LikelihoodScores;
use crate::inference::covariance::meat::Meat;
use crate::inference::covariance::parts::{Estimated, factored, inverse, sandwich};
use crate::inference::covariance::products::Found;
use crate::inference::covariance::whitened::whitened;
use crate::noise::{Huber, Kernel, RouteVisitor, Shaped};
use crate::numeric::distribution::{Normal, Symmetric};
use crate::numeric::double_double::DoubleDouble;
use crate::record::{Coefficients, Reference, ShapeParameter};
use crate::rows::{RowSource, RowSourceExt};

/// The covariance of a form, under whatever noise the fit has.
pub(super) fn estimate(request: Request<'_>, form: Form) -> Result<(), Error> {
    request.fit.noise.visit_route(Of { request, form })
}

struct Of<'a> {
    request: Request<'a>,
    form: Form,
}

impl RouteVisitor for Of<'_> {
    type Output = Result<(), Error>;

    fn closed_form<K: Kernel>(self, kernel: K) -> Self::Output {
        of_kernel(self.request, kernel, self.form).map(drop)
    }

    fn vertex<K: Kernel>(self, kernel: K, _: f64) -> Self::Output {
        of_kernel(self.request, kernel, self.form).map(drop)
    }

    fn active_set<K: Kernel>(self, _: K, family: Huber) -> Self::Output {
        huber::estimate(self.request, family.kernel(), self.form)
    }

    fn smooth<K: Kernel>(self, kernel: K) -> Self::Output {
        of_kernel(self.request, kernel, self.form).map(drop)
    }

    /// A shape that was estimated at an end of its range is taken as given, for there the log-likelihood has a slope; but what
    /// is expected of it is known there, too.
    fn shaped<K: Shaped>(self, kernel: K) -> Self::Output {
        let (theta, form) = (kernel.parameter(), self.form);
        let Request { source, fit, options, written, levels } = self.request;
        let at_bound = fit.shape.as_ref().is_some_and(ShapeParameter::is_at_bound);
        let inside = *K::SHAPES.start() < theta && theta < *K::SHAPES.end() && !at_bound;
        let request = Request { source, fit: &mut *fit, options, written, levels };
        let variance = match inside || form == Form::Expected {
            true => of_kernel(request, kernel, form)?,
            false => of_kernel(request, kernel.held(), form)?,
        };
        if let (true, Some(shape)) = (source.layout().sampling, &mut fit.shape) {
            // The ratio of pseudo-likelihoods, whose interval the estimate came with, has another distribution.
            let margin = variance.map(|variance| Normal.critical(fit.level) * variance.sqrt());
            let end = |direction: f64| {
                let end = theta + direction * margin?;
                let bound = shape.bound.unwrap_or(0.0);
                (end > *K::SHAPES.start() && end <= *K::SHAPES.end())
                    .then(|| K::reported(end))
                    .filter(|end| *end >= bound)
            };
            let (first, second) = (end(-1.0), end(1.0));
            let falls = K::reported(*K::SHAPES.start()) > K::reported(*K::SHAPES.end());
            (shape.conf_low, shape.conf_high) = if falls { (second, first) } else { (first, second) };
        }
        Ok(())
    }
}

/// Gives the fit its covariance; where the shape is a parameter, its variance.
fn of_kernel<F: Kernel>(request: Request<'_>, functions: F, form: Form) -> Result<Option<f64>, Error> {
    let Request { source, fit, written, levels, .. } = request;
    let modelled = fit.scale.is_modelled();
    let common = fit.scale.common().filter(|scale| *scale > 0.0);
    let (Some(leverage), true) = (fit.leverage().cloned(), modelled || common.is_some()) else { return Ok(None) };
    let whitened = whitened(source, fit, &leverage);
    let order = whitened.adaptor().count();
    // Beside them stand what the constants of levels follow scale and shape by, as columns.
    let moving =
        if levels.as_ref().is_some_and(|levels| levels.moves.is_some()) { 1 + usize::from(F::SHAPED) } else { 0 };
    let beside = levels.and_then(|levels| levels.moves.as_ref()).map(|moves| moves.behind(&whitened, moving));
    let rows: &dyn RowSource = match &beside {
        Some(beside) => beside,
        None => &whitened,
    };
    let (scale_columns, scale) = match common {
        Some(scale) => (None, vec![scale.ln()]),
        None => {
            let estimates = fit.scale.modelled().map(Coefficients::estimates).unwrap_or_default();
            let columns = scale_columns(source, &estimates)?;
            let estimates: Vec<f64> = estimates.into_iter().flatten().collect();
            let scale = columns.coordinates.carry_in(&estimates);
            (Some(columns), scale)
        }
    };
    // The response of whitened rows is the residual, so that they have coefficients of zero.
    let point = Point {
        coordinates: Coordinates::of_design(&vec![0.0; order + moving], &vec![1.0; order + moving], false),
        scale_columns: scale_columns.clone(),
        location: vec![0.0; order + moving],
        scale,
        functions,
        curvature: if form == Form::Expected { Curvature::Expected } else { Curvature::Observed },
    };
    let parameters = point.parameters() - moving;
    let (information, meat) = match form {
        Form::Expected | Form::Observed => (rows.pass(Likelihood::new(point))?.information(), None),
        Form::Sandwich(dependence) => {
            let meat = Meat::new(LikelihoodScores::new(point.clone()), dependence);
            let (state, meat) = rows.pass((Likelihood::new(point), meat))?;
            (state.information(), Some(meat.finish()?))
        }
    };
    let bread = factored(&along(&information, order, moving), parameters)?;
    let (matrix, clusters) = match meat {
        None => (inverse(&bread, parameters), None),
        Some(meat) => {
            let meat = Found { matrix: along(&meat.matrix, order, moving), ..meat };
            let (matrix, warning) = sandwich(&bread, &meat, parameters);
            fit.warnings.extend(warning);
            (matrix, meat.clusters)
        }
    };
    let scale = scale_columns.map(|columns| carried_back(&matrix, order, &columns, fit.scale.coefficients().len()));
    let of_shape = F::SHAPED.then(|| matrix[packed(parameters - 1, parameters - 1)]);
    let matrix = matrix[..packed_length(order)].to_vec();
    Estimated { leverage: &leverage, matrix, scale, clusters, reference: Reference::Normal }.store(fit, &written);
    Ok(of_shape)
}

/// A matrix over coefficients (`order`), as many columns of levels as `moving` and as many last parameters, packed, along which the
/// columns' coefficients fall as the parameters rise: that over coefficients and parameters.
fn along(matrix: &[f64], order: usize, moving: usize) -> Vec<f64> {
    if moving == 0 {
        return matrix.to_vec();
    }
    // A parameter with what moves with it.
    let of = |i: usize| [(i + if i < order { 0 } else { moving }, 1.0), (i, if i < order { 0.0 } else { -1.0 })];
    let count = order + moving;
    let mut all = vec![0.0; packed_length(count)];
    for i in 0..count {
        for j in 0..=i {
            let products = of(i).into_iter().flat_map(|(i, a)| of(j).map(|(j, b)| a * b * matrix[symmetric(i, j)]));
            all[packed(i, j)] = products.sum();
        }
    }
    all
}

/// The covariance of `coefficients` coefficients of the scale, in the units of the data (zero for aliased ones), from that of
/// all parameters, of which they follow the first `order`.
fn carried_back(matrix: &[f64], order: usize, scale: &ScaleColumns, coefficients: usize) -> Vec<Vec<f64>> {
    let ScaleColumns { coordinates, columns } = scale;
    let count = coordinates.coefficients();
    let rows = (0..count).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let own: Vec<DoubleDouble> = rows.map(|(i, j)| matrix[packed(order + i, order + j)].into()).collect();
    let offset = coordinates.offset();
    let place = |k: usize| k.checked_sub(offset).map_or(0, |j| columns[j] + offset);
    let mut carried = vec![vec![0.0; coefficients]; coefficients];
    for i in 0..count {
        for j in 0..count {
            carried[place(i)][place(j)] = coordinates.carry_back_covariance(&own, i, j);
        }
    }
    carried
}
