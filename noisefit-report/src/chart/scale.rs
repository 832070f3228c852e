//! Ranges of axes and where their ticks are.

use crate::chart::{Axis, Chart, Mark, Series};

/// From where to where an axis goes, and how far its ticks are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    X,
    Y,
    SecondY,
}

impl Range {
    /// The range of an axis with about so many ticks.
    pub(super) fn of(chart: &Chart, along: Along, ticks: f64) -> Self {
        let axis = match along {
            Along::X => Some(&chart.x),
            Along::Y => Some(&chart.y),
            Along::SecondY => chart.y2.as_ref(),
        };
        if let Some(count) = axis.and_then(|axis| axis.categories.as_ref()).map(Vec::len) {
            return Range { low: 0.4, high: count as f64 + 0.6, step: 1.0 };
        }
        let (low, high) = axis.and_then(given).unwrap_or_else(|| padded(chart, along));
        Range { low, high, step: step((high - low) / ticks.max(1.0)) }
    }

    /// A tick as text, to as many decimals as tell it from the next.
    pub(super) fn label(&self, tick: f64) -> String {
        label(tick, self.step, self.low.abs().max(self.high.abs()))
    }
}

impl Range {
    /// A tick that the library chose as text, to as many decimals as it has.
    pub(super) fn label_of(&self, tick: f64) -> String {
        let near = |k: &i32| {
            let unit = 10f64.powi(*k);
            ((tick * unit).round() / unit - tick).abs() <= 1e-9 * (self.high - self.low)
        };
        let places = (0..12).find(near).unwrap_or(0);
        label(tick, 10f64.powi(-places), self.low.abs().max(self.high.abs()))
    }
}

fn given(axis: &Axis) -> Option<(f64, f64)> {
    axis.range.filter(|(low, high)| low < high && (high - low).is_finite())
}

/// What holds all numbers, with a margin. Bars stand on zero.
fn padded(chart: &Chart, along: Along) -> (f64, f64) {
    let mut bounds = (f64::INFINITY, f64::NEG_INFINITY);
    let mut stands = false;
    for series in &chart.series {
        if along != Along::X && series.on_second_axis != (along == Along::SecondY) {
            continue;
        }
        for &column in extents(series, along) {
            for value in series.values(column).iter().filter(|value| value.is_finite()) {
                bounds = (bounds.0.min(*value), bounds.1.max(*value));
            }
        }
        stands |= series.mark == Mark::Bars && along == Along::Y;
    }
    if stands {
        return (0.0, if bounds.1 > 0.0 { 1.06 * bounds.1 } else { 1.0 });
    }
    let (low, high) = match bounds {
        (low, high) if low < high => bounds,
        (low, _) if low.is_finite() => {
            let room = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
            (low - room, low + room)
        }
        _ => (0.0, 1.0),
    };
    let margin = 0.04 * (high - low);
    match margin.is_finite() {
        true => (low - margin, high + margin),
        // Numbers at the end of what doubles hold.
        false => (0.5 * low, 0.5 * high),
    }
}

/// The columns of a series that lie along an axis.
fn extents(series: &Series, along: Along) -> &'static [usize] {
    match (series.mark, along) {
        (Mark::Points | Mark::Line | Mark::Dashed | Mark::Dotted | Mark::Band | Mark::Vertical, Along::X) => &[0],
        (Mark::Points | Mark::Line | Mark::Dashed | Mark::Dotted, _) => &[1],
        (Mark::Band, _) => &[1, 2],
        (Mark::Bars, Along::X) => &[0, 1],
        (Mark::Bars, _) => &[2],
        (Mark::Intervals, Along::X) => &[0, 2, 3],
        (Mark::Horizontal, Along::Y | Along::SecondY) => &[0],
        (Mark::Intervals | Mark::Vertical, _) | (Mark::Horizontal, Along::X) => &[],
    }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is no less.
fn step(least: f64) -> f64 {
    if !(least > 0.0 && least.is_finite()) {
        return 1.0;
    }
    let unit = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * unit >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * unit
}

fn label(tick: f64, step: f64, largest: f64) -> String {
    // What rounding leaves of zero.
    let tick = if tick.abs() < 1e-9 * step { 0.0 } else { tick };
    let places = |step: f64| {
        (0..15).find(|&k| (step * 10f64.powi(k)).fract().abs() < 1e-6 || (step * 10f64.powi(k)).fract() > 1.0 - 1e-6)
    };
    if tick == 0.0 || (largest < 1e6 && step >= 1e-4) {
        return match places(step) {
            Some(places) if tick != 0.0 => minus(format!("{tick:.*}", places as usize)),
            _ => minus(format!("{tick}")),
        };
    }
    // Digits from the first of the tick to the last that the step changes.
    let digits = (tick.abs().log10().floor() - step.log10().floor()).clamp(0.0, 8.0) as usize;
    let digits = if (step / 10f64.powf(step.log10().floor())).fract() > 1e-6 { digits + 1 } else { digits };
    let text = format!("{tick:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    minus(format!("{mantissa}e{exponent}"))
}

/// A hyphen as the sign that it stands for.
fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (least, expected) in [(0.3, 0.5), (0.21, 0.25), (17.0, 20.0), (51.0, 100.0), (1.0, 1.0), (1e-9, 1e-9)] {
            assert!((step(least) / expected - 1.0).abs() < 1e-9, "{least}: {}", step(least));
        }
        for (tick, step, largest, text) in [
            (0.30000000000000004, 0.1, 1.0, "0.3"),
            (-0.25, 0.25, 1.0, "\u{2212}0.25"),
            (1500.0, 500.0, 2000.0, "1500"),
            (2.5e6, 5e5, 4e6, "2.5e6"),
            (1.0, 0.5, 3.0, "1.0"),
            (1e-17, 0.1, 1.0, "0"),
            (3e-9, 1e-9, 4e-9, "3e\u{2212}9"),
        ] {
            assert_eq!(label(tick, step, largest), text);
        }
    }
}
