//! Groups of rows by the values of columns.

use std::cmp::Ordering;
use std::collections::HashMap;

use noisefit_data::frame::{Column, Field, Frame, Kind, MISSING};

/// The values of the columns that make groups, in a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    /// The bits of both words.
    Number(u64, u64),
    Text(String),
    Missing,
}

impl Part {
    fn order(&self, other: &Part) -> Ordering {
        match (self, other) {
            (Part::Number(a, low_a), Part::Number(b, low_b)) => {
                let by = |x: &u64, y: &u64| f64::from_bits(*x).total_cmp(&f64::from_bits(*y));
                by(a, b).then_with(|| by(low_a, low_b))
            }
            (Part::Text(a), Part::Text(b)) => a.cmp(b),
            (Part::Missing, Part::Missing) => Ordering::Equal,
            // What is missing comes last.
            (Part::Missing, _) => Ordering::Greater,
            (_, Part::Missing) => Ordering::Less,
            (Part::Number(..), Part::Text(_)) => Ordering::Less,
            (Part::Text(_), Part::Number(..)) => Ordering::Greater,
        }
    }

    fn shown(&self, kind: Kind) -> String {
        match self {
            Part::Number(high, low) => {
                noisefit_data::read::shown_value(kind, f64::from_bits(*high), f64::from_bits(*low))
            }
            Part::Text(text) => text.clone(),
            Part::Missing => "NA".to_owned(),
        }
    }
}

impl Key {
    /// In increasing order: numbers by size, texts by their bytes, what is missing last.
    pub(super) fn order(&self, other: &Key) -> Ordering {
        let pairs = self.0.iter().zip(&other.0).map(|(a, b)| a.order(b));
        pairs.fold(Ordering::Equal, Ordering::then)
    }

    /// The values as text, of columns of these fields.
    pub(super) fn shown(&self, fields: &[Field]) -> Vec<String> {
        self.0.iter().zip(fields).map(|(part, field)| part.shown(field.kind)).collect()
    }
}

/// The groups met so far, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Groups {
    places: HashMap<Key, usize>,
    pub(super) keys: Vec<Key>,
}

impl Groups {
    /// The number of a group.
    pub(super) fn number(&mut self, key: Key) -> usize {
        if let Some(&known) = self.places.get(&key) {
            return known;
        }
        let next = self.keys.len();
        self.keys.push(key.clone());
        self.places.insert(key, next);
        next
    }

    /// The numbers of the groups of a frame's rows, by the columns at these places; none where there are no columns, and all rows are one
    /// group.
    pub(super) fn of_rows(&mut self, frame: &Frame, places: &[usize]) -> Option<Vec<usize>> {
        if places.is_empty() {
            self.number(Key(Vec::new()));
            return None;
        }
        let part = |place: usize, row: usize| match &frame.columns[place] {
            Column::Number { high, .. } if high[row].is_nan() => Part::Missing,
            Column::Number { high, low } => {
                let low = low.as_ref().map_or(0.0, |low| low[row]);
                // What a double leaves out of a decimal makes no other group.
                let low = if low.abs() >= 1.0 && high[row].fract() == 0.0 { low } else { 0.0 };
                Part::Number((high[row] + 0.0).to_bits(), (low + 0.0).to_bits())
            }
            Column::Category { codes, .. } if codes[row] == MISSING => Part::Missing,
            Column::Category { codes, levels } => {
                levels.get(codes[row] as usize).map_or(Part::Missing, |level| Part::Text(level.clone()))
            }
        };
        let mut last: Option<(Key, usize)> = None;
        let number = |row: usize| {
            let key = Key(places.iter().map(|&place| part(place, row)).collect());
            if let Some((_, known)) = last.as_ref().filter(|(before, _)| *before == key) {
                return *known;
            }
            let number = self.number(key.clone());
            last = Some((key, number));
            number
        };
        Some((0..frame.rows).map(number).collect())
    }
}
