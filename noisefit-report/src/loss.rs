//! The losses of given predictions as people read them.

use noisefit_core::loss::report::LossReport;
use noisefit_core::record::Counts;

use crate::text::{optional, significant, table};

/// The losses, the noise they imply, and the largest errors.
pub fn summary(report: &LossReport, counts: Counts) -> String {
    let listed = report.largest.len();
    let percent = |share: Option<f64>| share.map_or_else(|| "NA".to_owned(), |share| format!("{:.1}%", share * 100.0));
    let losses = report.losses.iter().map(|loss| {
        let parameter = loss.parameter.map_or_else(String::new, |value| format!("({value})"));
        vec![
            format!("{}{parameter}", loss.loss),
            significant(loss.mean, 6),
            significant(loss.sum, 6),
            percent(loss.share_of_largest),
            percent(loss.share_of_all_largest),
            significant(loss.gradient_at_largest, 4),
        ]
    });
    let top = format!("largest {listed}");
    let heading = ["loss", "mean", "sum", "largest error", &top, "gradient there"];
    let mut text = table(&heading, &losses.collect::<Vec<_>>());

    let noise = report.noise.iter().map(|noise| {
        vec![
            noise.noise.to_string(),
            significant(noise.scale, 6),
            significant(noise.negative_log_likelihood, 7),
            significant(noise.mean_negative_log_likelihood, 6),
        ]
    });
    text.push('\n');
    text += &table(&["noise", "ML scale", "NLL", "mean NLL"], &noise.collect::<Vec<_>>());

    text += &format!("\nRMSE {}, R2 {}", significant(report.rmse, 6), optional(report.r_squared, 5));
    text += &format!(", {} rows", counts.records - counts.missing);
    let row = if counts.missing > 0 {
        text += &format!(", {} rows with missing values left out", counts.missing);
        "complete row"
    } else {
        "row"
    };
    text += "\n\n";
    let largest = report.largest.iter().map(|row| {
        vec![row.row.to_string(), significant(row.truth, 7), significant(row.prediction, 7), significant(row.error, 5)]
    });
    text += &table(&[row, "truth", "prediction", "error"], &largest.collect::<Vec<_>>());
    text
}
