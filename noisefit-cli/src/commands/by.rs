//! `noisefit fit --by` and `noisefit compare --by`.

use noisefit::core::record::SmallSample;
use noisefit::data::write::TableWriter;
use noisefit::report::text::count_of;
use noisefit::{Error, GroupTable, GroupsFitted, Refusal, Setting};

use super::compare::CompareArguments;
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
    check_name(output.as_ref())?;
    let (table, passes) = arguments.data.open()?;
    let rows = GroupTable::new(&table, &names, *glance)?;
    let mut out = Out::new(rows, output.as_ref(), *format)?;
    // Which covariance it is by default the fits say.
    let mut vcov = None;
    let done = model.fit_by(&table, by, *glance, |group| {
        if let (None, Some(fit)) = (&vcov, group.found.as_ref().ok().and_then(|fits| fits.first())) {
            vcov = Some(fit.covariance.kind.to_string());
        }
        out.take(|rows| rows.push(&group, &Options))
    })?;
    passes.finish();
    let errors = match (vcov, model.small_sample) {
        (None, _) => String::new(),
        (Some(vcov), SmallSample::Corrected) => format!("; standard errors {vcov}"),
        (Some(vcov), SmallSample::None) => format!("; standard errors {vcov}, of maximum likelihood"),
    };
    let groups = format!("{} by {}", count_of(done.groups, "group"), by.join(", "));
    out.end(&format!("{}\n{} noise, {groups}{errors}", model.formula, model.noise), done.groups)?;
    told(&done, &groups);
    Ok(Outcome::of(done.not_converged == 0))
}

/// Compares noise models in every group and prints or writes the table.
pub(crate) fn compare(arguments: &CompareArguments) -> Result<Outcome, Failure> {
    let CompareArguments { by, format, output, formula, .. } = arguments;
    let [formula] = &formula[..] else {
        return Err(Failure::Usage(
            "--by compares the noise models of one formula in every group; give one".to_owned(),
        ));
    };
    let (model, options) = (arguments.model(formula), arguments.options());
    if arguments.report.is_some() {
        return Err(Refusal::WithBy { setting: Setting::Report }.into());
    }
    if arguments.times {
        return Err(Failure::Usage("--times is for one comparison: groups have no times of their own".to_owned()));
    }
    if *format == FitFormat::Json {
        return Err(Failure::Usage(
            "--format json is of one comparison; with --by say --format ndjson or csv".to_owned(),
        ));
    }
    let names: Vec<&str> = by.iter().map(String::as_str).collect();
    model.check_by(&names)?;
    check_name(output.as_ref())?;
    let (table, passes) = arguments.data.open()?;
    let mut out = Out::new(GroupTable::of_models(&table, &names)?, output.as_ref(), *format)?;
    let done = model.compare_by(&table, by, &options, |group| out.take(|rows| rows.push_compared(&group, &Options)))?;
    passes.finish();
    let groups = format!("{} by {}", count_of(done.groups, "group"), by.join(", "));
    out.end(&format!("{}\nnoise models of {groups}", model.formula), done.groups)?;
    told(&done, &groups);
    Ok(Outcome::Done)
}

fn check_name(output: Option<&Output>) -> Result<(), Failure> {
    output.map_or(Ok(()), |Output(path)| Ok(TableWriter::check_name(path)?))
}

/// Where the rows of groups go.
struct Out {
    rows: GroupTable,
    sink: Sink,
    format: FitFormat,
    met: u64,
}

impl Out {
    fn new(rows: GroupTable, output: Option<&Output>, format: FitFormat) -> Result<Self, Failure> {
        let columns: Vec<(String, _)> =
            rows.columns().into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
        let columns: Vec<(&str, _)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        let sink = match (output, format) {
            (Some(Output(path)), _) => Sink::Writer(TableWriter::create(path, &columns)?),
            (None, FitFormat::Csv) => Sink::Writer(TableWriter::to_stream(Screen::stdout(), &columns)?),
            (None, FitFormat::Ndjson) => Sink::Writer(TableWriter::lines_to_stream(Screen::stdout(), &columns)?),
            (None, _) => Sink::Kept,
        };
        Ok(Out { rows, sink, format, met: 0 })
    }

    /// Takes the rows of a group, which `push` adds.
    fn take(&mut self, push: impl FnOnce(&mut GroupTable)) -> Result<(), Error> {
        self.met += 1;
        match &mut self.sink {
            Sink::Kept if self.format == FitFormat::Table && self.met > SHOWN => {}
            Sink::Kept => push(&mut self.rows),
            Sink::Writer(writer) => {
                push(&mut self.rows);
                if self.rows.rows() >= TOGETHER {
                    self.rows.write(writer)?;
                    self.rows.clear();
                }
            }
        }
        Ok(())
    }

    /// Writes what is left, or prints all of it below a heading.
    fn end(self, heading: &str, groups: u64) -> Result<(), Failure> {
        match self.sink {
            Sink::Writer(mut writer) => {
                self.rows.write(&mut writer)?;
                writer.finish()?;
            }
            Sink::Kept if self.format == FitFormat::Table => {
                print(&format!("{heading}\n\n{}", self.rows.summary()))?;
                if groups > SHOWN {
                    let rest = count_of(groups - SHOWN, "more group");
                    print(&format!("... and {rest}; --format csv has all of them\n"))?;
                }
            }
            Sink::Kept => print(&self.rows.tidy().markdown())?,
        }
        Ok(())
    }
}

/// Says how many groups are without.
fn told(done: &GroupsFitted, groups: &str) {
    if done.failed > 0 {
        warn(&[format!("of {groups} {} no fit; the column error says why", have(done.failed))]);
    }
    if done.not_converged > 0 {
        warn(&[format!("of {groups} {} not converged; the column warnings says so", have(done.not_converged))]);
    }
}

/// `1 has`, `2 have`.
fn have(count: u64) -> String {
    format!("{count} {}", if count == 1 { "has" } else { "have" })
}
