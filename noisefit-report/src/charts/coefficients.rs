//! Coefficients with their intervals.

use noisefit_core::record::{Coefficient, Confint, Fit};

use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::text::{count_of, percent};

/// Terms that are drawn, at most.
const MOST: usize = 30;

/// Estimates and confidence intervals of the location's coefficients; none where there are no slopes.
pub fn coefficients(fit: &Fit) -> Option<Chart> {
    chart(&[(String::new(), fit)])
}

/// The same of several quantiles, one below the other for each term.
pub fn quantile_coefficients(fits: &[Fit]) -> Option<Chart> {
    let named: Vec<(String, &Fit)> = fits.iter().map(|fit| (fit.noise.to_string(), fit)).collect();
    chart(&named)
}

fn chart(fits: &[(String, &Fit)]) -> Option<Chart> {
    let (_, first) = fits.first()?;
    let skipped = usize::from(first.location.intercept && first.location.rows.len() > 1);
    let mut places: Vec<usize> =
        (skipped..first.location.rows.len()).filter(|&j| first.location.rows[j].estimate.is_some()).collect();
    let known = places.len();
    if known > MOST {
        let size = |j: &usize| first.location.rows[*j].statistic.map_or(0.0, f64::abs);
        places.sort_by(|a, b| size(b).total_cmp(&size(a)));
        places.truncate(MOST);
        places.sort_unstable();
    }
    let colours = [Colour::Blue, Colour::Vermillion, Colour::Green, Colour::Purple, Colour::Orange, Colour::Sky];
    let series = |(k, (name, fit)): (usize, &(String, &Fit))| {
        let rows: Vec<&Coefficient> = places.iter().filter_map(|&j| fit.location.rows.get(j)).collect();
        let column = |of: fn(&Coefficient) -> Option<f64>| rows.iter().map(|row| of(row).unwrap_or(f64::NAN)).collect();
        let shift = if fits.len() > 1 { 0.6 * ((k as f64 + 0.5) / fits.len() as f64 - 0.5) } else { 0.0 };
        let columns = [
            ("estimate", column(|row| row.estimate)),
            ("term", (0..rows.len()).map(|i| i as f64 + 1.0 + shift).collect()),
            ("conf_low", column(|row| row.conf_low)),
            ("conf_high", column(|row| row.conf_high)),
        ];
        Series::new(name.clone(), Mark::Intervals, colours[k % colours.len()], &columns)
    };
    let mut all = vec![Series::new("", Mark::Vertical, Colour::Grey, &[("zero", vec![0.0])])];
    all.extend(fits.iter().enumerate().map(series));
    let terms: Vec<String> = places.iter().map(|&j| first.location.rows[j].term.clone()).collect();
    if terms.is_empty() {
        return None;
    }
    let from = match first.confint {
        Confint::Wald => String::new(),
        _ => " by profile likelihood".to_owned(),
    };
    let mut notes = Vec::new();
    if skipped > 0 {
        notes.push("The intercept is in the table.".to_owned());
    }
    if known > terms.len() {
        notes.push(format!("The {} with the largest statistics, of {known}.", count_of(terms.len() as u64, "term")));
    }
    Some(Chart {
        kind: Kind::Coefficients,
        title: "Coefficients".to_owned(),
        caption: format!(
            "Each estimate with its {} confidence interval{from}; the dashed line is zero.",
            percent(first.level)
        ),
        note: (!notes.is_empty()).then(|| notes.join(" ")),
        x: Axis::new("estimate"),
        y: Axis { categories: Some(terms), ..Axis::default() },
        y2: None,
        series: all,
    })
}
