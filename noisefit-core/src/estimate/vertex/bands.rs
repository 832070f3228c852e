//! One pass: for each quantile the rows near its fit, and the sum of all others.
//!
//! At coefficients `b`, rows within the band `|y - x'b| <= width` are kept; those outside have a sign that small changes
//! of `b` do not touch, and become the linear term `sum v psi x` of [`super::simplex::Problem`]. If `b` turns out to be
//! optimal for the rows kept, it is optimal for all rows, since at `b` itself every sign is right: what was discarded needs
//! no further check, however it was chosen.

use serde::{Deserialize, Serialize};

use crate::algebra::Coordinates;
use crate::estimate::estimated::ErrorSums;
use crate::estimate::vertex::collect::multiplier;
use crate::estimate::vertex::records::Records;
use crate::estimate::vertex::rows::{Rows, dot, row_lengths};
use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Block, Precision, Values, scattered};

/// Rows of a tile: its columns stay in the first-level cache while every quantile goes over them.
const TILE: usize = 256;

/// Rows with smaller residuals, in units of the response's size, are ties: their sign is not told in doubles.
const TIE: f64 = 1e-9;

/// Partial sums of a loop, so that it is vector code.
const LANES: usize = 8;

/// A row depends on a direction of length one if it changes by more than this along it.
pub(super) const DEPENDS: f64 = 1e-6;

/// Tied rows beyond those that are kept share so many duals between them.
const TIE_GROUPS: usize = 64;

/// Where a quantile's fit is thought to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) tau: f64,
    /// In [`Coordinates`].
    pub(super) coefficients: Vec<f64>,
    /// Rows with residuals up to this size times their length ([`super::rows::Rows::lengths`]) are kept.
    pub(super) width: f64,
    /// The share of the rows within the band that are kept, at random.
    pub(super) share: f64,
    /// Directions of length one along which the fit may go so far: rows that it meets there are kept as well.
    pub(super) directions: Vec<(Vec<f64>, f64)>,
}

impl Place {
    fn tie(&self) -> f64 {
        TIE * (1.0 + self.coefficients.iter().map(|b| b.abs()).sum::<f64>())
    }
}

/// What a pass finds at one [`Place`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Band {
    place: Place,
    /// Rows kept, each as its numbers in the data, its multiplier, and whether it is a tie.
    kept: Records,
    priorities: Vec<u64>,
    /// Rows whose priority is above the bar are not kept.
    bar: u64,
    /// Sums of tied rows that were not kept, in coordinates: `sum v x`, `sum v y`.
    groups: Vec<Vec<DoubleDouble>>,
    /// Rows within the band.
    pub(super) inside: u64,
    /// Rows within the band that were left out.
    pub(super) lost: u64,
    /// `sum v psi x` of the rows outside.
    pub(super) linear: Vec<DoubleDouble>,
    /// `sum v psi y` of the rows outside.
    pub(super) dual: DoubleDouble,
    /// `sum v rho(r)` of all rows.
    pub(super) objective: DoubleDouble,
    pub(super) errors: ErrorSums,
    /// Rows at which this fit lies below that of the place before.
    pub(super) crossings: u64,
}

/// The state of the pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bands {
    coordinates: Coordinates,
    precision: Precision,
    /// Rows kept at each place before they are thinned to half.
    limit: usize,
    rows: u64,
    /// `sum v x`.
    sums: Vec<f64>,
    bands: Vec<Band>,
    #[serde(skip)]
    scratch: Scratch,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    /// Columns of the tile, `TILE` apart.
    columns: Vec<f64>,
    response: Vec<f64>,
    multipliers: Vec<f64>,
    lengths: Vec<f64>,
    /// How far from the fit each row is kept.
    reach: Vec<f64>,
    /// Which rows of the tile are in the band.
    inside: Vec<usize>,
    residuals: Vec<f64>,
    before: Vec<f64>,
    factors: Vec<f64>,
}

impl Bands {
    /// The empty state; rows near each place are kept, at most `limit` of them.
    pub(super) fn new(coordinates: Coordinates, precision: Precision, places: Vec<Place>, limit: usize) -> Self {
        let order = coordinates.coefficients();
        let band = |place: Place| Band {
            bar: (place.share * u64::MAX as f64) as u64,
            place,
            kept: Records::default(),
            priorities: Vec::new(),
            groups: Vec::new(),
            inside: 0,
            lost: 0,
            linear: vec![DoubleDouble::ZERO; order],
            dual: DoubleDouble::ZERO,
            objective: DoubleDouble::ZERO,
            errors: ErrorSums::default(),
            crossings: 0,
        };
        let bands = places.into_iter().map(band).collect();
        Bands { coordinates, precision, limit, rows: 0, sums: vec![0.0; order], bands, scratch: Scratch::default() }
    }

    /// What was found at each place, and the sum of all rows in coordinates.
    pub(super) fn finish(self) -> (Vec<Band>, Vec<f64>) {
        (self.bands, self.sums)
    }

    /// Takes the tile's columns into coordinates.
    fn fill(&mut self, block: &Block<'_>, rows: std::ops::Range<usize>) {
        let (coordinates, count) = (&self.coordinates, rows.len());
        let Scratch { columns, response, multipliers, lengths, .. } = &mut self.scratch;
        let (offset, design) = (coordinates.offset(), coordinates.columns() - 1);
        columns.resize(coordinates.coefficients() * TILE, 1.0);
        response.resize(TILE, 0.0);
        vectorised(
            #[inline(always)]
            || {
                for j in 0..design {
                    coordinates.fill(block.design, j, rows.clone(), &mut columns[(j + offset) * TILE..][..count]);
                }
                coordinates.fill_response(block, rows.clone(), response);
            },
        );
        lengths.resize(TILE, 0.0);
        row_lengths(columns, TILE, &mut lengths[..count]);
        multipliers.clear();
        multipliers.extend(rows.map(|i| multiplier(block, i)));
    }

    fn fold_tile(&mut self, block: &Block<'_>, rows: std::ops::Range<usize>) {
        self.fill(block, rows.clone());
        let count = rows.len();
        if !self.coordinates.intercept() {
            for (sum, column) in self.sums.iter_mut().zip(self.scratch.columns.chunks_exact(TILE)) {
                *sum += dot(&column[..count], &self.scratch.multipliers);
            }
        }
        let Bands { coordinates, bands, scratch, limit, precision, .. } = self;
        let Scratch { columns, response, multipliers, lengths, reach, inside, residuals, before, factors } = scratch;
        reach.resize(TILE, 0.0);
        let (first_row, with_low) = (self.rows, *precision != Precision::Double);
        for (number, band) in bands.iter_mut().enumerate() {
            std::mem::swap(residuals, before);
            let tie = band.place.tie();
            reach.iter_mut().zip(lengths.iter()).for_each(|(reach, l)| *reach = (l * band.place.width).max(tie));
            for (direction, distance) in &band.place.directions {
                for i in 0..count {
                    let along: f64 = direction.iter().enumerate().map(|(j, d)| d * columns[j * TILE + i]).sum();
                    if along.abs() > DEPENDS {
                        reach[i] = reach[i].max(along.abs() * distance);
                    }
                }
            }
            let sweep = Sweep { columns, response, multipliers, reach, count, weighted: block.weights.is_some() };
            band.sweep(&sweep, residuals, factors);
            if number > 0 {
                // Above this fit and below the one before, which should lie lower.
                band.crossings += crossings(&residuals[..count], &before[..count], band.place.tie());
            }
            if block.weights.is_some() || block.frequencies.is_some() {
                band.weighted_errors(block, rows.clone(), residuals);
            }
            // Without a branch: where the band is wide, which rows are in it has no pattern to foresee.
            inside.resize(TILE, 0);
            let mut found = 0;
            for (i, (r, reach)) in residuals[..count].iter().zip(&reach[..count]).enumerate() {
                inside[found] = i;
                found += usize::from(r.abs() <= *reach);
            }
            for &i in &inside[..found] {
                let is_tie = residuals[i].abs() <= tie;
                band.keep(coordinates, block, rows.start + i, first_row + i as u64, is_tie, with_low);
            }
            if band.priorities.len() > 2 * *limit {
                band.thin(coordinates, *limit);
            }
        }
        self.rows += count as u64;
    }
}

/// A tile in coordinates.
struct Sweep<'a> {
    columns: &'a [f64],
    response: &'a [f64],
    multipliers: &'a [f64],
    reach: &'a [f64],
    count: usize,
    weighted: bool,
}

/// How often the first residual exceeds the second: the fit lies lower there.
fn crossings(residuals: &[f64], before: &[f64], margin: f64) -> u64 {
    vectorised(
        #[inline(always)]
        || {
            let mut count = 0;
            for i in 0..residuals.len() {
                count += u64::from(residuals[i] - before[i] > margin);
            }
            count
        },
    )
}

impl Band {
    /// Residuals of the tile, and the sums over those outside the band.
    fn sweep(&mut self, tile: &Sweep<'_>, residuals: &mut Vec<f64>, factors: &mut Vec<f64>) {
        let count = tile.count;
        residuals.resize(TILE, 0.0);
        factors.resize(TILE, 0.0);
        let (tau, reach) = (self.place.tau, &tile.reach[..count]);
        let coefficients = &self.place.coefficients;
        let (residuals, factors) = (&mut residuals[..count], &mut factors[..count]);
        let multipliers = &tile.multipliers[..count];
        let sums = vectorised(
            #[inline(always)]
            || {
                residuals.copy_from_slice(&tile.response[..count]);
                for (j, &b) in coefficients.iter().enumerate() {
                    let column = &tile.columns[j * TILE..j * TILE + count];
                    for i in 0..count {
                        residuals[i] -= b * column[i];
                    }
                }
                // Whole lanes first, what is left over last.
                let whole = count / LANES * LANES;
                let mut lanes = [[0.0; LANES]; 4];
                for start in (0..whole).step_by(LANES) {
                    for lane in 0..LANES {
                        let i = start + lane;
                        let r = residuals[i];
                        let slope = if r > 0.0 { tau } else { tau - 1.0 } * multipliers[i];
                        let outside = if r.abs() <= reach[i] { 0.0 } else { slope };
                        factors[i] = outside;
                        lanes[0][lane] += slope * r;
                        lanes[1][lane] += outside * tile.response[i];
                        lanes[2][lane] += r * r;
                        lanes[3][lane] += r.abs();
                    }
                }
                for i in whole..count {
                    let r = residuals[i];
                    let slope = if r > 0.0 { tau } else { tau - 1.0 } * multipliers[i];
                    let outside = if r.abs() <= reach[i] { 0.0 } else { slope };
                    factors[i] = outside;
                    lanes[0][0] += slope * r;
                    lanes[1][0] += outside * tile.response[i];
                    lanes[2][0] += r * r;
                    lanes[3][0] += r.abs();
                }
                let mut sums = [0.0; 4];
                for k in 0..4 {
                    for lane in 0..LANES {
                        sums[k] += lanes[k][lane];
                    }
                }
                sums
            },
        );
        let [objective, dual, squares, absolute] = sums;
        self.objective += objective;
        self.dual += dual;
        if !tile.weighted {
            self.errors.weighted_squares += squares;
        }
        self.errors.squares += squares;
        self.errors.absolute += absolute;
        for (j, sum) in self.linear.iter_mut().enumerate() {
            let column = &tile.columns[j * TILE..j * TILE + count];
            *sum += dot(column, factors);
        }
    }

    /// Corrects the sums of errors of a tile, taken as if every row counted once, for weights and frequencies.
    fn weighted_errors(&mut self, block: &Block<'_>, rows: std::ops::Range<usize>, residuals: &[f64]) {
        for (i, row) in rows.enumerate() {
            let f = block.frequency(row);
            let square = residuals[i] * residuals[i];
            match block.weights {
                Some(w) => self.errors.weighted_squares += f * w[row] * square,
                None => self.errors.weighted_squares += (f - 1.0) * square,
            }
            self.errors.squares += (f - 1.0) * square;
            self.errors.absolute += (f - 1.0) * residuals[i].abs();
        }
    }

    /// Keeps a row, unless chance leaves it out.
    fn keep(
        &mut self,
        coordinates: &Coordinates,
        block: &Block<'_>,
        row: usize,
        number: u64,
        tie: bool,
        with_low: bool,
    ) {
        self.inside += 1;
        let first = block.design.first().map_or(0, |x| x[row].to_bits()) ^ block.response.high[row].to_bits();
        let priority = scattered(first, number);
        self.kept.push(|record| {
            block.push_words(row, with_low, record);
            record.extend([multiplier(block, row), f64::from(u8::from(tie))]);
        });
        if priority <= self.bar {
            self.priorities.push(priority);
        } else {
            let record = self.kept.pop();
            self.leave_out(coordinates, &record, priority);
        }
    }

    /// A row within the band that is not kept: a tie shares a dual with others, since any between the bounds will do.
    fn leave_out(&mut self, coordinates: &Coordinates, record: &[f64], priority: u64) {
        let [.., multiplier, tie] = *record else { return };
        if tie == 0.0 {
            self.lost += 1;
            return;
        }
        let order = coordinates.coefficients();
        self.groups.resize(TIE_GROUPS, vec![DoubleDouble::ZERO; order + 1]);
        let mut alone = Records::default();
        alone.push(|into| into.extend_from_slice(record));
        let row = rows_of(coordinates, &alone, &[multiplier], true);
        let group = &mut self.groups[(priority >> 20) as usize % TIE_GROUPS];
        for (j, sum) in group[..order].iter_mut().enumerate() {
            *sum += row.at(0, j) * multiplier;
        }
        group[order] += row.response_at(0) * multiplier;
    }

    /// Lowers the bar so that about `limit` rows are kept.
    fn thin(&mut self, coordinates: &Coordinates, limit: usize) {
        let mut sorted = self.priorities.clone();
        let (_, bar, _) = sorted.select_nth_unstable(limit.saturating_sub(1));
        self.lower_bar(coordinates, *bar);
    }

    fn lower_bar(&mut self, coordinates: &Coordinates, bar: u64) {
        self.bar = bar;
        let (kept, priorities) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.priorities));
        for (record, priority) in kept.iter().zip(priorities) {
            if priority <= bar {
                self.kept.push(|into| into.extend_from_slice(record));
                self.priorities.push(priority);
            } else {
                self.leave_out(coordinates, record, priority);
            }
        }
    }

    fn merge(&mut self, later: Band, coordinates: &Coordinates, limit: usize) {
        let bar = self.bar.min(later.bar);
        let mut later = later;
        for band in [&mut *self, &mut later] {
            if band.bar > bar {
                band.lower_bar(coordinates, bar);
            }
        }
        self.kept.append(later.kept);
        self.priorities.extend(later.priorities);
        if self.groups.is_empty() {
            self.groups = later.groups;
        } else {
            for (mine, theirs) in self.groups.iter_mut().zip(later.groups) {
                mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
            }
        }
        self.inside += later.inside;
        self.lost += later.lost;
        self.linear.iter_mut().zip(later.linear).for_each(|(mine, theirs)| *mine += theirs);
        self.dual += later.dual;
        self.objective += later.objective;
        self.errors.weighted_squares += later.errors.weighted_squares;
        self.errors.squares += later.errors.squares;
        self.errors.absolute += later.errors.absolute;
        self.crossings += later.crossings;
        if self.priorities.len() > 2 * limit {
            self.thin(coordinates, limit);
        }
    }

    /// The rows of the band, with low words where `exact`; where chance left some out, the others count for them.
    pub(super) fn rows(&self, coordinates: &Coordinates, exact: bool) -> Rows {
        let order = coordinates.coefficients();
        let share = if self.lost > 0 { self.bar as f64 / u64::MAX as f64 } else { 1.0 };
        let multiplier = |record: &[f64]| match *record {
            [.., multiplier, tie] => multiplier / if tie == 0.0 { share } else { 1.0 },
            _ => 0.0,
        };
        let multipliers: Vec<f64> = self.kept.iter().map(multiplier).collect();
        let mut rows = rows_of(coordinates, &self.kept, &multipliers, exact);
        for group in self.groups.iter().filter(|group| group[..order].iter().any(|sum| sum.high != 0.0)) {
            rows.push_coordinates(&group[..order], group[order], 1.0);
        }
        rows
    }
}

/// Records as rows; their last two numbers are not words of the row.
fn rows_of(coordinates: &Coordinates, records: &Records, multipliers: &[f64], exact: bool) -> Rows {
    let (columns, count) = (coordinates.columns(), multipliers.len());
    if count == 0 {
        return Rows::new(coordinates.coefficients());
    }
    let words = records.columns(2, count);
    if !exact {
        return Rows::in_doubles(coordinates, |j| &words[j], multipliers);
    }
    let mut rows = Rows::new(coordinates.coefficients());
    let low = |j: usize| words.get(columns + j).map(|low| &low[..]);
    let values = |j: usize| Values { high: &words[j], low: low(j) };
    rows.extend(coordinates, |j, words| coordinates.extend_with(values(j), j, words), multipliers);
    rows
}

impl Accumulator for Bands {
    const KIND: &'static str = "quantile-bands";

    fn fold(&mut self, block: &Block<'_>) {
        for start in (0..block.rows()).step_by(TILE) {
            self.fold_tile(block, start..(start + TILE).min(block.rows()));
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.sums.iter_mut().zip(later.sums).for_each(|(mine, theirs)| *mine += theirs);
        for (mine, theirs) in self.bands.iter_mut().zip(later.bands) {
            mine.merge(theirs, &self.coordinates, self.limit);
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        self.precision
    }
}
