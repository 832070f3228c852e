//! Rows as a restricted model sees them.

use serde::{Deserialize, Serialize};

use crate::algebra::affine::combined;
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::restrictions::Solved;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Adapted, Adaptor, Block, Design, Layout, RowSource, ScaleLayout, Values};

/// A column as a sum of others, the intercept's among them: places, none for the intercept, and what they are multiplied by.
type Sum = Vec<(Option<usize>, f64)>;

/// Columns that are sums of others, and a response that is moved: `y - sum r x_p` on `x_f + sum w x_p`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Restricted {
    shift: Sum,
    columns: Vec<Sum>,
    /// The columns of a modelled scale.
    scale: Vec<Sum>,
}

/// The columns that stay free of some coefficients.
struct Side {
    columns: Vec<Sum>,
    terms: Vec<String>,
    intercept: bool,
    shift: Sum,
}

/// The columns of the coefficients `first..`, of which the first is the intercept's where there is one, with those left out that are
/// solved for and that were not estimated, which might take their place.
fn side(estimates: &Estimates<'_>, solved: &[Solved], first: usize, terms: &[String], intercept: bool) -> Side {
    let column = |place: usize| (place - first).checked_sub(usize::from(intercept));
    let within = |place: &usize| (first..first + terms.len() + usize::from(intercept)).contains(place);
    let solved: Vec<&Solved> = solved.iter().filter(|solved| within(&solved.place)).collect();
    let mut side = Side { columns: Vec::new(), terms: Vec::new(), intercept: false, shift: Vec::new() };
    for place in first..first + terms.len() + usize::from(intercept) {
        let is_solved = solved.iter().any(|solved| solved.place == place);
        if is_solved || !estimates.is_estimated(place) {
            continue;
        }
        let others = solved.iter().filter(|solved| solved.weights[place] != 0.0);
        let mut sum: Sum = vec![(column(place), 1.0)];
        sum.extend(others.map(|solved| (column(solved.place), solved.weights[place])));
        match column(place) {
            // It is solved for wherever it is restricted, so that nothing is added to it.
            None => side.intercept = true,
            Some(j) => {
                side.columns.push(sum);
                side.terms.push(terms[j].clone());
            }
        }
    }
    side.shift = solved.iter().filter(|one| one.constant != 0.0).map(|one| (column(one.place), one.constant)).collect();
    side
}

/// The rows of the fit where its coefficients are restricted; none where the scale would need an offset.
pub(super) fn restricted<'a>(
    source: &'a dyn RowSource,
    estimates: &Estimates<'_>,
    solved: &[Solved],
) -> Option<Adapted<'a, Restricted>> {
    let layout = source.layout();
    let location = side(estimates, solved, 0, &layout.terms, layout.intercept);
    let of_scale = layout
        .scale
        .as_ref()
        .map(|scale| side(estimates, solved, estimates.of_location(), &scale.terms, scale.intercept));
    if of_scale.as_ref().is_some_and(|side| !side.shift.is_empty()) {
        return None;
    }
    let (scale, scale_layout) = match of_scale {
        None => (Vec::new(), None),
        Some(side) => (side.columns, Some(ScaleLayout { terms: side.terms, intercept: side.intercept })),
    };
    let shown = Layout { terms: location.terms, intercept: location.intercept, scale: scale_layout, ..layout.clone() };
    Some(Adapted::new(source, Restricted { shift: location.shift, columns: location.columns, scale }, shown))
}

/// High and low words of columns.
struct Made(Vec<(Vec<f64>, Vec<f64>)>);

impl Made {
    fn new(design: Design<'_>, rows: usize, sums: &[Sum]) -> Self {
        let words = |sum: &Sum| combined(design, rows, sum).into_iter().map(|x| (x.high, x.low)).unzip();
        Made(sums.iter().map(words).collect())
    }

    fn values(&self) -> Vec<Values<'_>> {
        self.0.iter().map(|(high, low)| Values { high, low: Some(low) }).collect()
    }
}

impl Adaptor for Restricted {
    const KIND: &'static str = "restricted";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let rows = block.rows();
        let shift = combined(block.design, rows, &self.shift);
        let moved = |i: usize| DoubleDouble::from_sum(block.response.high[i], block.response.low(i)) - shift[i];
        let (high, low): (Vec<f64>, Vec<f64>) = (0..rows).map(moved).map(|y| (y.high, y.low)).unzip();
        let (design, scale) =
            (Made::new(block.design, rows, &self.columns), Made::new(block.scale_design, rows, &self.scale));
        let (design, scale) = (design.values(), scale.values());
        next(&Block {
            response: Values { high: &high, low: Some(&low) },
            design: (&design).into(),
            scale_design: (&scale).into(),
            ..*block
        });
    }
}
