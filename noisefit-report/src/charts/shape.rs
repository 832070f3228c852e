//! Whether the noise has the shape of its family.

use noisefit_core::inference::sketch::Sketched;
use noisefit_core::noise::{Compared, FAMILIES, Noise, StudentT};
use noisefit_core::record::Fit;

use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::charts::common::{grid, style_of};
use crate::text::{count_of, percent};

/// The normal quantile of 97.5%: bands hold 95%.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Points of a curve.
const POINTS: usize = 161;

/// Rivals that are drawn, at most.
const RIVALS: usize = 3;

/// Quantiles of the residuals against those of the fitted noise, with a band for each point by itself.
pub fn quantiles(rows: &Sketched) -> Chart {
    let (n, family) = (rows.observations, rows.noise.family());
    let quantile = |p: f64| if p <= 0.5 { family.quantile(p) } else { family.upper_quantile(1.0 - p) };
    let counted = match rows.is_complete() {
        true => {
            let mut sorted: Vec<(f64, f64)> = rows.rows.iter().map(|row| (row.standardised, row.frequency)).collect();
            sorted.retain(|(r, _)| r.is_finite());
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut before = 0.0;
            let mut point = |(r, frequency): (f64, f64)| {
                before += frequency;
                (r, before - 0.5 * frequency)
            };
            sorted.into_iter().map(&mut point).collect::<Vec<_>>()
        }
        false => rows.counts_up_to().into_iter().filter(|(_, count)| *count < n).collect(),
    };
    let (mut expected, mut found, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (r, count) in counted {
        let p = count / n;
        // The shares that a count of so many does not speak against (Wilson 1927).
        let z = NORMAL_95 * NORMAL_95 / n;
        let half = NORMAL_95 * (p * (1.0 - p) / n + z / (4.0 * n)).sqrt();
        let share = |half: f64| (p + 0.5 * z + half) / (1.0 + z);
        expected.push(quantile(p));
        found.push(r);
        low.push(quantile(share(-half).max(f64::MIN_POSITIVE)));
        high.push(quantile(share(half).min(1.0 - 1e-16)));
    }
    let ends: Vec<f64> = [expected.first(), expected.last()].into_iter().flatten().copied().collect();
    let note = (!rows.is_complete()).then(|| {
        format!(
            "Each point counts all {} up to its height: exact, and a twentieth of a scale from the next.",
            rows.observations
        )
    });
    Chart {
        kind: Kind::Quantiles,
        title: format!("Quantiles against {}", rows.noise),
        caption: format!(
            "Residuals in scales, in order, against what {} has at the same place. On the line the noise is as fitted; the band \
             holds about 95% of the samples at each place by itself.",
            rows.noise.noun()
        ),
        note,
        x: Axis::new(format!("quantile of {}", rows.noise.noun())),
        y: Axis::new("standardised residual"),
        y2: None,
        series: vec![
            Series::new(
                "95% at each place",
                Mark::Band,
                Colour::Vermillion,
                &[("expected", expected.clone()), ("low", low), ("high", high)],
            ),
            Series::new("", Mark::Dashed, Colour::Grey, &[("expected", ends.clone()), ("equal", ends)]),
            Series::new("residuals", Mark::Points, Colour::Blue, &[("expected", expected), ("standardised", found)]),
        ],
    }
}

/// Another noise for the same residuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rival {
    /// The noise.
    pub noise: Noise,
    /// Its scale in scales of the fit.
    pub scale: f64,
    /// The log-likelihood by which rivals are ranked: of its fit, or of the residuals that were drawn, in scales of the fit.
    pub log_likelihood: f64,
}

/// Other noises for the same residuals, the likeliest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rivals {
    found: Vec<Rival>,
    /// What is said of their densities.
    said: &'static str,
}

impl Rivals {
    /// Those of fits of other noise to the same rows, each at the scale of its fit; none where the scale of `fit` is modelled, or no
    /// other has one scale.
    pub fn of_fits(fit: &Fit, others: &[&Fit]) -> Option<Self> {
        let own = fit.scale.common().filter(|scale| *scale > 0.0)?;
        let rival = |other: &&Fit| {
            let (scale, log_likelihood) = (other.scale.common()?, other.log_likelihood()?);
            Some(Rival { noise: other.noise, scale: scale / own, log_likelihood })
        };
        let others = others.iter().filter(|other| other.noise.family().name() != fit.noise.family().name());
        let found: Vec<Rival> = others.filter_map(rival).collect();
        let said =
            " The dashed densities are those of the likeliest other fits to the same rows, each at its own scale.";
        (!found.is_empty()).then(|| Rivals { found, said }.ranked())
    }

    /// The families that are compared by default, about the fitted location and each at the scale that makes the residuals that
    /// were drawn likeliest; that of the fit is not among them.
    pub fn of_residuals(rows: &Sketched) -> Self {
        let residuals: Vec<f64> = rows.rows.iter().map(|row| row.standardised).filter(|r| r.is_finite()).collect();
        let rival = |noise: Noise| {
            let family = noise.family();
            let scale = family.maximum_likelihood_scale(&residuals, None).ok().filter(|scale| *scale > 0.0)?;
            let terms = residuals.iter().map(|r| -family.negative_log_density(r / scale) - scale.ln());
            Some(Rival { noise, scale, log_likelihood: terms.sum() })
        };
        let by_default = FAMILIES
            .iter()
            .filter(|family| matches!(family.description.compared, Compared::ByDefault | Compared::ByDefaultWithScale));
        let found: Vec<Rival> = by_default
            .filter_map(|family| family.unparametrised())
            .filter(|noise| noise.family().name() != rows.noise.family().name())
            .filter_map(|noise| match noise {
                // The likeliest of some degrees of freedom.
                Noise::StudentT(_) => {
                    let dfs = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0];
                    let all = dfs.into_iter().filter_map(|df| rival(StudentT::estimated(df).into()));
                    all.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))
                }
                noise => rival(noise),
            })
            .collect();
        let said = match (found.is_empty(), rows.is_complete()) {
            (true, _) => "",
            (false, true) => {
                " The dashed densities are the likeliest other families about the same location, each at its own likeliest scale."
            }
            (false, false) => {
                " The dashed densities are the likeliest other families about the same location, each at its own likeliest scale, by \
                 the rows that other charts show."
            }
        };
        Rivals { found, said }.ranked()
    }

    fn ranked(mut self) -> Self {
        self.found.sort_by(|a, b| b.log_likelihood.total_cmp(&a.log_likelihood));
        self
    }
}

/// How residuals are distributed, with the fitted density and those of rivals.
pub fn histogram(rows: &Sketched, rivals: &Rivals) -> Chart {
    let n = rows.observations;
    let sizes = rows.rows.iter().map(|row| row.standardised.abs()).filter(|size| size.is_finite());
    let reach = sizes.fold(0.0f64, f64::max).clamp(3.5, 8.0).ceil();
    let bins = (2.0 * rows.met as f64).cbrt().mul_add(1.6, 4.0).clamp(10.0, 60.0) as usize;
    let (bars, beyond) = rows.histogram(reach, bins + bins % 2);
    let column = |of: fn(&(f64, f64, f64)) -> f64| bars.iter().map(of).collect::<Vec<f64>>();
    let heights = bars.iter().map(|(from, to, count)| count / (n * (to - from))).collect::<Vec<f64>>();
    let mut series = vec![Series::new(
        "residuals",
        Mark::Bars,
        Colour::Grey,
        &[
            ("from", column(|bar| bar.0)),
            ("to", column(|bar| bar.1)),
            ("density", heights),
            ("count", column(|bar| bar.2)),
        ],
    )];
    let x = grid(-reach, reach, POINTS);
    let density = |noise: &Noise, scale: f64| {
        let family = noise.family();
        x.iter().map(|r| (-family.negative_log_density(r / scale)).exp() / scale).collect::<Vec<f64>>()
    };
    for rival in rivals.found.iter().take(RIVALS).rev() {
        let (colour, _) = style_of(&rival.noise);
        let name = rival.noise.to_string();
        series.push(Series::new(
            name,
            Mark::Dashed,
            colour,
            &[("r", x.clone()), ("density", density(&rival.noise, rival.scale))],
        ));
    }
    let (colour, _) = style_of(&rows.noise);
    let name = format!("{} (fitted)", rows.noise);
    series.push(Series::new(name, Mark::Line, colour, &[("r", x.clone()), ("density", density(&rows.noise, 1.0))]));
    let outside = beyond[0] + beyond[1];
    let note =
        (outside > 0.0).then(|| format!("{} beyond {reach} scales not shown.", count_of(outside as u64, "residual")));
    Chart {
        kind: Kind::Histogram,
        title: "Residuals and densities".to_owned(),
        caption: format!("All residuals in scales of the fit, and the density that was fitted.{}", rivals.said),
        note,
        x: Axis::new("standardised residual").between(-reach, reach),
        y: Axis::new("density"),
        y2: None,
        series,
    }
}

/// How often responses lie in which part of their fitted distributions.
pub fn pit(rows: &Sketched) -> Chart {
    let n = rows.observations;
    let bins = if n < 200.0 { 10 } else { 20 };
    let counts = rows.probability_counts(bins);
    let share = 1.0 / bins as f64;
    let half = NORMAL_95 * ((1.0 - share) / (share * n)).sqrt();
    let end = |k: usize| k as f64 * share;
    let heights = counts.iter().map(|count| count / (n * share)).collect();
    // Lines and no band, which would change the colour of bars behind it.
    let bound = |name: &str, height: f64| {
        let columns = [("probability", vec![0.0, 1.0]), (name, vec![height; 2])];
        Series::new("95% for each bar", Mark::Dotted, Colour::Vermillion, &columns)
    };
    Chart {
        kind: Kind::Pit,
        title: "Probability integral transform".to_owned(),
        caption: "Where responses lie in their fitted distributions: all heights are one if these are right. High at the ends means \
                  tails that are too light, high in the middle a noise that is too wide. Between the dotted lines each bar by \
                  itself is in some 95% of the samples."
            .to_owned(),
        note: None,
        x: Axis::new("fitted probability of no more").between(0.0, 1.0),
        y: Axis::new("relative frequency"),
        y2: None,
        series: vec![
            Series::new(
                "responses",
                Mark::Bars,
                Colour::Blue,
                &[
                    ("from", (0..bins).map(end).collect()),
                    ("to", (1..=bins).map(end).collect()),
                    ("relative_frequency", heights),
                    ("count", counts),
                ],
            ),
            bound("low", (1.0 - half).max(0.0)),
            bound("high", 1.0 + half),
            Series::new("", Mark::Horizontal, Colour::Grey, &[("even", vec![1.0])]),
        ],
    }
}

/// The shares of the responses within the central intervals of the fitted noise.
pub fn calibration(rows: &Sketched) -> Chart {
    let levels: Vec<f64> = (1..20).map(|k| k as f64 / 20.0).chain([0.98, 0.99]).collect();
    let shares = levels.iter().map(|level| rows.coverage(*level)).collect::<Vec<f64>>();
    let grid = grid(0.0, 1.0, 81);
    let half = |level: &f64| NORMAL_95 * (level * (1.0 - level) / rows.observations).sqrt();
    let worst = levels.iter().zip(&shares).max_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
    let farthest = worst.map_or_else(String::new, |(level, share)| {
        format!(" Farthest off: {} holds {}.", percent(*level), percent((share * 1000.0).round() / 1000.0))
    });
    Chart {
        kind: Kind::Calibration,
        title: "Calibration of intervals".to_owned(),
        caption: format!(
            "The share of these rows within the fitted noise's central intervals against what each promises. Below the line they are \
             too narrow, above too wide; the band is where about 95% of the shares lie at each level.{farthest}"
        ),
        note: None,
        x: Axis::new("promised").between(0.0, 1.0),
        y: Axis::new("found").between(0.0, 1.0),
        y2: None,
        series: vec![
            Series::new(
                "95% at each level",
                Mark::Band,
                Colour::Vermillion,
                &[
                    ("level", grid.clone()),
                    ("low", grid.iter().map(|level| level - half(level)).collect()),
                    ("high", grid.iter().map(|level| level + half(level)).collect()),
                ],
            ),
            Series::new("", Mark::Dashed, Colour::Grey, &[("level", vec![0.0, 1.0]), ("equal", vec![0.0, 1.0])]),
            Series::new("", Mark::Line, Colour::Blue, &[("level", levels.clone()), ("share", shares.clone())]),
            Series::new("intervals", Mark::Points, Colour::Blue, &[("level", levels), ("share", shares)]),
        ],
    }
}
