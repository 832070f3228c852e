//! Kinds of models side by side as people read them.

use noisefit_core::compare::kinds::{ENOUGH, Gain, LEVELS, SideBySide, Standing, Verdict};

use crate::text::{count_of, optional, significant, table};
use crate::tidy::{Cell, Tidy};

/// The table, what its columns are, and whether a line is enough.
pub fn summary(formula: &str, found: &SideBySide, times: bool) -> String {
    let mut text = format!(
        "{formula}\n{} in {}, each predicted from the others\n\n",
        count_of(found.nobs, "observation"),
        count_of(found.folds as u64, "part")
    );
    let mut heading = vec!["model", "log score", "pinball", "RMSE", "MAE", "90% covers"];
    heading.extend(times.then_some("seconds"));
    let row = |standing: &Standing| {
        let scores = standing.scores;
        let mut row = vec![standing.contestant.to_string(), optional(scores.and_then(|scores| scores.log_score), 5)];
        row.extend([
            optional(scores.map(|scores| scores.pinball), 5),
            optional(scores.map(|scores| scores.rmse), 5),
            optional(scores.map(|scores| scores.mae), 5),
            scores.map_or_else(|| "NA".to_owned(), |scores| format!("{:.1}%", 100.0 * scores.coverage)),
        ]);
        row.extend(times.then(|| optional(standing.seconds, 3)));
        row
    };
    text += &table(&heading, &found.models.iter().map(row).collect::<Vec<_>>());
    for standing in &found.models {
        text += &standing.note.as_ref().map_or_else(String::new, |note| format!("{}: {note}\n", standing.contestant));
    }
    let levels = LEVELS.map(|level| level.to_string()).join(", ");
    text += &format!("\npinball: the mean loss of the quantiles {levels}; less is better, of log scores more\n");
    text + &found.verdict.as_ref().map_or_else(String::new, |verdict| format!("\n{}\n", sentence(verdict, times)))
}

/// Whether a line is enough, in a sentence.
fn sentence(verdict: &Verdict, times: bool) -> String {
    let Gain { linear, network, log_score, std_error, low, high, times_as_long } = verdict.gain();
    let by = format!(
        "log score {} {} than that of {linear} (standard error over folds {})",
        significant(log_score.abs(), 3),
        if *log_score < 0.0 { "lower" } else { "higher" },
        significant(*std_error, 2)
    );
    let long = times_as_long.filter(|_| times).map(|times| format!(", in {} times the time", significant(times, 2)));
    let long = long.unwrap_or_default();
    match verdict {
        Verdict::NetworkIsBetter(_) => {
            format!("{network} predicts better: {by}{long}; by {} or more as far as folds tell", significant(*low, 2))
        }
        Verdict::LineIsEnough(_) if *high <= 0.0 => {
            format!("a line is enough, and better: {network} has a {by}{long}")
        }
        Verdict::LineIsEnough(_) => format!(
            "a line is enough: {network} has a {by}{long}, and gains less than {ENOUGH}, what a scale 5% smaller would, as far as \
             folds tell"
        ),
        Verdict::Undecided(_) => format!(
            "these rows do not tell whether a line is enough: {network} has a {by}{long}, and may gain up to {}; more folds or more rows would",
            significant(*high, 2)
        ),
    }
}

/// The models as one table.
pub fn tidy(found: &SideBySide) -> Tidy {
    let columns = vec!["model", "nobs", "log_score", "pinball", "rmse", "mae", "coverage", "note"];
    let row = |standing: &Standing| {
        let scores = standing.scores;
        vec![
            Cell::Text(standing.contestant.to_string()),
            scores.map_or(Cell::Missing, |scores| Cell::Count(scores.nobs as u64)),
            scores.and_then(|scores| scores.log_score).into(),
            scores.map(|scores| scores.pinball).into(),
            scores.map(|scores| scores.rmse).into(),
            scores.map(|scores| scores.mae).into(),
            scores.map(|scores| scores.coverage).into(),
            standing.note.clone().map_or(Cell::Missing, Cell::Text),
        ]
    };
    Tidy::new(columns, found.models.iter().map(row).collect())
}
