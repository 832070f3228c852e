//! How one quantile's fit is closed in on, from pass to pass.

use crate::algebra::Coordinates;
use crate::estimate::vertex::bands::{Band, DEPENDS, Place};
use crate::estimate::vertex::exact::NoVertex;
use crate::estimate::vertex::reduce::{band_share, quantile_of_sizes};
use crate::estimate::vertex::rows::Rows;
use crate::estimate::vertex::solve::{MemoryProblem, Solution};

/// The rows kept beside a fit that is thought to be final.
pub(super) const FINAL_ROWS: usize = 2_000;

/// How much further a band reaches in a direction in which it left the optimum open.
const FURTHER: f64 = 16.0;

/// How many rows there are, and how many near a fit may be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) rows: f64,
    pub(super) limit: usize,
}

impl Scale {
    /// The share of the rows within a band that can be kept, where the band holds the share `inside` of all.
    fn share(self, inside: f64) -> f64 {
        (self.limit as f64 / (inside * self.rows)).min(1.0)
    }

    /// The share of all rows that [`FINAL_ROWS`] are.
    fn least(self) -> f64 {
        (FINAL_ROWS as f64 / self.rows).min(1.0)
    }
}

/// What the next pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// To find the place more closely, in doubles.
    Approach,
    /// To solve exactly, and show that the vertex is optimal for all rows.
    Exact,
}

/// The search for one quantile's fit.
#[derive(Debug, Clone)]
pub(super) struct Search {
    place: Place,
    /// The share of all rows that the band is expected to hold.
    inside: f64,
    stage: Stage,
    scale: Scale,
    /// The place with the least objective so far, that objective, and whether all rows of its band were kept.
    best: Option<(Place, f64, bool)>,
    settled: Option<Solution>,
    steps: u64,
}

impl Search {
    /// At the fit of a sample: the band that holds the rows whose sign it leaves open.
    pub(super) fn from_sample(sample: &Rows, tau: f64, coefficients: Vec<f64>, scale: Scale) -> Self {
        let inside = band_share(tau, sample.order, sample.len()).min(1.0);
        let width = width(sample, &coefficients, inside * sample.len() as f64);
        let place = Place { tau, coefficients, width, share: scale.share(inside), directions: Vec::new() };
        Search { place, inside, stage: Stage::Approach, scale, best: None, settled: None, steps: 0 }
    }

    /// Where the next pass has to look.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the place is the fit but for rounding, as far as all rows near the sample's fit tell.
    pub(super) fn is_near(&self) -> bool {
        self.stage == Stage::Exact
    }

    /// The vertex, once it has been shown to be optimal for all rows.
    pub(super) fn settled(&self) -> Option<&Solution> {
        self.settled.as_ref()
    }

    /// From what a pass found at the place to the next place, or to the end.
    pub(super) fn advanced(&self, band: &Band, coordinates: &Coordinates, mean: &[f64]) -> Result<Self, NoVertex> {
        let mut next = self.clone();
        next.advance(band, coordinates, mean)?;
        Ok(next)
    }

    fn advance(&mut self, band: &Band, coordinates: &Coordinates, mean: &[f64]) -> Result<(), NoVertex> {
        let (objective, complete) = (band.objective.to_f64(), band.lost == 0);
        self.settled = None;
        if let Some((best, _, complete)) = self.best.take_if(|(_, least, _)| objective > *least * (1.0 + 1e-12)) {
            self.go_back(best, complete);
            return Ok(());
        }
        self.best = Some((self.place.clone(), objective, complete));
        let approach = self.stage == Stage::Approach || !complete;
        let near = band.rows(coordinates, !approach);
        // Sums of blocks, each with a rounding error of its own.
        let linear_error = 4.0 * f64::EPSILON * (self.scale.rows / 1024.0).sqrt();
        let problem = MemoryProblem { rows: &near, tau: self.place.tau, linear: &band.linear, linear_error, mean };
        if approach {
            let coefficients = problem.approximate(&self.place.coefficients);
            let sampled = self.inside * band_share(self.place.tau, near.order, near.len()).min(0.5);
            let inside = if complete { self.scale.least().min(self.inside) } else { sampled };
            let count = inside / self.inside * near.len() as f64;
            self.place.width = width(&near, &coefficients, count);
            self.place.coefficients = coefficients;
            self.place.share = self.scale.share(inside);
            self.inside = inside;
            self.stage = if complete { Stage::Exact } else { Stage::Approach };
            return Ok(());
        }
        let mut solution = match problem.solve(&self.place.coefficients) {
            Err(NoVertex::MoreRows(open)) => {
                self.reach_further(&near, open);
                return Ok(());
            }
            solution => solution?,
        };
        self.steps += solution.steps;
        solution.steps = self.steps;
        let coefficients: Vec<f64> = solution.vertex.coefficients.iter().map(|b| b.to_f64()).collect();
        let size = 1.0 + coefficients.iter().map(|b| b.abs()).sum::<f64>();
        let moved = coefficients.iter().zip(&self.place.coefficients).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Where the fit moved, the sums over all rows are those of another place.
        self.settled = (moved <= 1e-14 * size).then_some(solution);
        self.place.coefficients = coefficients;
        Ok(())
    }

    /// The fit moved further than its band reached, or the sample of its band told wrongly: back to where it was better.
    fn go_back(&mut self, best: Place, complete: bool) {
        let directions = std::mem::take(&mut self.place.directions);
        self.place = Place { directions, ..best };
        let factor = if complete { 4.0 } else { 0.25 };
        self.inside = (self.inside * factor).min(1.0);
        self.place.width *= factor;
        self.stage = if complete { Stage::Exact } else { Stage::Approach };
        self.place.share = self.scale.share(self.inside);
    }

    /// Makes sure that the next band has rows in directions that this one left open: all that depend on them where those
    /// are few, else those that the fit meets when it goes some way along them.
    fn reach_further(&mut self, near: &Rows, open: Vec<Vec<f64>>) {
        self.best = None;
        for direction in open {
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            let direction: Vec<f64> = direction.iter().map(|d| d / length).collect();
            let mut products = Vec::new();
            near.products(&direction, &mut products);
            let dependent = products.iter().filter(|product| product.abs() > DEPENDS).count();
            let along = |other: &[f64]| direction.iter().zip(other).map(|(a, b)| a * b).sum::<f64>().abs();
            if dependent * 20 < near.len() {
                self.place.directions.push((direction, f64::INFINITY));
            } else if let Some((_, reach)) = self.place.directions.iter_mut().find(|(other, _)| along(other) > 0.99) {
                *reach *= FURTHER;
            } else {
                let reach = FURTHER * self.place.width * (near.order as f64).sqrt();
                self.place.directions.push((direction, reach));
            }
        }
    }
}

/// The width of the band about `coefficients` with `count` of the rows in it.
fn width(rows: &Rows, coefficients: &[f64], count: f64) -> f64 {
    let mut residuals = Vec::new();
    rows.residuals(coefficients, &mut residuals);
    residuals.iter_mut().zip(rows.lengths()).for_each(|(r, length)| *r /= length);
    quantile_of_sizes(&residuals, count.ceil() as usize)
}
