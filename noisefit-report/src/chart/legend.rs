//! Which series a legend names, and how its entries and a title fill lines.

use crate::chart::{Chart, Colour, Mark};
use crate::text::clean;

/// Characters of an entry, at most.
const LONGEST: usize = 44;

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) colour: Colour,
}

/// The entries of a chart: series that have a name, each name and mark once. One alone is told by title and axes.
pub(super) fn entries(chart: &Chart) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for series in chart.series.iter().filter(|series| !series.name.is_empty()) {
        let entry = Entry { name: clean(&series.name, LONGEST), mark: series.mark, colour: series.colour };
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    if found.len() > 1 { found } else { Vec::new() }
}

/// How wide a text of a size is, about: fonts differ.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
            'A'..='Z' => 0.7,
            c if (c as u32) < 0x2E80 => 0.6,
            // Letters as wide as they are high.
            _ => 1.0,
        })
        .sum();
    units * size
}

/// Puts entries of given widths into lines: the line and the place of each, and the number of lines.
pub(super) fn flow(widths: &[f64], gap: f64, available: f64) -> (Vec<(usize, f64)>, usize) {
    let (mut line, mut place, mut places) = (0, 0.0, Vec::new());
    for width in widths {
        if place > 0.0 && place + width > available {
            line += 1;
            place = 0.0;
        }
        places.push((line, place));
        place += width + gap;
    }
    let lines = if widths.is_empty() { 0 } else { line + 1 };
    (places, lines)
}

/// A text in lines of a width, words kept whole where they fit.
pub(super) fn lines(text: &str, size: f64, available: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || width_of(&joined, size) <= available {
            line = joined;
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
        while width_of(&line, size) > available && line.chars().count() > 1 {
            let mut head = String::new();
            let mut rest = line.chars();
            for c in rest.by_ref() {
                head.push(c);
                if width_of(&head, size) > available {
                    break;
                }
            }
            let rest: String = rest.collect();
            if rest.is_empty() {
                break;
            }
            lines.push(head);
            line = rest;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_fill_lines() {
        let (places, count) = flow(&[100.0, 100.0, 150.0], 10.0, 215.0);
        assert_eq!((places, count), (vec![(0, 0.0), (0, 110.0), (1, 0.0)], 2));
        assert_eq!(lines("a bb ccc", 10.0, 25.0), ["a bb", "ccc"]);
        let long = lines(&"x".repeat(40), 10.0, 60.0);
        assert!(long.len() >= 4 && long.concat() == "x".repeat(40));
    }
}
