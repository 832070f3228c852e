//! Groups of rows by the values of columns: which rows are of which group, and the rows of a group as a frame of their own.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::frame::{Column, Field, Frame, Kind, MISSING};
use crate::read::shown_value;

/// The values of the columns that make groups, in a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Vec<Part>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    /// The bits of both words.
    Number(u64, u64),
    Text(Arc<str>),
    Missing,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    /// A number, a date or a point in time, as frames have them: `high + low`.
    Number {
        /// The double.
        high: f64,
        /// What it leaves out.
        low: f64,
    },
    /// A text, or true or false.
    Text(String),
    /// A missing value.
    Missing,
}

impl Part {
    fn order(&self, other: &Part) -> Ordering {
        let number = |x: &u64| f64::from_bits(*x);
        match (self, other) {
            (Part::Number(a, low_a), Part::Number(b, low_b)) => {
                number(a).total_cmp(&number(b)).then_with(|| number(low_a).total_cmp(&number(low_b)))
            }
            (Part::Text(a), Part::Text(b)) => a.cmp(b),
            (Part::Missing, Part::Missing) => Ordering::Equal,
            // What is missing comes last.
            (Part::Missing, _) | (Part::Text(_), Part::Number(..)) => Ordering::Greater,
            (_, Part::Missing) | (Part::Number(..), Part::Text(_)) => Ordering::Less,
        }
    }

    fn value(&self) -> KeyValue {
        match self {
            Part::Number(high, low) => KeyValue::Number { high: f64::from_bits(*high), low: f64::from_bits(*low) },
            Part::Text(text) => KeyValue::Text(text.to_string()),
            Part::Missing => KeyValue::Missing,
        }
    }
}

impl KeyValue {
    /// The value as text, of a column of some kind; `NA` where it is missing.
    pub fn shown(&self, kind: Kind) -> String {
        match self {
            KeyValue::Number { high, low } => shown_value(kind, *high, *low),
            KeyValue::Text(text) => text.clone(),
            KeyValue::Missing => "NA".to_owned(),
        }
    }
}

impl Key {
    /// In increasing order: numbers by size, texts by their bytes, what is missing last.
    pub fn order(&self, other: &Key) -> Ordering {
        self.0.iter().zip(&other.0).map(|(a, b)| a.order(b)).fold(Ordering::Equal, Ordering::then)
    }

    /// The values.
    pub fn values(&self) -> Vec<KeyValue> {
        self.0.iter().map(Part::value).collect()
    }

    /// The values as text, of columns of these fields.
    pub fn shown(&self, fields: &[Field]) -> Vec<String> {
        self.0.iter().zip(fields).map(|(part, field)| part.value().shown(field.kind)).collect()
    }
}

/// The groups met so far, in the order in which they were met.
///
/// ```
/// use noisefit_data::frame::{Column, Frame};
/// use noisefit_data::groups::Groups;
///
/// let text = Column::Category { codes: vec![0, 1, 0], levels: ["b".to_owned(), "a".to_owned()].into() };
/// let frame = Frame { file: 0, first_record: 0, rows: 3, columns: vec![text] };
/// let mut groups = Groups::default();
/// assert_eq!(groups.of_rows(&frame, &[0]), Some(vec![0, 1, 0]));
/// assert_eq!(groups.keys().len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Groups {
    places: HashMap<Key, usize>,
    keys: Vec<Key>,
    /// The texts met, so that each is held once.
    texts: HashMap<Arc<str>, u64>,
    by_number: Vec<Arc<str>>,
    /// Groups by what stands for the values of their columns.
    tokens: HashMap<Box<[u64]>, usize>,
}

/// Before the token of a text, a missing value, and the two words of a number.
const TEXT: u64 = 0;
const ABSENT: u64 = 1;
const NUMBER: u64 = 2;

impl Groups {
    /// The groups.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The same, given up.
    pub fn into_keys(self) -> Vec<Key> {
        self.keys
    }

    /// The number of a group, a new one where it was not met before.
    pub fn number(&mut self, key: Key) -> usize {
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
    pub fn of_rows(&mut self, frame: &Frame, places: &[usize]) -> Option<Vec<usize>> {
        if places.is_empty() {
            self.number(Key(Vec::new()));
            return None;
        }
        // What stands for each level of each column.
        let levels: Vec<Vec<u64>> = places.iter().map(|&place| self.level_tokens(&frame.columns[place])).collect();
        let (mut last, mut tokens, mut number) = (Vec::new(), Vec::with_capacity(3 * places.len()), 0);
        let mut numbers = Vec::with_capacity(frame.rows);
        for row in 0..frame.rows {
            tokens.clear();
            for (&place, levels) in places.iter().zip(&levels) {
                push_token(&mut tokens, &frame.columns[place], levels, row);
            }
            if row == 0 || tokens != last {
                number = match self.tokens.get(&tokens[..]) {
                    Some(&known) => known,
                    None => {
                        let key = self.key(&tokens);
                        let number = self.number(key);
                        self.tokens.insert(tokens.clone().into(), number);
                        number
                    }
                };
                std::mem::swap(&mut last, &mut tokens);
            }
            numbers.push(number);
        }
        Some(numbers)
    }

    fn level_tokens(&mut self, column: &Column) -> Vec<u64> {
        let Column::Category { levels, .. } = column else { return Vec::new() };
        let token = |level: &String| {
            if let Some(&known) = self.texts.get(level.as_str()) {
                return known;
            }
            let (next, text) = (self.by_number.len() as u64, Arc::<str>::from(level.as_str()));
            self.by_number.push(Arc::clone(&text));
            self.texts.insert(text, next);
            next
        };
        levels.iter().map(token).collect()
    }

    fn key(&self, tokens: &[u64]) -> Key {
        let part = |token: &[u64]| match token[0] {
            TEXT => self.by_number.get(token[1] as usize).map_or(Part::Missing, |text| Part::Text(Arc::clone(text))),
            ABSENT => Part::Missing,
            _ => Part::Number(token[1], token[2]),
        };
        Key(tokens.chunks_exact(3).map(part).collect())
    }
}

fn push_token(tokens: &mut Vec<u64>, column: &Column, levels: &[u64], row: usize) {
    tokens.extend(match column {
        Column::Number { high, .. } if high[row].is_nan() => [ABSENT, 0, 0],
        Column::Number { high, low } => {
            let low = low.as_ref().map_or(0.0, |low| low[row]);
            // What a double leaves out of a decimal makes no other group; zero has two signs and is one.
            let low = if low.abs() >= 1.0 && high[row].fract() == 0.0 { low } else { 0.0 };
            [NUMBER, (high[row] + 0.0).to_bits(), (low + 0.0).to_bits()]
        }
        Column::Category { codes, .. } => match levels.get(codes[row] as usize) {
            Some(&level) if codes[row] != MISSING => [TEXT, level, 0],
            _ => [ABSENT, 0, 0],
        },
    });
}

/// Consecutive rows of one of several frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Which frame.
    pub frame: u32,
    /// The first row.
    pub start: u32,
    /// How many.
    pub count: u32,
}

impl Rows {
    /// Adds a row to runs of them.
    pub fn extend(runs: &mut Vec<Rows>, frame: u32, row: u32) {
        match runs.last_mut().filter(|last| last.frame == frame && last.start + last.count == row) {
            Some(last) => last.count += 1,
            None => runs.push(Rows { frame, start: row, count: 1 }),
        }
    }
}

/// Some columns of runs of rows, as a frame of their own, whose levels are those that these rows have.
pub fn gathered(frames: &[Frame], runs: &[Rows], columns: usize) -> Frame {
    let rows = runs.iter().map(|run| run.count as usize).sum();
    let column = |place: usize| gathered_column(frames, runs, place, rows);
    Frame { file: 0, first_record: 0, rows, columns: (0..columns).map(column).collect() }
}

fn gathered_column(frames: &[Frame], runs: &[Rows], place: usize, rows: usize) -> Column {
    let of =
        |run: &Rows| (&frames[run.frame as usize].columns[place], run.start as usize..(run.start + run.count) as usize);
    if matches!(runs.first().map(of), Some((Column::Category { .. }, _))) {
        let (mut all, mut levels) = (Vec::with_capacity(rows), Vec::<String>::new());
        // Codes of the frame at hand, and what they are here.
        let (mut frame, mut known) = (u32::MAX, HashMap::<u32, u32>::new());
        let mut last = (MISSING, MISSING);
        for run in runs {
            let (Column::Category { codes, levels: own }, range) = of(run) else { continue };
            if run.frame != frame {
                (frame, last) = (run.frame, (MISSING, MISSING));
                known.clear();
            }
            for &code in &codes[range] {
                if code != last.0 {
                    let new = match code {
                        MISSING => MISSING,
                        code => *known.entry(code).or_insert_with(|| {
                            let text = own.get(code as usize).map_or("", String::as_str);
                            let found = levels.iter().position(|level| level == text).unwrap_or_else(|| {
                                levels.push(text.to_owned());
                                levels.len() - 1
                            });
                            found as u32
                        }),
                    };
                    last = (code, new);
                }
                all.push(last.1);
            }
        }
        return Column::Category { codes: all, levels: levels.into() };
    }
    let mut high = Vec::with_capacity(rows);
    let has_low = runs.iter().any(|run| matches!(of(run).0, Column::Number { low: Some(_), .. }));
    let mut lows = Vec::with_capacity(if has_low { rows } else { 0 });
    for run in runs {
        let (Column::Number { high: own, low }, range) = of(run) else { continue };
        high.extend_from_slice(&own[range.clone()]);
        match low {
            Some(low) => lows.extend_from_slice(&low[range]),
            None if has_low => lows.resize(high.len(), 0.0),
            None => {}
        }
    }
    Column::Number { high, low: has_low.then_some(lows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(texts: &[&str], numbers: &[f64]) -> Frame {
        let mut levels: Vec<String> = Vec::new();
        let code = |text: &&str| {
            if *text == "NA" {
                return MISSING;
            }
            let found = levels.iter().position(|level| level == text);
            found.unwrap_or_else(|| {
                levels.push((*text).to_owned());
                levels.len() - 1
            }) as u32
        };
        let codes = texts.iter().map(code).collect();
        let columns = vec![
            Column::Category { codes, levels: levels.into() },
            Column::Number { high: numbers.to_vec(), low: None },
        ];
        Frame { file: 0, first_record: 0, rows: texts.len(), columns }
    }

    #[test]
    fn groups_are_told_across_frames() {
        let mut groups = Groups::default();
        let one = frame(&["b", "a", "NA", "b"], &[1.0, 2.0, 1.0, 1.0]);
        let other = frame(&["a", "b", "b"], &[2.0, -0.0, 0.0]);
        assert_eq!(groups.of_rows(&one, &[0, 1]), Some(vec![0, 1, 2, 0]));
        assert_eq!(groups.of_rows(&other, &[0, 1]), Some(vec![1, 3, 3]));
        let fields = [("g", Kind::Text), ("x", Kind::Number)].map(|(name, kind)| Field::new(name, kind));
        let mut keys = groups.into_keys();
        assert_eq!(keys[1].shown(&fields), ["a", "2"]);
        keys.sort_by(Key::order);
        let shown: Vec<String> = keys.iter().map(|key| key.shown(&fields).join(" ")).collect();
        assert_eq!(shown, ["a 2", "b 0", "b 1", "NA 1"]);
    }

    #[test]
    fn rows_are_gathered_with_their_own_levels() {
        let frames = [frame(&["b", "a", "c"], &[1.0, 2.0, 3.0]), frame(&["c", "NA", "b"], &[4.0, 5.0, 6.0])];
        let mut runs = Vec::new();
        for (frame, row) in [(0, 1), (0, 2), (1, 0), (1, 1)] {
            Rows::extend(&mut runs, frame, row);
        }
        assert_eq!(runs.len(), 2);
        let found = gathered(&frames, &runs, 2);
        let Column::Category { codes, levels } = &found.columns[0] else { unreachable!() };
        assert_eq!((&codes[..], &levels[..]), (&[0, 1, 1, MISSING][..], &["a".to_owned(), "c".to_owned()][..]));
        let Column::Number { high, low } = &found.columns[1] else { unreachable!() };
        assert_eq!((&high[..], low), (&[2.0, 3.0, 4.0, 5.0][..], &None));
    }
}
