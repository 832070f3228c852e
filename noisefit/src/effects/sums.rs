//! The one pass: sums over rows of predictions, slopes and comparisons, and of their gradients.

use noisefit_core::inference::effects::{Average, sum};
use noisefit_data::DataError;
use noisefit_data::formula::{Bound, Design, EvaluateOptions, EvaluatedRows, Workspace};
use noisefit_data::frame::{Field, Frame};
use noisefit_data::groups::Groups;
use noisefit_data::read::Dataset;
use noisefit_data::source::locate;

use super::asked::{Asked, Given, What};
use super::heads::{Heads, Side, SlopeParts, jet, shares, undone};
use super::options::Slope;

/// Rows that are looked at together.
const BLOCK_ROWS: usize = 1024;

/// All that a pass needs to know.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) design: &'a Design,
    pub(super) dataset: &'a Dataset,
    pub(super) heads: &'a Heads<'a>,
    pub(super) settings: &'a [Given],
    pub(super) asked: &'a [Asked],
    pub(super) fields: &'a [Field],
    /// Places of the columns that make groups.
    pub(super) by: &'a [usize],
    pub(super) slope: Slope,
    pub(super) options: EvaluateOptions,
}

/// The groups of a unit of rows, each with the averages of every setting, quantity and head; and what was left out.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) groups: Groups,
    pub(super) averages: Vec<Vec<Average>>,
    pub(super) counts: Counts,
}

/// Rows that were met and left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) used: u64,
    pub(super) missing: u64,
    pub(super) undefined: u64,
    /// Pairs of predictions of which one has no value.
    pub(super) unpaired: u64,
    pub(super) beyond: u64,
}

impl Sums {
    pub(super) fn merge(&mut self, later: Sums) {
        for (key, averages) in later.groups.into_keys().into_iter().zip(later.averages) {
            let number = self.groups.number(key);
            match self.averages.get_mut(number) {
                Some(mine) => mine.iter_mut().zip(&averages).for_each(|(mine, later)| mine.merge(later)),
                None => self.averages.push(averages),
            }
        }
        let (mine, later) = (&mut self.counts, later.counts);
        mine.used += later.used;
        mine.missing += later.missing;
        mine.undefined += later.undefined;
        mine.unpaired += later.unpaired;
        mine.beyond += later.beyond;
    }
}

/// Rows of a block by their groups: the number of a group, and its rows' places among those that are complete; none for all of them.
type Picked = Vec<(usize, Option<Vec<usize>>)>;

/// The places of rows of a group on both sides of a comparison; none for all.
type Paired = Vec<(usize, Option<[Vec<usize>; 2]>)>;

impl Pass<'_> {
    /// Adds the rows of a frame.
    pub(super) fn add(&self, sums: &mut Sums, frame: &Frame) -> Result<(), DataError> {
        let Sums { groups, averages, counts } = sums;
        let groups_of_rows = groups.of_rows(frame, self.by);
        let each = self.settings.len() * self.asked.len();
        averages.resize_with(groups.keys().len(), || (0..each).flat_map(|_| self.heads.empty()).collect());
        for (place, setting) in self.settings.iter().enumerate() {
            let set;
            let frame = match setting.sets.is_empty() {
                true => frame,
                false => {
                    set = setting.sets.iter().fold(frame.clone(), |frame, (place, level)| {
                        frame.with_column(*place, level.column(frame.rows))
                    });
                    &set
                }
            };
            // Rows are counted once.
            let mut own = Counts::default();
            self.setting(averages, place, frame, groups_of_rows.as_deref(), &mut own)?;
            match place {
                0 => {
                    counts.used += own.used;
                    counts.missing += own.missing;
                    counts.undefined += own.undefined;
                    counts.unpaired += own.unpaired;
                    counts.beyond += own.beyond;
                }
                _ => counts.unpaired += own.unpaired,
            }
        }
        Ok(())
    }

    fn bind<'f>(&'f self, frame: &'f Frame) -> Result<Bound<'f>, DataError> {
        self.design.bind(frame, self.options).map_err(|error| locate(self.dataset, error))
    }

    fn setting(
        &self,
        averages: &mut [Vec<Average>],
        setting: usize,
        frame: &Frame,
        groups: Option<&[usize]>,
        counts: &mut Counts,
    ) -> Result<(), DataError> {
        let located = |error| locate(self.dataset, error);
        let heads = self.heads.count();
        // What is calculated at the values themselves, in one evaluation.
        let bound = self.bind(frame)?;
        let mut workspaces = [Workspace::default(), Workspace::default()];
        let at = |quantity: usize| (setting * self.asked.len() + quantity) * heads;
        let slopes: Vec<(usize, usize)> = self
            .asked
            .iter()
            .enumerate()
            .filter_map(|(k, asked)| match asked.what {
                What::Slope { place } => Some((k, place)),
                _ => None,
            })
            .collect();
        let predictions: Vec<usize> =
            (0..self.asked.len()).filter(|&k| self.asked[k].what == What::Prediction).collect();
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let range = start..(start + BLOCK_ROWS).min(frame.rows);
            let rows = bound.evaluate(range, &mut workspaces[0]).map_err(located)?;
            counts.used += rows.rows() as u64;
            counts.missing += rows.missing() as u64;
            counts.undefined += rows.undefined() as u64;
            counts.beyond += rows.beyond() as u64;
            if slopes.is_empty() && predictions.is_empty() {
                continue;
            }
            let picked = picked(&rows, groups);
            let side = Side::new(&rows, self.heads, !predictions.is_empty());
            for &k in &predictions {
                self.predictions(averages, at(k), &side, &picked);
            }
            for &(k, place) in &slopes {
                self.slopes(averages, at(k), &side, &picked, place, frame);
            }
        }
        for (k, asked) in self.asked.iter().enumerate() {
            let What::Comparison { place, high, low } = &asked.what else { continue };
            let frames = [high, low].map(|set| set.applied(frame, *place));
            let bounds = [self.bind(&frames[0])?, self.bind(&frames[1])?];
            let [one, other] = &mut workspaces;
            for start in (0..frame.rows).step_by(BLOCK_ROWS) {
                let range = start..(start + BLOCK_ROWS).min(frame.rows);
                let first = bounds[0].evaluate(range.clone(), one).map_err(located)?;
                let second = bounds[1].evaluate(range, other).map_err(located)?;
                let paired = paired([&first, &second], groups, counts);
                let sides = [Side::new(&first, self.heads, false), Side::new(&second, self.heads, false)];
                self.comparisons(averages, at(k), &sides, &paired);
            }
        }
        Ok(())
    }

    fn predictions(&self, averages: &mut [Vec<Average>], at: usize, side: &Side<'_>, picked: &Picked) {
        match self.heads {
            Heads::Fits(heads) => {
                for (k, head) in heads.iter().enumerate() {
                    let jets = side.jets(self.design, head);
                    let values = side.weighted(jets.values());
                    let by_location = side.factors(jets.location());
                    let by_scale = jets.log_scale().map(|factors| side.weighted(factors));
                    for (group, rows) in picked {
                        let average = &mut averages[*group][at + k];
                        let rows = rows.as_deref();
                        average.add(side.weight(rows), sum(&values, rows, None));
                        side.add_location(average, head, rows, by_location.as_deref(), 1.0);
                        if let Some(factors) = &by_scale {
                            side.add_scale(average, head, rows, factors, 1.0);
                        }
                    }
                }
            }
            Heads::Network(_, rule) => {
                for (k, locations) in side.members.iter().enumerate() {
                    let values = side.weighted(&undone(self.design, rule, locations));
                    for (group, rows) in picked {
                        averages[*group][at + k].add(side.weight(rows.as_deref()), sum(&values, rows.as_deref(), None));
                    }
                }
            }
        }
    }

    fn slopes(
        &self,
        averages: &mut [Vec<Average>],
        at: usize,
        side: &Side<'_>,
        picked: &Picked,
        place: usize,
        frame: &Frame,
    ) {
        let Some(tangents) = side.rows.tangents(&self.fields[place].name) else { return };
        let n = side.rows.rows();
        // The variable itself, for slopes by shares of it.
        let x: Vec<f64> = match (&frame.columns[place], self.slope) {
            (noisefit_data::frame::Column::Number { high, .. }, Slope::Eyex | Slope::Dyex) => {
                side.rows.kept().iter().map(|&row| high[row]).collect()
            }
            _ => Vec::new(),
        };
        match self.heads {
            Heads::Fits(heads) => {
                for (k, head) in heads.iter().enumerate() {
                    if head.rule.mean.is_location() && self.slope == Slope::Dydx {
                        for (group, rows) in picked {
                            let average = &mut averages[*group][at + k];
                            side.add_line_slopes(average, head, rows.as_deref(), &tangents);
                        }
                        continue;
                    }
                    let parts = SlopeParts::new(side, head, &side.jets(self.design, head), &tangents, self.slope, &x);
                    for (group, rows) in picked {
                        parts.add(&mut averages[*group][at + k], side, head, rows.as_deref(), &tangents);
                    }
                }
            }
            Heads::Network(network, rule) => {
                let derivatives = network.derivatives(&side.new, &tangents.design);
                for (k, derivative) in derivatives.into_iter().flatten().enumerate() {
                    let locations = &side.members[k];
                    let mut values = derivative;
                    if let Some(offset) = &tangents.offset {
                        values.iter_mut().zip(offset).for_each(|(value, o)| *value += o);
                    }
                    for i in 0..n {
                        let jet = jet(self.design, &rule.mean, locations[i], f64::NAN);
                        let (share_of_x, share_of_y) = shares(self.slope, x.get(i).copied(), jet.value);
                        values[i] *= jet.location * share_of_x / share_of_y;
                    }
                    let values = side.weighted(&values);
                    for (group, rows) in picked {
                        averages[*group][at + k].add(side.weight(rows.as_deref()), sum(&values, rows.as_deref(), None));
                    }
                }
            }
        }
    }

    fn comparisons(&self, averages: &mut [Vec<Average>], at: usize, sides: &[Side<'_>; 2], paired: &Paired) {
        let members = self.heads.count();
        for k in 0..members {
            for (side, sign) in sides.iter().zip([1.0, -1.0]) {
                let which = usize::from(sign < 0.0);
                match self.heads {
                    Heads::Fits(heads) => {
                        let head = &heads[k];
                        let jets = side.jets(self.design, head);
                        let values = side.weighted(jets.values());
                        let by_location = side.factors(jets.location());
                        let by_scale = jets.log_scale().map(|factors| side.weighted(factors));
                        for (group, rows) in paired {
                            let average = &mut averages[*group][at + k];
                            let rows = rows.as_ref().map(|rows| &rows[which][..]);
                            // Rows are counted on one side.
                            let weight = if sign > 0.0 { side.weight(rows) } else { 0.0 };
                            average.add(weight, sign * sum(&values, rows, None));
                            side.add_location(average, head, rows, by_location.as_deref(), sign);
                            if let Some(factors) = &by_scale {
                                side.add_scale(average, head, rows, factors, sign);
                            }
                        }
                    }
                    Heads::Network(_, rule) => {
                        let values = side.weighted(&undone(self.design, rule, &side.members[k]));
                        for (group, rows) in paired {
                            let rows = rows.as_ref().map(|rows| &rows[which][..]);
                            let weight = if sign > 0.0 { side.weight(rows) } else { 0.0 };
                            averages[*group][at + k].add(weight, sign * sum(&values, rows, None));
                        }
                    }
                }
            }
        }
    }
}

/// Rows by their groups.
fn picked(rows: &EvaluatedRows<'_>, groups: Option<&[usize]>) -> Picked {
    let Some(groups) = groups else { return vec![(0, None)] };
    let mut picked: Vec<(usize, Option<Vec<usize>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (i, &row) in rows.kept().iter().enumerate() {
        let group = groups[row];
        let place = *places.entry(group).or_insert_with(|| {
            picked.push((group, Some(Vec::new())));
            picked.len() - 1
        });
        if let Some(own) = &mut picked[place].1 {
            own.push(i);
        }
    }
    picked
}

/// Rows that are complete on both sides, by their groups.
fn paired(sides: [&EvaluatedRows<'_>; 2], groups: Option<&[usize]>, counts: &mut Counts) -> Paired {
    let [first, second] = sides.map(EvaluatedRows::kept);
    if first == second && groups.is_none() {
        return vec![(0, None)];
    }
    let mut found: Vec<(usize, [Vec<usize>; 2])> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut j = 0;
    for (i, row) in first.iter().enumerate() {
        while second.get(j).is_some_and(|other| other < row) {
            j += 1;
        }
        if second.get(j) != Some(row) {
            counts.unpaired += 1;
            continue;
        }
        let group = groups.map_or(0, |groups| groups[*row]);
        let place = *places.entry(group).or_insert_with(|| {
            found.push((group, [Vec::new(), Vec::new()]));
            found.len() - 1
        });
        found[place].1[0].push(i);
        found[place].1[1].push(j);
    }
    // Those that only the other side has.
    counts.unpaired += second.iter().filter(|row| first.binary_search(row).is_err()).count() as u64;
    found.into_iter().map(|(group, rows)| (group, Some(rows))).collect()
}
