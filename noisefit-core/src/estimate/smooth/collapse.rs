//! Which rows a scale that falls without end leaves to be fitted exactly.

use serde::{Deserialize, Serialize};

use crate::algebra::Affine;
use crate::algebra::products::widen_ranges;
use crate::error::Unbounded;
use crate::rows::{Accumulator, Block, Layout};

/// Rows whose scale, and rows whose residual, is less than this part of the typical one count as fitted exactly.
const EXACT: f64 = 1e-6;

/// One pass: how many rows have next to no residual, and what sets those apart in the scale's design that have next to no scale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Collapse {
    location: Affine,
    /// The predictor of `ln s`; none for a common scale.
    log_scale: Option<Affine>,
    /// The typical scale.
    typical: f64,
    rows: u64,
    observations: f64,
    exact: f64,
    /// The range of each column of the scale over the rows without scale, then over the others.
    ranges: [Vec<[f64; 2]>; 2],
}

impl Collapse {
    pub(super) fn new(location: Affine, log_scale: Option<Affine>, typical: f64) -> Self {
        let columns = log_scale.as_ref().map_or(0, |predictor| predictor.slopes.len());
        let empty = vec![[f64::INFINITY, f64::NEG_INFINITY]; columns];
        let ranges = [empty.clone(), empty];
        Collapse { location, log_scale, typical, rows: 0, observations: 0.0, exact: 0.0, ranges }
    }

    /// Observations that are fitted exactly, and all.
    pub(super) fn counts(&self) -> [f64; 2] {
        [self.exact, self.observations]
    }

    /// Where the scale shrinks to zero.
    pub(super) fn unbounded(&self, layout: &Layout) -> Unbounded {
        let (exact, observations) = (self.exact, self.observations);
        let Some(scale) = layout.scale.as_ref().filter(|_| self.log_scale.is_some()) else {
            return Unbounded::Here { exact, observations };
        };
        // Columns in which the exact rows have a number of their own.
        let apart = |j: usize| {
            let ([low, high], [others_low, others_high]) = (self.ranges[0][j], self.ranges[1][j]);
            let own = low == high && !(others_low..=others_high).contains(&low);
            let edge = low == high && (low == others_low || low == others_high) && others_low < others_high;
            (own, edge, low)
        };
        let describe = |j: usize| format!("{} is {}", scale.terms[j], apart(j).2);
        let own: Vec<String> = (0..self.ranges[0].len()).filter(|&j| apart(j).0).map(describe).collect();
        let edge: Vec<String> = (0..self.ranges[0].len()).filter(|&j| apart(j).1).map(describe).collect();
        let place = match (own.is_empty(), edge.is_empty()) {
            (false, _) => format!("where {}", own.join(" and ")),
            (true, false) => format!("where {}", edge.join(" and ")),
            (true, true) => format!("towards one end of {}", scale.terms.join(", ")),
        };
        Unbounded::Where { place, exact, observations }
    }
}

impl Accumulator for Collapse {
    const KIND: &'static str = "collapse";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = block.rows();
        let residuals = self.location.residuals(block);
        let log_scale = self.log_scale.as_ref().map(|predictor| predictor.evaluate(block.scale_design, rows));
        for i in 0..rows {
            let f = block.frequency(i);
            let exact = residuals[i].abs() * block.root_weight(i) < EXACT * self.typical;
            self.observations += f;
            self.exact += if exact { f } else { 0.0 };
            let Some((first, differences)) = &log_scale else { continue };
            let without = (first.to_f64() + differences[i]).exp() < EXACT * self.typical;
            widen_ranges(block.scale_design, i, &mut self.ranges[usize::from(!without)]);
        }
        self.rows += rows as u64;
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.observations += later.observations;
        self.exact += later.exact;
        for (mine, theirs) in self.ranges.iter_mut().flatten().zip(later.ranges.into_iter().flatten()) {
            *mine = [mine[0].min(theirs[0]), mine[1].max(theirs[1])];
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
