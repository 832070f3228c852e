//! The pass against the families' own likelihood and finite differences.

use super::*;
use crate::algebra::gram::packed;
use crate::algebra::{Coordinates, LeastSquares, Settings};
use crate::estimate::smooth::point::{Curvature, ScaleColumns};
use crate::noise;
use crate::noise::{Gaussian, Kernel, Logistic, Noise, NoiseFamily, Observations, Scale, StudentTKernel};
use crate::record::Reason;
use crate::rows::{Matrix, MemoryRows, RowSourceExt};

struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    z: Vec<f64>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
}

const ROWS: usize = 300;

/// Residuals from small to some ten scales.
fn data() -> Data {
    let at = |i: usize, frequency: f64| (i as f64 * frequency).sin();
    let cube = |x: f64| x * x * x;
    Data {
        y: (0..ROWS).map(|i| 5.0 + 2.0 * at(i, 0.7) + 1.5 * cube(at(i, 2.3)) + cube(cube(1.3 * at(i, 1.9)))).collect(),
        x: (0..ROWS).flat_map(|i| [at(i, 0.7) + 3.0, 100.0 * at(i, 1.1)]).collect(),
        z: (0..ROWS).flat_map(|i| [at(i, 0.31), 1e-3 * at(i, 0.53) + 7.0]).collect(),
        weights: (0..ROWS).map(|i| 1.0 + 0.5 * at(i, 3.1)).collect(),
        frequencies: (0..ROWS).map(|i| (1 + i % 3) as f64).collect(),
    }
}

impl Data {
    fn rows(&self) -> MemoryRows<'_> {
        let design = |values| Matrix::row_major(values, ROWS, 2).unwrap();
        let rows = MemoryRows::new(&self.y, design(&self.x)).unwrap();
        let rows = rows.with_scale_design(design(&self.z), &["z1", "z2"]).unwrap();
        rows.with_weights(&self.weights).unwrap().with_frequencies(&self.frequencies).unwrap()
    }

    /// The log-likelihood by the family's own functions, one row at a time.
    fn log_likelihood<F: Kernel>(&self, noise: Noise, point: &Point<F>) -> f64 {
        let c = &point.coordinates;
        let column = |c: &Coordinates, j: usize, x: f64| (x - c.shift(j)) * c.scale(j);
        let location = |i: usize| {
            let sum = point.location[0]
                + point.location[1] * column(c, 0, self.x[2 * i])
                + point.location[2] * column(c, 1, self.x[2 * i + 1]);
            sum / c.response_scale() + c.shift(2)
        };
        let scale = |i: usize| match &point.scale_columns {
            None => point.scale[0].exp(),
            Some(ScaleColumns { coordinates: c, .. }) => (point.scale[0]
                + point.scale[1] * column(c, 0, self.z[2 * i])
                + point.scale[2] * column(c, 1, self.z[2 * i + 1]))
            .exp(),
        };
        let locations: Vec<f64> = (0..ROWS).map(location).collect();
        let scales: Vec<f64> = (0..ROWS).map(scale).collect();
        let rows = Observations::new(&self.y, &locations, Scale::PerRow(&scales)).unwrap();
        let rows = rows.with_weights(&self.weights).unwrap().with_frequencies(&self.frequencies).unwrap();
        noise.family().log_likelihood(&rows)
    }
}

/// The pass against the family's likelihood, its derivatives against finite differences of the pass.
fn check<F: Kernel>(noise: Noise, family: impl Fn(f64) -> F, theta: f64, modelled: bool) {
    let data = data();
    let rows = data.rows();
    let solved = LeastSquares::solve(&rows, Settings::default()).unwrap();
    let coordinates = Coordinates::of_columns(&solved, &[0, 1], true);
    let scale_columns = modelled.then(|| {
        let design = Matrix::row_major(&data.z, ROWS, 2).unwrap();
        let solved = LeastSquares::solve(&MemoryRows::new(&data.y, design).unwrap(), Settings::default()).unwrap();
        let coordinates = Coordinates::of_columns(&solved, &[0, 1], true);
        ScaleColumns { coordinates, columns: vec![0, 1] }
    });
    let start = [vec![0.2, 1.1, -0.3], if modelled { vec![-0.1, 0.3, -0.2] } else { vec![-0.1] }, vec![theta]];
    let start = start.concat();
    let evaluate = |parameters: &[f64], curvature: Curvature| {
        let (location, scale) = parameters[..parameters.len() - 1].split_at(3);
        rows.pass(Likelihood::new(Point {
            coordinates: coordinates.clone(),
            scale_columns: scale_columns.clone(),
            location: location.to_vec(),
            scale: scale.to_vec(),
            functions: family(parameters[parameters.len() - 1]),
            curvature,
        }))
        .unwrap()
    };
    let found = evaluate(&start, Curvature::Observed);
    let log_weight: f64 = data.weights.iter().zip(&data.frequencies).map(|(w, f)| f * w.ln()).sum();
    let expected = data.log_likelihood(noise, found.point());
    let complete = found.log_likelihood() + 0.5 * log_weight;
    assert!((complete / expected - 1.0).abs() < 1e-13, "{noise:?}: {complete} {expected}");

    let (gradient, information) = (found.gradient(), found.information());
    assert_eq!(evaluate(&start, Curvature::None).gradient(), gradient);
    // Central differences of the fourth order.
    let h = 3e-4 * if F::SHAPED { theta.min(0.1) } else { 1.0 };
    let difference = |i: usize, value: &dyn Fn(&[f64]) -> f64| {
        let moved = |by: f64| {
            let mut parameters = start.clone();
            parameters[i] += by * h;
            value(&parameters)
        };
        (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * h)
    };
    for i in 0..gradient.len() {
        let size = information[packed(i, i)].abs().sqrt() * found.observations().sqrt();
        let slope = difference(i, &|at| evaluate(at, Curvature::None).log_likelihood());
        assert!((gradient[i] - slope).abs() < 1e-8 * size, "{noise:?} {i}: {} {slope}", gradient[i]);
        for j in 0..=i {
            let size = (information[packed(i, i)] * information[packed(j, j)]).abs().sqrt();
            let slope = -difference(i, &|at| evaluate(at, Curvature::None).gradient()[j]);
            let found = information[packed(i, j)];
            assert!((found - slope).abs() < 1e-7 * size, "{noise:?} {i} {j}: {found} {slope}");
        }
    }
}

#[test]
fn the_log_likelihood_is_the_familys_and_its_derivatives_are_those_of_finite_differences() {
    for modelled in [false, true] {
        check(Noise::Gaussian, |_| Gaussian, 0.0, modelled);
        check(Noise::Logistic, |_| Logistic, 0.0, modelled);
        for theta in [1e-3, 0.06, 0.25, 1.9] {
            let noise = Noise::StudentT(noise::StudentT::new(1.0 / theta));
            check(noise, StudentTKernel::<false>::new, theta, modelled);
            check(noise, StudentTKernel::<true>::new, theta, modelled);
        }
    }
}

#[test]
fn the_information_on_the_shape_is_the_mean_of_squared_scores() {
    for theta in [1e-3, 0.05, 0.25, 1.0, 2.0] {
        let (functions, df) = (StudentTKernel::<true>::new(theta), 1.0 / theta);
        let family = noise::StudentT::estimated(df);
        let slope = functions.constant_by_shape()[0];
        let by_shape = |r: f64| -(functions.at(r).by_shape + slope);
        // The quadrature looks at residuals whose squares overflow, too.
        let by_scale = |r: f64| r.clamp(-1e90, 1e90) * functions.at(r.clamp(-1e90, 1e90)).score - 1.0;
        let [own, cross] = functions.expected_by_shape();
        for (found, expected) in [
            (own, family.expectation(&|r| by_shape(r).powi(2))),
            (cross, family.expectation(&|r| by_shape(r) * by_scale(r))),
            (functions.expected().log_scale, family.expectation(&|r| by_scale(r).powi(2))),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-9, "{theta}: {found} {expected}");
        }
    }
}

#[test]
fn a_search_whose_steps_are_used_up_says_so() {
    let (data, options) = (data(), Options::default());
    let rows = data.rows();
    let problem = Problem::new(&rows, &options).unwrap();
    let found = |iterations: u64| {
        let search = Search { iterations, ..Search::FULL };
        let maximum = maximise(&rows, problem.first(Logistic, &Logistic), search).unwrap().maximum().unwrap();
        problem.fit(&maximum, Noise::Logistic, None, Vec::new()).unwrap().termination
    };
    assert_eq!((found(1).converged, found(1).reason), (false, Reason::IterationLimit));
    assert_eq!((found(100).converged, found(100).reason), (true, Reason::Gradient));
}
