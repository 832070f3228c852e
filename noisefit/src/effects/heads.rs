//! What predicts, and what it says of a block's rows: values with their derivatives, and their sums as parts of averages.

use noisefit_core::algebra::Affine;
use noisefit_core::inference::effects::{Average, Jet, Mean, sum};
use noisefit_core::inference::predict::{NewRows, Predictor};
use noisefit_core::network::Network;
use noisefit_core::record::Fit;
use noisefit_data::formula::{Design, EvaluatedRows, Tangents};

use super::options::Slope;
use super::units::Rule;

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
    pub(super) location: Affine,
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

    pub(super) fn empty(&self) -> Vec<Average> {
        match self {
            Heads::Fits(heads) => heads.iter().map(Head::empty).collect(),
            Heads::Network(..) => vec![Average::new(0, 0); self.count()],
        }
    }
}

/// Locations with the transformation of the response undone.
pub(super) fn undone(design: &Design, rule: &Rule, locations: &[f64]) -> Vec<f64> {
    match rule.mean.is_location() {
        true => locations.to_vec(),
        false => locations.iter().map(|&mu| jet(design, &rule.mean, mu, f64::NAN).value).collect(),
    }
}

pub(super) fn jet(design: &Design, mean: &Mean, mu: f64, s: f64) -> Jet {
    mean.at(mu, s, &|v| design.undone(v).unwrap_or([f64::NAN; 3]))
}

/// What a slope is multiplied by, and divided by.
pub(super) fn shares(slope: Slope, x: Option<f64>, y: f64) -> (f64, f64) {
    let x = x.unwrap_or(1.0);
    match slope {
        Slope::Dydx => (1.0, 1.0),
        Slope::Eyex => (x, y),
        Slope::Eydx => (1.0, y),
        Slope::Dyex => (x, 1.0),
    }
}

/// What a head says of a block's rows: means with their derivatives, or the locations alone.
pub(super) enum Jets {
    Locations(Vec<f64>),
    All(Vec<Jet>, [Vec<f64>; 3], bool),
}

impl Jets {
    pub(super) fn values(&self) -> &[f64] {
        match self {
            Jets::Locations(values) => values,
            Jets::All(_, [values, ..], _) => values,
        }
    }

    /// The derivatives by the location; none where all are one.
    pub(super) fn location(&self) -> Option<&[f64]> {
        match self {
            Jets::Locations(_) => None,
            Jets::All(_, [_, location, _], _) => Some(location),
        }
    }

    /// The derivatives by the logarithm of the scale, where means depend on it.
    pub(super) fn log_scale(&self) -> Option<&[f64]> {
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
pub(super) struct Side<'a> {
    pub(super) rows: &'a EvaluatedRows<'a>,
    pub(super) new: NewRows<'a>,
    /// The locations of every member and curve of a network.
    pub(super) members: Vec<Vec<f64>>,
    /// Whether the constants of absorbed effects are among the locations, whatever the mean.
    constants: bool,
}

impl<'a> Side<'a> {
    pub(super) fn new(rows: &'a EvaluatedRows<'a>, heads: &Heads<'_>, constants: bool) -> Self {
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

    pub(super) fn jets(&self, design: &Design, head: &Head<'_>) -> Jets {
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
    pub(super) fn weighted(&self, values: &[f64]) -> Vec<f64> {
        match self.rows.frequencies() {
            None => values.to_vec(),
            Some(frequencies) => values.iter().zip(frequencies).map(|(value, f)| value * f).collect(),
        }
    }

    /// The same of factors that are one where there are none; none where all are.
    pub(super) fn factors(&self, values: Option<&[f64]>) -> Option<Vec<f64>> {
        match (values, self.rows.frequencies()) {
            (None, None) => None,
            (None, Some(frequencies)) => Some(frequencies.to_vec()),
            (Some(values), _) => Some(self.weighted(values)),
        }
    }

    /// The number of observations of some rows.
    pub(super) fn weight(&self, rows: Option<&[usize]>) -> f64 {
        match self.rows.frequencies() {
            Some(frequencies) => sum(frequencies, rows, None),
            None => rows.map_or(self.rows.rows(), <[usize]>::len) as f64,
        }
    }

    /// Adds the location's columns times factors to a gradient.
    pub(super) fn add_location(
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
    pub(super) fn add_scale(
        &self,
        average: &mut Average,
        head: &Head<'_>,
        rows: Option<&[usize]>,
        factors: &[f64],
        sign: f64,
    ) {
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
    pub(super) fn add_line_slopes(
        &self,
        average: &mut Average,
        head: &Head<'_>,
        rows: Option<&[usize]>,
        tangents: &Tangents,
    ) {
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
pub(super) struct SlopeParts {
    values: Vec<f64>,
    /// What multiplies the derivatives of the location's columns, these columns, and the same of the scale.
    factors: [Vec<f64>; 4],
    reads_scale: bool,
}

impl SlopeParts {
    pub(super) fn new(
        side: &Side<'_>,
        head: &Head<'_>,
        jets: &Jets,
        tangents: &Tangents,
        slope: Slope,
        x: &[f64],
    ) -> Self {
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

    pub(super) fn add(
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
