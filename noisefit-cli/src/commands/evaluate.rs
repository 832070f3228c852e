//! `noisefit evaluate`.

use noisefit::evaluate::Evaluation;
use noisefit::rows::RowSource;
use noisefit_data::formula::Scope;
use noisefit_data::model::FittedModel;
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, SourceOptions, columns_of};

use crate::Outcome;
use crate::arguments::{EvaluateArguments, OutputFormat};
use crate::output::{count_of, optional, print, print_json, significant};
use crate::progress::Passes;

/// Scores and prints.
pub(crate) fn run(arguments: &EvaluateArguments) -> anyhow::Result<Outcome> {
    let model = FittedModel::load(&arguments.model)?;
    let data = &arguments.data;
    let dataset = data.open()?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    // A weighted model says how noisy a row is by its weight, so the weights are read, too.
    let names: Vec<&str> = model.design.columns_needed(Scope::All).iter().map(|field| field.name.as_str()).collect();
    columns_of(&model.design, &dataset, Scope::All)?;
    let records = Records::new(&dataset, &names, data.threads(), data.memory, &passes)?;
    let options =
        SourceOptions { missing: arguments.missing.into(), unseen: arguments.unseen.into(), scope: Scope::All };
    let rows = DesignRows::new(model.design.clone(), records, options);
    let evaluation = rows.pass(Evaluation::new(&model.fit, arguments.level)?)?;
    let counts = rows.counts();
    if counts.records == counts.missing + counts.weightless {
        anyhow::bail!(
            "{}: nothing to score: of {}, {} with a missing value are left out",
            dataset.file_name(0),
            count_of(counts.records, "row"),
            counts.missing
        );
    }
    let scores = evaluation.finish()?;
    drop(rows);
    drop(passes);
    match arguments.format {
        OutputFormat::Json => {
            let mut value = serde_json::to_value(&scores)?;
            if let Some(fields) = value.as_object_mut() {
                fields.shift_insert(0, "schema".to_owned(), "noisefit.evaluate/1".into());
                fields.insert("dropped".to_owned(), counts.missing.into());
            }
            print_json(&value)?;
        }
        OutputFormat::Table => {
            let percent = significant(scores.level * 100.0, 4);
            let percent = percent.trim_end_matches('0').trim_end_matches('.');
            let lines = [
                ("observations", scores.nobs.to_string()),
                ("rows left out, values missing", counts.missing.to_string()),
                ("MSE", significant(scores.mse, 7)),
                ("RMSE", significant(scores.rmse, 7)),
                ("MAE", significant(scores.mae, 7)),
                ("R2", optional(scores.r_squared, 7)),
                ("mean negative log-likelihood", optional(scores.mean_nll, 7)),
                (&format!("coverage of {percent}% prediction intervals"), optional(scores.coverage, 4)),
            ];
            let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let text: String = lines.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect();
            print(&text)?;
        }
    }
    Ok(Outcome::Done)
}
