//! The simplex method for quantile regression, in doubles: from edge to edge of the piecewise linear objective, over as
//! many kinks at a time as go downhill (Barrodale and Roberts 1973, *SIAM Journal on Numerical Analysis* 10, 839-848).

use faer::Mat;
use faer::linalg::solvers::DenseSolveCore;

use crate::estimate::vertex::rows::Rows;
use crate::rows::scattered_share;

/// A quantile's loss over rows, less a linear term: `sum(v rho(y - x'b)) - g'b`.
///
/// The linear term stands for rows whose residuals keep their sign: a row above the fit contributes `v tau x` to `g`, one
/// below `v (tau - 1) x`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    pub(super) tau: f64,
    pub(super) linear: &'a [f64],
}

/// Where the simplex method stopped.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// Rows that the fit passes through; none in place of a direction that no row determines.
    pub(super) rows: Vec<Option<usize>>,
    pub(super) coefficients: Vec<f64>,
    /// Whether a row that is not in the basis lies above the fit.
    pub(super) above: Vec<bool>,
    /// The place and the edge along which the objective falls for ever, where there is one.
    pub(super) ray: Option<(usize, Vec<f64>)>,
    /// Directions that no row determines: the edges of coordinates that are still held.
    pub(super) open: Vec<Vec<f64>>,
    /// Edges walked.
    pub(super) steps: u64,
}

/// Edges after which the inverse is computed afresh.
const REFRESH: u64 = 60;

/// Slopes this small, relative to what they are sums of, count as zero.
const FLAT: f64 = 1e-13;

struct Simplex<'a> {
    problem: Problem<'a>,
    /// The responses, moved a little at random so that no two kinks coincide.
    response: Vec<f64>,
    /// What stands at each place of the basis: a row, or a coordinate that is held.
    basis: Vec<Place>,
    /// Columns of the inverse of the basis' rows: `inverse[k]` is the edge along which only place `k` changes, by one.
    inverse: Vec<Vec<f64>>,
    coefficients: Vec<f64>,
    residuals: Vec<f64>,
    above: Vec<bool>,
    in_basis: Vec<bool>,
    /// Places whose edge was found to have no end.
    passed_over: Vec<bool>,
    /// The gradient of all that is not in the basis.
    gradient: Vec<f64>,
    /// The size of what the gradient is a sum of.
    gradient_size: f64,
    /// Buffers of a step: by how much each row's fitted value changes, and where each row is met.
    products: Vec<f64>,
    kinks: Vec<(f64, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Row(usize),
    /// A coordinate held at its start until a row takes its place.
    Held(usize),
}

/// An edge that goes down, or is flat.
#[derive(Clone, Copy)]
struct Edge {
    place: usize,
    /// The sign by which the place's product `x'd` changes.
    sign: f64,
    slope: f64,
}

/// What to do about an edge along which the objective falls for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unbounded {
    /// Stop there, with a row at every place of the basis as far as the rows allow.
    Stop,
    /// Leave the edge be: rows that are not in the problem will bound it.
    PassOver,
}

/// Minimises from `start`, walking at most `limit` edges.
pub(super) fn minimise(problem: Problem<'_>, start: &[f64], unbounded: Unbounded, limit: u64) -> Basis {
    let mut simplex = Simplex::new(problem, start);
    if unbounded == Unbounded::Stop {
        simplex.take_rows();
    }
    let (mut steps, mut ray) = (0, None);
    while steps < limit {
        if steps % REFRESH == REFRESH - 1 {
            simplex.refresh();
        }
        let Some(edge) = simplex.steepest() else { break };
        steps += 1;
        let walked = simplex.walk(&edge).or_else(|direction| match edge.slope < 0.0 {
            true => Err(direction),
            // Flat in this direction: perhaps there are rows in the other.
            false => simplex.walk(&Edge { sign: -edge.sign, ..edge }),
        });
        if let Err(direction) = walked {
            simplex.passed_over[edge.place] = true;
            if edge.slope < 0.0 {
                ray = Some((edge.place, direction));
                if unbounded == Unbounded::Stop {
                    break;
                }
            }
        }
    }
    let rows = simplex.basis.iter().map(|place| match place {
        Place::Row(i) => Some(*i),
        Place::Held(_) => None,
    });
    let held = simplex.basis.iter().zip(&simplex.inverse).filter(|(place, _)| matches!(place, Place::Held(_)));
    let open = held.map(|(_, edge)| edge.clone()).chain(ray.iter().map(|(_, edge)| edge.clone())).collect();
    Basis { rows: rows.collect(), coefficients: simplex.coefficients, above: simplex.above, ray, open, steps }
}

impl<'a> Simplex<'a> {
    fn new(problem: Problem<'a>, start: &[f64]) -> Self {
        let rows = problem.rows;
        let (count, order) = (rows.len(), rows.order);
        let mut residuals = Vec::new();
        rows.residuals(start, &mut residuals);
        let size = residuals.iter().map(|r| r.abs()).sum::<f64>() / count.max(1) as f64;
        let shift = 1e-10 * if size > 0.0 { size } else { 1.0 };
        let mut response = rows.response.clone();
        for i in 0..count {
            let moved = shift * 0.5 * (1.0 + scattered_share(0, i as u64));
            response[i] += moved;
            residuals[i] += moved;
        }
        let unit = |k: usize| (0..order).map(|j| f64::from(u8::from(j == k))).collect();
        let mut simplex = Simplex {
            problem,
            response,
            basis: (0..order).map(Place::Held).collect(),
            inverse: (0..order).map(unit).collect(),
            coefficients: start.to_vec(),
            above: residuals.iter().map(|&r| r > 0.0).collect(),
            residuals,
            in_basis: vec![false; count],
            passed_over: vec![false; order],
            gradient: Vec::new(),
            gradient_size: 0.0,
            products: Vec::new(),
            kinks: Vec::new(),
        };
        simplex.sum_gradient();
        simplex
    }

    /// Gives the place of every held coordinate to the row that depends on it most, wherever that leads.
    fn take_rows(&mut self) {
        let rows = self.problem.rows;
        let mut products = Vec::new();
        for place in 0..self.basis.len() {
            rows.products(&self.inverse[place], &mut products);
            let size = |i: &usize| products[*i].abs();
            let free = (0..rows.len()).filter(|&i| !self.in_basis[i]);
            let Some(row) = free.max_by(|a, b| size(a).total_cmp(&size(b))) else { return };
            let length = self.inverse[place].iter().map(|d| d * d).sum::<f64>().sqrt();
            if size(&row) > 1e-9 * length {
                self.in_basis[row] = true;
                self.basis[place] = Place::Row(row);
                self.exchange(place, row);
            }
        }
        self.refresh();
    }

    fn slope_of(&self, above: bool) -> f64 {
        if above { self.problem.tau } else { self.problem.tau - 1.0 }
    }

    fn sum_gradient(&mut self) {
        let rows = self.problem.rows;
        let factor = |i: usize| {
            if self.in_basis[i] { 0.0 } else { rows.multipliers[i] * self.slope_of(self.above[i]) }
        };
        let factors: Vec<f64> = (0..rows.len()).map(factor).collect();
        let sums = rows.combination(&factors);
        let size = rows.multipliers.iter().sum::<f64>() + self.problem.linear.iter().map(|g| g.abs()).sum::<f64>();
        self.gradient_size = size;
        self.gradient = sums.iter().zip(self.problem.linear).map(|(sum, g)| -g - sum).collect();
    }

    /// Adds `factor` times row `i` to the gradient.
    fn add_to_gradient(&mut self, i: usize, factor: f64) {
        for (gradient, column) in self.gradient.iter_mut().zip(&self.problem.rows.columns) {
            *gradient += factor * column[i];
        }
    }

    /// The edge that goes down most steeply for its length.
    fn steepest(&self) -> Option<Edge> {
        let mut best: Option<(f64, Edge)> = None;
        for (place, (held, direction)) in self.basis.iter().zip(&self.inverse).enumerate() {
            let (mut dual, mut square) = (0.0, 0.0);
            for (d, h) in direction.iter().zip(&self.gradient) {
                dual += d * h;
                square += d * d;
            }
            let length = square.sqrt();
            let (low, high) = match held {
                Place::Row(i) => {
                    let v = self.problem.rows.multipliers[*i];
                    (v * (self.problem.tau - 1.0), v * self.problem.tau)
                }
                Place::Held(_) => (0.0, 0.0),
            };
            let (slope, sign) = if dual < low { (dual - low, 1.0) } else { (high - dual, -1.0) };
            let steepness = slope / length;
            let flat = FLAT * self.gradient_size;
            if self.passed_over[place] {
                continue;
            }
            if steepness < -flat && best.as_ref().is_none_or(|(least, _)| steepness < *least) {
                best = Some((steepness, Edge { place, sign, slope }));
            }
        }
        // A coordinate that is held gives way to a row even where the objective is flat along it.
        best.map(|(_, edge)| edge).or_else(|| {
            let held = |k: &usize| matches!(self.basis[*k], Place::Held(_)) && !self.passed_over[*k];
            let place = (0..self.basis.len()).find(held)?;
            Some(Edge { place, sign: 1.0, slope: 0.0 })
        })
    }

    /// Goes along an edge to its lowest point; the direction itself where there is none.
    fn walk(&mut self, edge: &Edge) -> Result<(), Vec<f64>> {
        let rows = self.problem.rows;
        let direction: Vec<f64> = self.inverse[edge.place].iter().map(|d| d * edge.sign).collect();
        let mut products = std::mem::take(&mut self.products);
        rows.products(&direction, &mut products);
        let largest = products.iter().fold(0.0, |largest: f64, s| largest.max(s.abs()));
        // Where each row is met, and by how much it turns the slope.
        let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        let negligible = (1e-11 * largest).max(1e-12 * length);
        let mut kinks = std::mem::take(&mut self.kinks);
        kinks.resize(rows.len(), (0.0, 0));
        let mut met = 0;
        for i in 0..rows.len() {
            let (s, r) = (products[i], self.residuals[i]);
            kinks[met] = ((r / s).max(0.0), i as u32);
            // Without a branch: which rows are met has no pattern to foresee.
            met += usize::from((s.abs() > negligible) & ((s > 0.0) == self.above[i]) & !self.in_basis[i]);
        }
        kinks.truncate(met);
        let turn = |i: u32| rows.multipliers[i as usize] * products[i as usize].abs();
        let Some(passed) = lowest(&mut kinks, edge.slope, turn) else {
            (self.products, self.kinks) = (products, kinks);
            return Err(direction);
        };
        let (length, entering) = (kinks[passed].0, kinks[passed].1 as usize);
        for &(_, i) in &kinks[..passed] {
            let i = i as usize;
            let turned = if self.above[i] { rows.multipliers[i] } else { -rows.multipliers[i] };
            self.above[i] = !self.above[i];
            self.add_to_gradient(i, turned);
        }
        for (b, d) in self.coefficients.iter_mut().zip(&direction) {
            *b += length * d;
        }
        for (r, s) in self.residuals.iter_mut().zip(&products) {
            *r -= length * s;
        }
        // The entering row's part of the gradient goes, the leaving one's comes.
        let slope = self.slope_of(self.above[entering]);
        self.add_to_gradient(entering, rows.multipliers[entering] * slope);
        self.residuals[entering] = 0.0;
        self.in_basis[entering] = true;
        if let Place::Row(leaving) = self.basis[edge.place] {
            self.in_basis[leaving] = false;
            self.above[leaving] = edge.sign < 0.0;
            self.residuals[leaving] = -edge.sign * length;
            let slope = self.slope_of(self.above[leaving]);
            self.add_to_gradient(leaving, -rows.multipliers[leaving] * slope);
        }
        self.basis[edge.place] = Place::Row(entering);
        self.exchange(edge.place, entering);
        (self.products, self.kinks) = (products, kinks);
        Ok(())
    }

    /// The inverse once `entering` stands at `place`.
    fn exchange(&mut self, place: usize, entering: usize) {
        let row: Vec<f64> = self.problem.rows.columns.iter().map(|column| column[entering]).collect();
        let along = |direction: &[f64]| direction.iter().zip(&row).map(|(d, x)| d * x).sum::<f64>();
        let pivot = along(&self.inverse[place]);
        let new: Vec<f64> = self.inverse[place].iter().map(|d| d / pivot).collect();
        for (k, direction) in self.inverse.iter_mut().enumerate() {
            if k != place {
                let factor = along(direction);
                direction.iter_mut().zip(&new).for_each(|(d, n)| *d -= factor * n);
            }
        }
        self.inverse[place] = new;
    }

    /// Everything anew from the basis, free of the rounding errors that gathered.
    fn refresh(&mut self) {
        let rows = self.problem.rows;
        let order = rows.order;
        let element = |k: usize, j: usize| match self.basis[k] {
            Place::Row(i) => rows.columns[j][i],
            Place::Held(coordinate) => f64::from(u8::from(coordinate == j)),
        };
        let inverse = Mat::from_fn(order, order, element).partial_piv_lu().inverse();
        if (0..order).any(|k| (0..order).any(|j| !inverse[(j, k)].is_finite())) {
            return;
        }
        let value = |k: usize| match self.basis[k] {
            Place::Row(i) => self.response[i],
            Place::Held(coordinate) => self.coefficients[coordinate],
        };
        let values: Vec<f64> = (0..order).map(value).collect();
        self.inverse = (0..order).map(|k| (0..order).map(|j| inverse[(j, k)]).collect()).collect();
        let coefficient = |j: usize| (0..order).map(|k| self.inverse[k][j] * values[k]).sum();
        self.coefficients = (0..order).map(coefficient).collect();
        let mut residuals = std::mem::take(&mut self.residuals);
        rows.residuals(&self.coefficients, &mut residuals);
        for i in 0..rows.len() {
            residuals[i] += self.response[i] - rows.response[i];
            self.above[i] = residuals[i] > 0.0;
        }
        self.residuals = residuals;
        self.sum_gradient();
    }
}

/// The kink at which the slope, negative at first, has been turned to zero or more: its place in `kinks`, which are
/// reordered so that those before it come first.
fn lowest(kinks: &mut [(f64, u32)], slope: f64, turn: impl Fn(u32) -> f64) -> Option<usize> {
    let (mut start, mut end, mut slope) = (0, kinks.len(), slope);
    if kinks.iter().map(|&(_, i)| turn(i)).sum::<f64>() + slope < 0.0 || kinks.is_empty() {
        return None;
    }
    while end - start > 1 {
        let middle = (end - start) / 2;
        kinks[start..end].select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let below: f64 = kinks[start..start + middle].iter().map(|&(_, i)| turn(i)).sum();
        if slope + below >= 0.0 {
            end = start + middle;
        } else {
            slope += below;
            start += middle;
        }
    }
    Some(start)
}
