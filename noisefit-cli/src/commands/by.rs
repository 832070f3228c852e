//! `noisefit fit --by`.

use noisefit::core::record::SmallSample;
use noisefit::data::write::TableWriter;
use noisefit::report::text::count_of;
use noisefit::{Error, GroupTable, Refusal, Setting};

use super::fit::{FitArguments, FitFormat};
use crate::files::Output;
use crate::outcome::{Failure, Options, Outcome};
use crate::output::{Screen, print, warn};

/// Rows that are written together.
const TOGETHER: usize = 1 << 14;

/// Groups that are shown to people; of more a program asks.
const SHOWN: u64 = 50;

/// Where the rows of the table go.
enum Sink {
    /// To a file or stream.
    Writer(TableWriter),
    /// To a screen, at the end.
    Kept,
}

/// Fits every group and prints or writes the table.
pub(crate) fn run(arguments: &FitArguments) -> Result<Outcome, Failure> {
    let model = arguments.model()?;
    let FitArguments { by, format, output, glance, .. } = arguments;
    for (given, setting) in [
        (arguments.report.is_some(), Setting::Report),
        (arguments.plot, Setting::Plot),
        (arguments.vif, Setting::Vif),
        (arguments.vcov_matrix, Setting::VcovMatrix),
    ] {
        if given {
            return Err(Refusal::WithBy { setting }.into());
        }
    }
    if *format == FitFormat::Json {
        return Err(Failure::Usage("--format json is of one fit; with --by say --format ndjson or csv".to_owned()));
    }
    let names: Vec<&str> = by.iter().map(String::as_str).collect();
    model.check_by(&names)?;
    if let Some(Output(path)) = output {
        TableWriter::check_name(path)?;
    }
    let (table, passes) = arguments.data.open()?;
    let mut rows = GroupTable::new(&table, &names, *glance)?;
    let columns: Vec<(String, _)> = rows.columns().into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    let columns: Vec<(&str, _)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let mut sink = match (output, format) {
        (Some(Output(path)), _) => Sink::Writer(TableWriter::create(path, &columns)?),
        (None, FitFormat::Csv) => Sink::Writer(TableWriter::to_stream(Screen::stdout(), &columns)?),
        (None, FitFormat::Ndjson) => Sink::Writer(TableWriter::lines_to_stream(Screen::stdout(), &columns)?),
        (None, _) => Sink::Kept,
    };
    // Which covariance it is by default the fits say.
    let (mut met, mut vcov) = (0, None);
    let is_shown = *format == FitFormat::Table;
    let done = model.fit_by(&table, by, *glance, |group| {
        met += 1;
        if let (None, Some(fit)) = (&vcov, group.fits.as_ref().ok().and_then(|fits| fits.first())) {
            vcov = Some(fit.covariance.kind.to_string());
        }
        match &mut sink {
            Sink::Kept if is_shown && met > SHOWN => {}
            Sink::Kept => rows.push(&group, &Options),
            Sink::Writer(writer) => {
                rows.push(&group, &Options);
                if rows.rows() >= TOGETHER {
                    rows.write(writer)?;
                    rows.clear();
                }
            }
        }
        Ok::<(), Error>(())
    })?;
    passes.finish();
    let groups = format!("{} by {}", count_of(done.groups, "group"), by.join(", "));
    match sink {
        Sink::Writer(mut writer) => {
            rows.write(&mut writer)?;
            writer.finish()?;
        }
        Sink::Kept if is_shown => {
            let noise = &model.noise;
            let errors = match (vcov, model.small_sample) {
                (None, _) => String::new(),
                (Some(vcov), SmallSample::Corrected) => format!("; standard errors {vcov}"),
                (Some(vcov), SmallSample::None) => format!("; standard errors {vcov}, of maximum likelihood"),
            };
            print(&format!("{}\n{noise} noise, {groups}{errors}\n\n{}", model.formula, rows.summary()))?;
            if done.groups > SHOWN {
                let rest = count_of(done.groups - SHOWN, "more group");
                print(&format!("... and {rest}; --format csv has all of them\n"))?;
            }
        }
        Sink::Kept => print(&rows.tidy().markdown())?,
    }
    if done.failed > 0 {
        warn(&[format!("of {groups} {} no fit; the column error says why", have(done.failed))]);
    }
    if done.not_converged > 0 {
        warn(&[format!("of {groups} {} not converged; the column warnings says so", have(done.not_converged))]);
    }
    Ok(Outcome::of(done.not_converged == 0))
}

/// `1 has`, `2 have`.
fn have(count: u64) -> String {
    format!("{count} {}", if count == 1 { "has" } else { "have" })
}
