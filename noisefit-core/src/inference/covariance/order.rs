//! Order statistics of the residuals of a fit.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::estimate::{Options, vertex};
use crate::rows::{Accumulator, Adapted, Adaptor, Block, Design, Kinds, Layout, RowSource, RowSourceExt, Values};

/// The residuals of another source's rows times the roots of their weights, as responses without a design.
pub(super) struct Standardised<'a> {
    source: &'a dyn RowSource,
    location: Affine,
}

impl<'a> Standardised<'a> {
    pub(super) fn new(source: &'a dyn RowSource, location: Affine) -> Self {
        Standardised { source, location }
    }

    /// The residuals as rows.
    pub(super) fn source(&self) -> Adapted<'a, Residual> {
        let sampling = self.source.layout().sampling;
        let layout = Layout { response: "residual".to_owned(), intercept: true, sampling, ..Layout::default() };
        Adapted::new(self.source, Residual(self.location.clone()), layout)
    }
}

/// Makes a row's residual of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Residual(Affine);

impl Adaptor for Residual {
    const KIND: &'static str = "weighted residual rows";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let mut residuals = self.0.residuals(block);
        if let Some(weights) = block.weights {
            residuals.iter_mut().zip(weights).for_each(|(e, w)| *e *= w.sqrt());
        }
        next(&Block {
            response: Values::from(&residuals[..]),
            design: Design::default(),
            scale_design: Design::default(),
            weights: None,
            frequencies: block.frequencies,
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        });
    }
}

/// The quartiles of the responses, between two order statistics where they fall there (definition 7 of Hyndman and Fan
/// 1996, *The American Statistician* 50, 361-365).
pub(super) fn quartiles(source: &dyn RowSource, options: &Options) -> Result<[f64; 2], Error> {
    let count = vertex::fit_quantiles(source, &[0.5], options)?.first().map_or(1.0, |fit| fit.nobs as f64);
    let mut found = [0.0; 2];
    for (found, share) in found.iter_mut().zip([0.25, 0.75]) {
        let place = (count - 1.0) * share;
        // Between these levels and their neighbours nothing but one order statistic is the quantile.
        let level = |rank: f64| ((rank + 0.5) / count).min(1.0 - 0.5 / count);
        let levels = [level(place.floor()), level(place.floor() + 1.0)];
        let fits = vertex::fit_quantiles(source, &levels, options)?;
        let values: Vec<f64> = fits.iter().filter_map(|fit| fit.location.rows.first()?.estimate).collect();
        if let [below, above] = values[..] {
            *found = below + place.fract() * (above - below);
        }
    }
    Ok(found)
}

/// The `count` observations nearest to zero that follow the `zeros` rows nearest to it, in the order of their size, each
/// with its rank among all; fewer where there are no more.
pub(super) fn nearest(source: &dyn RowSource, zeros: usize, count: usize) -> Result<Vec<(f64, f64)>, Error> {
    let mut kept = source.pass(Nearest::new(zeros + count))?.finish().into_iter();
    let mut rank: f64 = kept.by_ref().take(zeros).map(|(_, frequency)| frequency).sum();
    let mut found = Vec::with_capacity(count);
    for (value, frequency) in kept {
        let mut left = frequency;
        while left > 0.0 && found.len() < count {
            rank += left.min(1.0);
            left -= 1.0;
            found.push((rank, value));
        }
    }
    Ok(found)
}

/// The responses nearest to zero, with their frequencies.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Nearest {
    limit: usize,
    kept: Vec<(f64, f64)>,
    rows: u64,
}

impl Nearest {
    fn new(limit: usize) -> Self {
        Nearest { limit: limit.max(1), kept: Vec::new(), rows: 0 }
    }

    /// In the order of their size; the order of what is equally large does not depend on how rows were divided.
    fn order(a: &(f64, f64), b: &(f64, f64)) -> std::cmp::Ordering {
        a.0.abs().total_cmp(&b.0.abs()).then(a.0.total_cmp(&b.0)).then(a.1.total_cmp(&b.1))
    }

    fn thin(&mut self, most: usize) {
        if self.kept.len() > most {
            self.kept.select_nth_unstable_by(self.limit - 1, Self::order);
            self.kept.truncate(self.limit);
        }
    }

    fn finish(mut self) -> Vec<(f64, f64)> {
        self.kept.sort_by(Self::order);
        self.kept.truncate(self.limit);
        self.kept
    }
}

impl Accumulator for Nearest {
    const KIND: &'static str = "nearest";

    fn fold(&mut self, block: &Block<'_>) {
        for (i, &value) in block.response.high.iter().enumerate() {
            self.kept.push((value, block.frequency(i)));
        }
        self.thin(2 * self.limit);
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.kept.extend(later.kept);
        self.thin(2 * self.limit);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Nearest>().with_adaptor::<Residual>()
}
