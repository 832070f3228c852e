//! A diagnosis as people read it.

mod advice;
mod findings;

use noisefit_core::inference::diagnostics::{
    Calibration, ChiSquaredTest, Found, Grouping, Measures, PValueType, RowInfluence, Serial, Tails, TestedOn,
};

pub use advice::advice;
pub use findings::Findings;
use findings::{CLEAR, WEAK};
use noisefit_core::wording::Wording;

use crate::Place;
use crate::text::{count_of, optional, p_value, percent, significant, table};
use crate::tidy::{Cell, Tidy};

/// Text that does not fit beside what stands left of it begins a line of its own.
const WIDTH: usize = 118;

/// A finding: its name, its number, degrees of freedom, p-value and what it means here.
struct Line {
    name: String,
    value: Option<f64>,
    /// Those of a test, of F those of the denominator behind them.
    df: Vec<f64>,
    p: Option<f64>,
    words: String,
}

impl Line {
    fn new(name: &str, value: f64, words: impl Into<String>) -> Self {
        Line { name: name.to_owned(), value: Some(value), df: Vec::new(), p: None, words: words.into() }
    }

    fn test(name: &str, statistic: f64, df: &[f64], p: f64, words: impl Into<String>) -> Self {
        Line { df: df.to_vec(), p: Some(p), ..Line::new(name, statistic, words) }
    }

    fn undefined(name: &str, why: &str) -> Self {
        Line::new(name, f64::NAN, format!("not defined: {why}"))
    }

    /// A finding as `line` has it, or why there is none.
    fn of<T>(name: &str, found: &Found<T>, line: impl FnOnce(&T) -> Line) -> Self {
        match (found.as_ref(), found.why_not()) {
            (Some(found), _) => line(found),
            (None, why) => Line::undefined(name, why.unwrap_or_default()),
        }
    }

    fn chi_squared(name: &str, found: &Found<ChiSquaredTest>, words: impl FnOnce(f64) -> String) -> Self {
        Line::of(name, found, |test| Line::test(name, test.statistic, &[test.df], test.p_value, words(test.p_value)))
    }

    /// Value, degrees of freedom and p-value as people read them.
    fn cells(&self) -> [String; 3] {
        let value = match self.value {
            Some(value) if value.is_nan() => "NA".to_owned(),
            value => value.map_or_else(String::new, |value| significant(value, 5)),
        };
        let df: Vec<String> = self.df.iter().map(f64::to_string).collect();
        [value, df.join(","), self.p.map_or_else(String::new, |p| p_value(Some(p)))]
    }
}

/// Dependence over several rows.
pub fn serial(found: &Serial) -> String {
    let lags = found.correlations.len();
    let row = |name: &str, test: &ChiSquaredTest| {
        let words = judged(test.p_value, "no dependence seen", "rows depend on rows before");
        vec![name.to_owned(), significant(test.statistic, 5), test.df.to_string(), p_value(Some(test.p_value)), words]
    };
    let name = format!("order of rows, up to {lags} apart");
    let rows = [row("Breusch-Godfrey", &found.breusch_godfrey), row("Ljung-Box", &found.ljung_box)];
    let correlations: Vec<String> = found.correlations.iter().map(|r| significant(*r, 3)).collect();
    format!("\n{}correlations {}\n", table(&[&name, "value", "df", "p_value", ""], &rows), correlations.join(", "))
}

/// What a p-value says: nothing, something, or clearly what `refuted` says.
fn judged(p: f64, holds: &str, refuted: &str) -> String {
    match p {
        _ if p < CLEAR => refuted.to_owned(),
        _ if p < WEAK => format!("perhaps {refuted}"),
        _ => holds.to_owned(),
    }
}

/// A residual of so little of its scale is one of rounding.
const ROUNDING: f64 = 1e-10;

/// Residual degrees of freedom below which tests have no power to speak of.
const FEW_DEGREES: u64 = 5;

/// What is said where there is nothing to do, of a fit with so many residual degrees of freedom.
pub fn nothing_found(df_residual: u64) -> &'static str {
    match df_residual {
        0 => "nothing can be said: there are as many coefficients as observations",
        1..FEW_DEGREES => {
            "with so few residual degrees of freedom these tests see hardly anything: more rows are needed"
        }
        _ => "nothing that these tests can see speaks against the model",
    }
}

/// The findings in groups, none of which is empty.
fn groups<'a>(findings: &Findings<'_>) -> Vec<(&'a str, Vec<Line>)> {
    let mut groups = vec![
        ("variance", variance(findings)),
        ("shape of the noise", shape(findings)),
        ("form of the mean", form(findings)),
        ("order of the rows", order(findings)),
        ("groups of rows", grouped(findings)),
        ("collinearity", collinearity(findings)),
        ("calibration", calibration(findings)),
    ];
    groups.retain(|(_, lines)| !lines.is_empty());
    groups
}

/// The findings as a table, a row for each.
pub fn tidy(findings: &Findings<'_>) -> Tidy {
    let row = |group: &str, line: &Line| {
        vec![
            group.into(),
            line.name.trim_start().trim_end_matches(" *").into(),
            line.value.filter(|value| !value.is_nan()).into(),
            line.df.first().copied().into(),
            line.df.get(1).copied().into(),
            Cell::p(line.p),
            line.words.as_str().into(),
        ]
    };
    let groups = groups(findings);
    let rows = groups.iter().flat_map(|(group, lines)| lines.iter().map(|line| row(group, line))).collect();
    Tidy::new(vec!["group", "finding", "value", "df", "df_residual", "p_value", "meaning"], rows)
}

/// The findings for people, with settings as `wording` writes them.
pub fn summary(findings: &Findings<'_>, wording: &dyn Wording) -> String {
    let fit = findings.fit;
    let scale = findings.model.scale.as_ref().map_or_else(String::new, |scale| format!(", log scale ~ {scale}"));
    let counts = findings.model.counts.unwrap_or_default();
    let left_out = match counts.missing {
        0 => String::new(),
        missing => format!(", {} with missing values left out", count_of(missing, "row")),
    };
    let mut text = format!(
        "{}\n{}{scale}, {}{left_out}\n\n",
        findings.model.formula,
        fit.noise.noun(),
        count_of(fit.nobs, "observation"),
    );
    text += &lines(&groups(findings));
    if let Some(tails) = findings.diagnostics.tails.as_ref() {
        text += &quantiles(findings, tails);
    }
    text += &rows(findings);
    if let Some(sentence) = advice::tested_on(findings) {
        text += &format!("\n{sentence}\n");
    }
    let used = counts.records - counts.missing - counts.weightless;
    let ordered = findings.diagnostics.ordered_rows;
    if ordered < used {
        text += &format!(
            "\nAnderson-Darling, the tail index and the quantiles are of a random sample of {ordered} of the {used} rows.\n"
        );
    }
    let advice = advice(findings);
    text += "\nwhat to do\n";
    if advice.is_empty() {
        text += &format!("  {}\n", nothing_found(findings.fit.df_residual));
    }
    for sentence in advice {
        text += &wrapped(&format!("- {}", sentence.worded(wording)), "  ", "    ");
    }
    text
}

/// A share to a tenth of a percent.
fn share(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// Groups of findings, aligned over all of them.
fn lines(groups: &[(&str, Vec<Line>)]) -> String {
    let shown = |lines: &[Line]| lines.iter().map(Line::cells).collect::<Vec<_>>();
    let cells: Vec<Vec<[String; 3]>> = groups.iter().map(|(_, lines)| shown(lines)).collect();
    let longest = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let name = longest(&mut groups.iter().flat_map(|(_, lines)| lines).map(|line| &*line.name)).max(20);
    let width = |k: usize| longest(&mut cells.iter().flatten().map(|cells| &*cells[k]));
    let (value, df, p) = (width(0).max(9), width(1).max(2), width(2).max(7));
    let mut text = String::new();
    for (number, ((title, lines), cells)) in groups.iter().zip(&cells).enumerate() {
        let heading = if number == 0 { ["value", "df", "p_value"] } else { [""; 3] };
        let [a, b, c] = heading;
        text += format!("{title:<0$}  {a:>value$}  {b:>df$}  {c:>p$}", name + 2).trim_end();
        text.push('\n');
        for (line, [a, b, c]) in lines.iter().zip(cells) {
            let left = format!("  {:<name$}  {a:>value$}  {b:>df$}  {c:>p$}  ", line.name);
            text += &wrapped(&line.words, &left, &" ".repeat(left.chars().count()));
        }
    }
    text
}

/// Text in lines of about [`WIDTH`], the first after `first`, the others after `rest`.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let (mut lines, mut line) = (String::new(), first.to_owned());
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &format!("{}\n", line.trim_end());
            (line, empty) = (rest.to_owned(), true);
        }
        line += &if empty { word.to_owned() } else { format!(" {word}") };
        empty = false;
    }
    lines + line.trim_end() + "\n"
}

/// The name of a test that was made for least squares.
fn marked(findings: &Findings<'_>, name: &str) -> String {
    match findings.diagnostics.tested_on {
        TestedOn::Fit => name.to_owned(),
        _ => format!("{name} *"),
    }
}

fn variance(findings: &Findings<'_>) -> Vec<Line> {
    let found = &findings.diagnostics.heteroscedasticity;
    let words = |p: f64| match p {
        1.0 if findings.model.scale.is_some() => {
            "nothing: the modelled scale has taken all that is linear in the regressors".to_owned()
        }
        _ => judged(p, "no sign that the variance varies", &findings.variance_words()),
    };
    let test = |name: &str, found| Line::chi_squared(&marked(findings, name), found, words);
    vec![
        test("Breusch-Pagan", &found.breusch_pagan),
        test("its studentised form", &found.studentised_breusch_pagan),
        test("White", &found.white),
    ]
}

fn shape(findings: &Findings<'_>) -> Vec<Line> {
    let (normality, diagnostics) = (&findings.diagnostics.normality, findings.diagnostics);
    let gaussian = |p: f64| judged(p, "as of gaussian noise", "the noise is not gaussian");
    // Of gaussian noise one in a hundred is farther out.
    let clear = 2.576 * (24.0 / diagnostics.nobs as f64).sqrt();
    let kurtosis = |value: &f64| match *value {
        v if v > clear => "tails heavier than gaussian ones",
        v if v < -clear => "tails lighter than gaussian ones",
        _ => "tails as gaussian ones may have them",
    };
    let mut lines = vec![
        Line::chi_squared(&marked(findings, "Jarque-Bera"), &normality.jarque_bera, gaussian),
        Line::of(&marked(findings, "Shapiro-Wilk"), &normality.shapiro_wilk, |test| {
            Line::test(&marked(findings, "Shapiro-Wilk"), test.statistic, &[], test.p_value, gaussian(test.p_value))
        }),
        Line::of(&marked(findings, "skewness"), &normality.skewness, |value| {
            Line::new(&marked(findings, "skewness"), *value, "one row far out may make it")
        }),
        Line::of(&marked(findings, "excess kurtosis"), &normality.excess_kurtosis, |value| {
            Line::new(&marked(findings, "excess kurtosis"), *value, kurtosis(value))
        }),
    ];
    lines.push(Line::of("quantile skewness", &diagnostics.asymmetry, |found| {
        let side = if found.quantile_skewness > 0.0 { "a long tail above" } else { "a long tail below" };
        let words = judged(found.p_value, "no sign of skewness", side);
        let error = significant(found.std_error, 2);
        let words = format!("{words} (standard error {error})");
        Line::test("quantile skewness", found.quantile_skewness, &[], found.p_value, words)
    }));
    lines.push(Line::of("Anderson-Darling", &diagnostics.anderson_darling, |test| {
        let family = findings.fit.noise.family().name();
        let words = judged(test.p_value, &format!("as of {family} noise"), &format!("the noise is not {family}"));
        let how = if test.p_value_type == PValueType::Simulated { " (p simulated)" } else { "" };
        Line::test("Anderson-Darling", test.statistic, &[], test.p_value, words + how)
    }));
    if let Some(tails) = diagnostics.tails.as_ref() {
        lines.push(Line::of("tail index (Hill)", &tails.tail_index, |index| {
            // A tail with index 2 has no variance, one with 4 no kurtosis.
            let words = match (index.conf_low, index.conf_high) {
                (low, _) if low > 0.5 => "so heavy a tail that it has no variance",
                (low, _) if low > 0.25 => "heavy: a tail without kurtosis",
                (_, high) if high < 0.25 => "light enough for a kurtosis",
                (_, high) if high < 0.5 => "light enough for a variance",
                _ => "too few to tell a heavy tail",
            };
            let [low, high] = [index.conf_low, index.conf_high].map(|end| significant(end, 2));
            let from = format!("{words} (of the {} largest; its inverse {low} to {high}, 95%)", index.extremes);
            Line::new("tail index (Hill)", index.index, from)
        }));
    }
    lines
}

fn form(findings: &Findings<'_>) -> Vec<Line> {
    let name = marked(findings, "RESET");
    vec![Line::of(&name, &findings.diagnostics.specification.reset, |test| {
        let words = judged(
            test.p_value,
            "no sign that the mean bends",
            "the mean bends: powers of the fitted values add to it",
        );
        Line::test(&name, test.statistic, &[test.df, test.df_residual], test.p_value, words)
    })]
}

fn order(findings: &Findings<'_>) -> Vec<Line> {
    let found = &findings.diagnostics.autocorrelation;
    let name = marked(findings, "Durbin-Watson");
    let words = |p: f64, alike: bool| {
        let refuted = if alike { "neighbouring rows are alike" } else { "neighbouring rows are unlike" };
        let judged = judged(p, "no sign that a row depends on the one before", refuted);
        if p < WEAK { format!("{judged} (of weight only if the rows are in order of time)") } else { judged }
    };
    let mut alike = true;
    let durbin_watson = Line::of(&name, &found.durbin_watson, |test| {
        alike = test.statistic < test.expected;
        Line::test(&name, test.statistic, &[], test.p_value, words(test.p_value, alike))
    });
    let godfrey = marked(findings, "Breusch-Godfrey");
    vec![durbin_watson, Line::chi_squared(&godfrey, &found.breusch_godfrey, |p| words(p, alike))]
}

fn grouped(findings: &Findings<'_>) -> Vec<Line> {
    let line = |found: &Grouping| {
        let words = judged(found.p_value, "no sign that rows of a group are alike", "rows of a group are alike");
        let words = match found.p_value < WEAK {
            true => format!("{words} (intraclass correlation {})", significant(found.intraclass_correlation, 2)),
            false => words,
        };
        let name = marked(findings, &format!("by {}", shortened(&found.column)));
        Line::test(&name, found.statistic, &[found.df, found.df_residual], found.p_value, words)
    };
    findings.groupings.iter().map(line).collect()
}

/// A name that leaves room for what is said of it.
fn shortened(name: &str) -> String {
    let mut letters = name.chars();
    let start: String = letters.by_ref().take(16).collect();
    if letters.next().is_some() { format!("{start}...") } else { start }
}

fn collinearity(findings: &Findings<'_>) -> Vec<Line> {
    let found = &findings.diagnostics.collinearity;
    let scaled = found.scaled_condition_number.as_ref().copied();
    let mut lines = vec![Line::of("condition number", &found.condition_number, |value| {
        let words = match scaled {
            Some(scaled) if *value > 100.0 * scaled => "of the columns as they are: mostly units and means",
            _ => "of the columns as they are",
        };
        Line::new("condition number", *value, words)
    })];
    if found.variance_inflation.len() > 1 {
        lines.push(Line::of("  centred, scaled", &found.scaled_condition_number, |value| {
            let words = if *value > 30.0 { "strong collinearity" } else { "no harmful collinearity" };
            Line::new("  centred, scaled", *value, words)
        }));
    }
    let worst = found.variance_inflation.iter().max_by(|a, b| a.factor.total_cmp(&b.factor));
    if let Some(worst) = worst.filter(|_| found.variance_inflation.len() > 1) {
        let words = format!(
            "of {}; {}",
            worst.term,
            match worst.factor {
                factor if factor > 10.0 => "hardly told from the others",
                factor if factor > 5.0 => "related to the others",
                _ => "told well from the others",
            }
        );
        lines.push(Line::new("largest VIF", worst.factor, words));
    }
    lines
}

fn calibration(findings: &Findings<'_>) -> Vec<Line> {
    let found = match findings.diagnostics.calibration.as_ref() {
        Some(found) => found,
        None => return vec![Line::undefined("PIT", findings.diagnostics.calibration.why_not().unwrap_or_default())],
    };
    let Calibration { uniformity, intervals, pit_counts } = found;
    let counts: Vec<String> = pit_counts.iter().map(f64::to_string).collect();
    let mut lines = vec![Line::chi_squared("PIT in ten bins", uniformity, |p| {
        let words = judged(p, "shares as promised", "shares are not those promised");
        format!("{words}: {}", counts.join(" "))
    })];
    let shares: Vec<String> = intervals
        .iter()
        .map(|interval| format!("{} within {}", share(interval.share), percent(interval.level)))
        .collect();
    lines.push(Line { name: "intervals".to_owned(), value: None, df: Vec::new(), p: None, words: shares.join(", ") });
    lines
}

fn quantiles(findings: &Findings<'_>, tails: &Tails) -> String {
    let row = |name: &str, value: &dyn Fn(usize) -> f64| -> Vec<String> {
        let cells = (0..tails.quantiles.len()).map(|i| significant(value(i), 3));
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    let heading: Vec<String> = tails.quantiles.iter().map(|pair| percent(pair.level)).collect();
    let heading: Vec<&str> = std::iter::once("quantiles of r").chain(heading.iter().map(String::as_str)).collect();
    let family = findings.fit.noise.family().name();
    let residual = |i: usize| Some(tails.quantiles[i].residual).filter(|r| r.abs() > ROUNDING).unwrap_or(0.0);
    let rows = [row("residuals", &residual), row(family, &|i| tails.quantiles[i].family)];
    format!("\n{}", table(&heading, &rows))
}

/// The rows of all lists, those of the highest rank first, with what they stand out by.
fn rows(findings: &Findings<'_>) -> String {
    let influence = &findings.diagnostics.influence;
    let exact = influence.measures == Measures::LeastSquares;
    let lists: [(&str, &[RowInfluence]); 3] = [
        ("residual", &influence.largest_residuals),
        ("Cook", &influence.largest_cooks_distances),
        ("leverage", &influence.largest_leverages),
    ];
    let mut found: Vec<(&RowInfluence, Vec<(usize, &str)>)> = Vec::new();
    for (name, list) in lists {
        for (rank, row) in list.iter().enumerate() {
            match found.iter_mut().find(|(other, _)| other.row == row.row) {
                Some((_, ranks)) => ranks.push((rank + 1, name)),
                None => found.push((row, vec![(rank + 1, name)])),
            }
        }
    }
    if found.is_empty() {
        return String::new();
    }
    found.sort_by_key(|(row, ranks)| {
        (ranks.iter().map(|(rank, _)| *rank).min(), std::cmp::Reverse(ranks.len()), row.row)
    });
    let columns: Vec<&str> = findings
        .places
        .values()
        .next()
        .map_or_else(Vec::new, |place| place.values.iter().map(|(name, _)| name.as_str()).collect());
    let mut heading = vec!["row"];
    heading.extend(&columns);
    heading.extend(["residual", "leverage"]);
    heading.extend(match exact {
        true => vec!["studentised", "Cook", "DFFITS"],
        false => vec!["in scales", "weight"],
    });
    let cells = |(row, ranks): &(&RowInfluence, Vec<(usize, &str)>)| {
        let mut cells = vec![findings.row_name(row)];
        cells.extend(findings.places.get(&row.row).into_iter().flat_map(values));
        cells.extend([significant(row.residual, 4), significant(row.leverage, 3)]);
        cells.extend(match exact {
            true => vec![optional(row.studentised, 3), optional(row.cooks_distance, 3), optional(row.dffits, 3)],
            false => vec![optional(row.standardised, 3), optional(row.weight, 2)],
        });
        let ranks: Vec<String> = ranks.iter().map(|(rank, name)| format!("{name} {rank}")).collect();
        cells.push(ranks.join(", "));
        cells
    };
    let mut rows: Vec<Vec<String>> = found.iter().map(cells).collect();
    // What a table has last stands to the right; words read better from the left.
    let width = rows.iter().filter_map(|row| row.last()).map(String::len).max().unwrap_or(0);
    rows.iter_mut().filter_map(|row| row.last_mut()).for_each(|words| *words = format!("{words:<width$}"));
    let ranks = format!("{:<width$}", "stands out by");
    heading.push(&ranks);
    let beyond = match exact {
        true => "studentised residuals beyond 3",
        false => "residuals beyond 3 scales",
    };
    let [twice, _] = influence.high_leverage;
    format!(
        "\nrows that stand out: {} with {beyond}, {twice} with a leverage above twice the mean of {}\n{}",
        influence.large_residuals,
        significant(influence.mean_leverage, 3),
        table(&heading, &rows)
    )
}

/// The values of the model's columns, numbers to seven digits.
fn values(place: &Place<'_>) -> impl Iterator<Item = String> {
    place.values.iter().map(|(_, value)| match value.parse::<f64>() {
        Ok(number) if value.len() > 8 => significant(number, 7),
        _ => value.clone(),
    })
}
