//! The course of a training.

use noisefit_core::network::Epoch;

use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::text::{clean, count_of};

/// Points of a curve, at most: of a longer one every so many epochs are drawn.
const POINTS: usize = 400;

/// Members whose curves are drawn, at most, and coefficients that have a chart of their own.
const MEMBERS: usize = 6;
const COEFFICIENTS: usize = 6;

const COLOURS: [Colour; MEMBERS] =
    [Colour::Blue, Colour::Vermillion, Colour::Green, Colour::Purple, Colour::Orange, Colour::Sky];

/// The epochs of which something is drawn: all, or every so many and the last.
fn drawn(count: usize) -> Vec<usize> {
    let every = count.div_ceil(POINTS).max(1);
    let mut places: Vec<usize> = (0..count).step_by(every).collect();
    if count > 0 && places.last() != Some(&(count - 1)) {
        places.push(count - 1);
    }
    places
}

fn note(count: usize, members: usize) -> Option<String> {
    let every = count.div_ceil(POINTS).max(1);
    let thinned = (every > 1).then(|| format!("Every {every}th epoch."));
    let fewer = (members > MEMBERS).then(|| format!("The first {MEMBERS} of {}.", count_of(members as u64, "member")));
    let all: Vec<String> = thinned.into_iter().chain(fewer).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// The loss of every member, epoch by epoch, over the rows that were learned from and over the validation rows; `loss` is what it
/// is. None without epochs.
pub fn losses_by_epoch(epochs: &[Vec<Epoch>], best: &[u64], loss: &str) -> Option<Chart> {
    let longest = epochs.iter().map(Vec::len).max().filter(|count| *count > 0)?;
    let mut series = Vec::new();
    let several = epochs.len() > 1;
    for (k, epochs) in epochs.iter().take(MEMBERS).enumerate() {
        let places = drawn(epochs.len());
        let number = places.iter().map(|&i| epochs[i].epoch as f64 + 1.0).collect::<Vec<f64>>();
        let member = if several { format!(" {}", k + 1) } else { String::new() };
        let colour = |of_validation: bool| match several {
            true => COLOURS[k],
            false if of_validation => Colour::Vermillion,
            false => Colour::Blue,
        };
        if epochs.iter().any(|epoch| epoch.validation.is_some()) {
            let values = places.iter().map(|&i| epochs[i].validation.unwrap_or(f64::NAN)).collect();
            let name = format!("validation{member}");
            let columns = [("epoch", number.clone()), ("validation_loss", values)];
            series.push(Series::new(name, Mark::Dashed, colour(true), &columns));
        }
        let values = places.iter().map(|&i| epochs[i].loss).collect();
        series.push(Series::new(
            format!("training{member}"),
            Mark::Line,
            colour(false),
            &[("epoch", number), ("loss", values)],
        ));
    }
    if let ([best], false) = (best, several) {
        let at = vec![*best as f64 + 1.0];
        series.push(Series::new("parameters kept", Mark::Vertical, Colour::Grey, &[("epoch", at)]));
    }
    Some(Chart {
        kind: Kind::Loss,
        title: "Loss, epoch by epoch".to_owned(),
        caption: format!(
            "The mean {loss} of the batches, each before its step, and of the validation rows after the epoch. Where the second climbs \
             while the first falls, rows are learned by heart; the parameters are those of the best epoch."
        ),
        note: note(longest, epochs.len()),
        x: Axis::new("epoch"),
        y: Axis::new(loss),
        y2: None,
        series,
    })
}

/// Each coefficient of a linear model epoch by epoch: of every member its lines, one an epoch with the intercept first, and the exact
/// estimates where they are known.
pub fn traces(terms: &[String], members: &[Vec<Vec<f64>>], exact: Option<&[Option<f64>]>) -> Vec<Chart> {
    let longest = members.iter().map(Vec::len).max().unwrap_or(0);
    let chart = |(j, term): (usize, &String)| {
        let several = members.len() > 1;
        let line = |(k, lines): (usize, &Vec<Vec<f64>>)| {
            let places = drawn(lines.len());
            let value = |i: &usize| lines[*i].get(j).copied().unwrap_or(f64::NAN);
            let name = if several { format!("member {}", k + 1) } else { "trained".to_owned() };
            let columns = [
                ("epoch", places.iter().map(|i| *i as f64 + 1.0).collect()),
                ("coefficient", places.iter().map(value).collect()),
            ];
            Series::new(name, Mark::Line, COLOURS[k % MEMBERS], &columns)
        };
        let mut series: Vec<Series> = members.iter().take(MEMBERS).enumerate().map(line).collect();
        let known = exact.and_then(|exact| exact.get(j).copied().flatten());
        if let Some(value) = known {
            series.insert(0, Series::new("exact", Mark::Horizontal, Colour::Vermillion, &[("exact", vec![value])]));
        }
        let caption = match known {
            Some(value) => format!(
                "From step to step towards the exact estimate {}, the dashed line.",
                crate::text::significant(value, 6)
            ),
            None => "From epoch to epoch.".to_owned(),
        };
        Chart {
            kind: Kind::Traces,
            title: clean(term, 60),
            caption,
            note: note(longest, members.len()),
            x: Axis::new("epoch"),
            y: Axis::new(if term == "(Intercept)" { "intercept".to_owned() } else { format!("coefficient of {term}") }),
            y2: None,
            series,
        }
    };
    match longest {
        0 => Vec::new(),
        _ => terms.iter().enumerate().take(COEFFICIENTS).map(chart).collect(),
    }
}
