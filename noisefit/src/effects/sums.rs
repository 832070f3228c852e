//! The one pass: sums over rows of predictions, slopes and comparisons, and of their gradients.

use noisefit_core::algebra::Affine;
use noisefit_core::inference::effects::{Average, Jet, Mean, sum};
use noisefit_core::inference::predict::{NewRows, Predictor};
use noisefit_core::network::Network;
use noisefit_core::record::Fit;
use noisefit_data::DataError;
use noisefit_data::formula::{Bound, Design, EvaluateOptions, EvaluatedRows, Tangents, Workspace};
use noisefit_data::frame::{Field, Frame};
use noisefit_data::groups::Groups;
use noisefit_data::read::Dataset;
use noisefit_data::source::locate;

use super::asked::{Asked, Given, What};
use super::options::Slope;
use super::units::Rule;

/// Rows that are looked at together.
const BLOCK_ROWS: usize = 1024;

/// What predicts.
#[derive(Debug)]
pub(super) enum Heads<'a> {
    /// Fits, each with the rule of its mean.
    Fits(Vec<Head<'a>>),
    /// Curves of members, those of a member together.
    Network(&'a Network, Rule),
}

/// A fit that predicts.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) fit: &'a Fit,
    pub(super) rule: Rule,
    predictor: Predictor,
    location: Affine,
    log_scale: Option<Affine>,
}

impl<'a> Head<'a> {
    pub(super) fn new(fit: &'a Fit, rule: Rule) -> Result<Self, noisefit_core::Error> {
        let (location, log_scale) = (fit.location.affine(), fit.scale.modelled().map(|table| table.affine()));
        Ok(Head { fit, rule, predictor: Predictor::new(fit)?, location, log_scale })
    }

    /// No rows yet.
    fn empty(&self) -> Average {
        let scale = match &self.fit.scale.modelled() {
            _ if !self.rule.mean.reads_scale() => 0,
            Some(table) => table.rows.len(),
            None => 1,
        };
        Average::new(self.fit.location.rows.len(), scale)
    }
}

impl Heads<'_> {
    /// How many averages a quantity has.
    pub(super) fn count(&self) -> usize {
        match self {
            Heads::Fits(heads) => heads.len(),
            Heads::Network(network, _) => network.members.len() * network.curves(),
        }
    }

    fn empty(&self) -> Vec<Average> {
        match self {
            Heads::Fits(heads) => heads.iter().map(Head::empty).collect(),
            Heads::Network(..) => vec![Average::new(0, 0); self.count()],
        }
    }
}

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

/// Locations with the transformation of the response undone.
fn undone(design: &Design, rule: &Rule, locations: &[f64]) -> Vec<f64> {
    match rule.mean.is_location() {
        true => locations.to_vec(),
        false => locations.iter().map(|&mu| jet(design, &rule.mean, mu, f64::NAN).value).collect(),
    }
}

fn jet(design: &Design, mean: &Mean, mu: f64, s: f64) -> Jet {
    mean.at(mu, s, &|v| design.undone(v).unwrap_or([f64::NAN; 3]))
}

/// What a slope is multiplied by, and divided by.
fn shares(slope: Slope, x: Option<f64>, y: f64) -> (f64, f64) {
    let x = x.unwrap_or(1.0);
    match slope {
        Slope::Dydx => (1.0, 1.0),
        Slope::Eyex => (x, y),
        Slope::Eydx => (1.0, y),
        Slope::Dyex => (x, 1.0),
    }
}

/// What a head says of a block's rows: means with their derivatives, or the locations alone.
enum Jets {
    Locations(Vec<f64>),
    All(Vec<Jet>, [Vec<f64>; 3], bool),
}

impl Jets {
    fn values(&self) -> &[f64] {
        match self {
            Jets::Locations(values) => values,
            Jets::All(_, [values, ..], _) => values,
        }
    }

    /// The derivatives by the location; none where all are one.
    fn location(&self) -> Option<&[f64]> {
        match self {
            Jets::Locations(_) => None,
            Jets::All(_, [_, location, _], _) => Some(location),
        }
    }

    /// The derivatives by the logarithm of the scale, where means depend on it.
    fn log_scale(&self) -> Option<&[f64]> {
        match self {
            Jets::All(_, [.., log_scale], true) => Some(log_scale),
            _ => None,
        }
    }

    fn row(&self, i: usize) -> Jet {
        match self {
            Jets::Locations(values) => Jet { value: values[i], location: 1.0, ..Jet::default() },
            Jets::All(jets, ..) => jets[i],
        }
    }
}

/// A block's rows as one side of a comparison has them.
struct Side<'a> {
    rows: &'a EvaluatedRows<'a>,
    new: NewRows<'a>,
    /// The locations of every member and curve of a network.
    members: Vec<Vec<f64>>,
    /// Whether the constants of absorbed effects are among the locations, whatever the mean.
    constants: bool,
}

impl<'a> Side<'a> {
    fn new(rows: &'a EvaluatedRows<'a>, heads: &Heads<'_>, constants: bool) -> Self {
        let new = NewRows {
            scale_design: rows.scale_design().into(),
            effects: rows.effects(),
            weights: rows.scaled(),
            ..NewRows::new(rows.design(), rows.rows())
        };
        let mut members = Vec::new();
        if let Heads::Network(network, _) = heads {
            members = network.locations(&new).into_iter().flatten().collect();
            if let Some(offset) = rows.offset() {
                members.iter_mut().for_each(|values: &mut Vec<f64>| {
                    values.iter_mut().zip(offset).for_each(|(value, o)| *value += o);
                });
            }
        }
        Side { rows, new, members, constants }
    }

    fn locations(&self, head: &Head<'_>) -> Vec<f64> {
        let mut values = match self.constants || !head.rule.mean.is_location() {
            true => head.predictor.location(&self.new),
            false => head.location.values(self.rows.design(), self.rows.rows()),
        };
        if let Some(offset) = self.rows.offset() {
            values.iter_mut().zip(offset).for_each(|(value, o)| *value += o);
        }
        values
    }

    fn jets(&self, design: &Design, head: &Head<'_>) -> Jets {
        let (locations, mean) = (self.locations(head), &head.rule.mean);
        if mean.is_location() {
            return Jets::Locations(locations);
        }
        let scales = if mean.reads_scale() { head.predictor.scale(&self.new) } else { vec![f64::NAN; locations.len()] };
        let jets: Vec<Jet> = locations.iter().zip(&scales).map(|(&mu, &s)| jet(design, mean, mu, s)).collect();
        let column = |of: fn(&Jet) -> f64| jets.iter().map(of).collect::<Vec<f64>>();
        let columns = [column(|jet| jet.value), column(|jet| jet.location), column(|jet| jet.log_scale)];
        Jets::All(jets, columns, mean.reads_scale())
    }

    /// Values times the numbers of observations that rows stand for.
    fn weighted(&self, values: &[f64]) -> Vec<f64> {
        match self.rows.frequencies() {
            None => values.to_vec(),
            Some(frequencies) => values.iter().zip(frequencies).map(|(value, f)| value * f).collect(),
        }
    }

    /// The same of factors that are one where there are none; none where all are.
    fn factors(&self, values: Option<&[f64]>) -> Option<Vec<f64>> {
        match (values, self.rows.frequencies()) {
            (None, None) => None,
            (None, Some(frequencies)) => Some(frequencies.to_vec()),
            (Some(values), _) => Some(self.weighted(values)),
        }
    }

    /// The number of observations of some rows.
    fn weight(&self, rows: Option<&[usize]>) -> f64 {
        match self.rows.frequencies() {
            Some(frequencies) => sum(frequencies, rows, None),
            None => rows.map_or(self.rows.rows(), <[usize]>::len) as f64,
        }
    }

    /// Adds the location's columns times factors to a gradient.
    fn add_location(
        &self,
        average: &mut Average,
        head: &Head<'_>,
        rows: Option<&[usize]>,
        factors: Option<&[f64]>,
        sign: f64,
    ) {
        let intercept = usize::from(head.fit.location.intercept);
        if intercept == 1 {
            average.location[0] += sign * factors.map_or_else(|| self.weight(rows), |factors| sum(factors, rows, None));
        }
        for (place, column) in average.location[intercept..].iter_mut().zip(self.rows.design()) {
            *place += sign * sum(column.high, rows, factors);
        }
    }

    /// Adds the scale's columns times factors to a gradient; of a common scale the factors.
    fn add_scale(&self, average: &mut Average, head: &Head<'_>, rows: Option<&[usize]>, factors: &[f64], sign: f64) {
        let intercept = match head.fit.scale.modelled() {
            Some(table) => usize::from(table.intercept),
            None => 1,
        };
        if intercept == 1 {
            average.scale[0] += sign * sum(factors, rows, None);
        }
        for (place, column) in average.scale[intercept..].iter_mut().zip(self.rows.scale_design()) {
            *place += sign * sum(column.high, rows, Some(factors));
        }
    }

    /// Adds slopes of a line: the sums of the columns' derivatives are the gradient, and their combination is the value.
    fn add_line_slopes(&self, average: &mut Average, head: &Head<'_>, rows: Option<&[usize]>, tangents: &Tangents) {
        let (frequencies, intercept) = (self.rows.frequencies(), usize::from(head.fit.location.intercept));
        let mut value = tangents.offset.as_ref().map_or(0.0, |offset| sum(offset, rows, frequencies));
        let places = average.location[intercept..].iter_mut().zip(&head.location.slopes);
        for ((place, slope), tangent) in places.zip(&tangents.design) {
            let Some(tangent) = tangent else { continue };
            let moved = sum(tangent, rows, frequencies);
            *place += moved;
            value += slope * moved;
        }
        average.add(self.weight(rows), value);
    }
}

/// What a slope and its gradient are made of, row by row.
struct SlopeParts {
    values: Vec<f64>,
    /// What multiplies the derivatives of the location's columns, these columns, and the same of the scale.
    factors: [Vec<f64>; 4],
    reads_scale: bool,
}

impl SlopeParts {
    fn new(side: &Side<'_>, head: &Head<'_>, jets: &Jets, tangents: &Tangents, slope: Slope, x: &[f64]) -> Self {
        let n = side.rows.rows();
        let along = |columns: &[Option<Vec<f64>>], slopes: &[f64], offset: &Option<Vec<f64>>| {
            let mut moved = offset.clone().unwrap_or_else(|| vec![0.0; n]);
            for (tangent, b) in columns.iter().zip(slopes) {
                if let Some(tangent) = tangent.as_ref().filter(|_| *b != 0.0) {
                    moved.iter_mut().zip(tangent).for_each(|(moved, d)| *moved += b * d);
                }
            }
            moved
        };
        let location = along(&tangents.design, &head.location.slopes, &tangents.offset);
        let none = Vec::new();
        let of_scale = head.log_scale.as_ref().map_or(&none, |line| &line.slopes);
        let log_scale = along(&tangents.scale_design, of_scale, &tangents.scale_offset);
        let mut parts = SlopeParts {
            values: Vec::with_capacity(n),
            factors: [(); 4].map(|()| Vec::with_capacity(n)),
            reads_scale: head.rule.mean.reads_scale(),
        };
        for i in 0..n {
            let jet = jets.row(i);
            let (mu, ls) = (location[i], log_scale[i]);
            let s = jet.location * mu + jet.log_scale * ls;
            let (of_x, of_y) = shares(slope, x.get(i).copied(), jet.value);
            let share = of_x / of_y;
            // The share itself changes with the mean where it is one of it.
            let back = if matches!(slope, Slope::Eyex | Slope::Eydx) { share * s / jet.value } else { 0.0 };
            parts.values.push(share * s);
            parts.factors[0].push(share * jet.location);
            parts.factors[1].push(share * (jet.location_twice * mu + jet.mixed * ls) - back * jet.location);
            parts.factors[2].push(share * jet.log_scale);
            parts.factors[3].push(share * (jet.mixed * mu + jet.log_scale_twice * ls) - back * jet.log_scale);
        }
        parts.values = side.weighted(&parts.values);
        parts.factors.iter_mut().for_each(|factors| *factors = side.weighted(factors));
        parts
    }

    fn add(
        &self,
        average: &mut Average,
        side: &Side<'_>,
        head: &Head<'_>,
        rows: Option<&[usize]>,
        tangents: &Tangents,
    ) {
        average.add(side.weight(rows), sum(&self.values, rows, None));
        let [by_tangents, by_columns, by_scale_tangents, by_scale] = &self.factors;
        side.add_location(average, head, rows, Some(by_columns), 1.0);
        let intercept = usize::from(head.fit.location.intercept);
        for (place, tangent) in average.location[intercept..].iter_mut().zip(&tangents.design) {
            *place += tangent.as_ref().map_or(0.0, |tangent| sum(tangent, rows, Some(by_tangents)));
        }
        if !self.reads_scale {
            return;
        }
        side.add_scale(average, head, rows, by_scale, 1.0);
        if let Some(table) = head.fit.scale.modelled() {
            let intercept = usize::from(table.intercept);
            for (place, tangent) in average.scale[intercept..].iter_mut().zip(&tangents.scale_design) {
                *place += tangent.as_ref().map_or(0.0, |tangent| sum(tangent, rows, Some(by_scale_tangents)));
            }
        }
    }
}
