//! What can go wrong at the front door.

use std::path::PathBuf;
use std::sync::Arc;

use noisefit_core::record::Counts;
use noisefit_data::DataError;
use noisefit_report::chart::{Kind, NotConverted};
use noisefit_report::text::count_of;

use crate::refusal::Refusal;
use noisefit_core::wording::{InRust, Sentence, Setting, Wording};

/// A model could not be fitted, used or saved.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What is asked for cannot be, whatever the data: wrong usage.
    Refused(Refusal),
    /// Every row was left out.
    NothingToFit {
        /// The files, in short.
        files: String,
        /// How many rows, and why they were left out.
        counts: Counts,
    },
    /// Every row was left out of a score.
    NothingToScore {
        /// The first file.
        file: String,
        /// How many rows, and why they were left out.
        counts: Counts,
    },
    /// Every row was left out of a table of losses.
    NothingToCompare {
        /// How many rows, and why they were left out.
        counts: Counts,
    },
    /// A table without a row.
    NoRows {
        /// The files, in short.
        files: String,
        /// The names of its columns.
        columns: Vec<String>,
    },
    /// A column that is not there.
    NoColumn {
        /// What names it.
        setting: Setting,
        /// The name.
        name: String,
        /// The files, in short, where they are to be named.
        files: Option<String>,
        /// The columns that are there.
        columns: Vec<String>,
    },
    /// Rows of a group that stand apart in a table that is not kept in memory.
    GroupApart {
        /// The group.
        group: String,
        /// About how many bytes all rows take.
        bytes: u64,
    },
    /// Intervals of a model that has none.
    NoIntervals {
        /// What was asked for.
        setting: Setting,
        /// The model.
        model: String,
        /// Why.
        why: &'static str,
    },
    /// Of a model of several quantiles one was asked for, or of one that was trained an exact fit.
    NoSingleFit,
    /// What was not kept: the table of a model that was loaded.
    NoTable,
    /// A chart that a model does not have.
    NoChart {
        /// What was asked for.
        kind: Kind,
        /// The model.
        model: String,
        /// What there is.
        kinds: Vec<Kind>,
    },
    /// The weights of a model that has no network.
    NoNetwork {
        /// The model.
        model: String,
    },
    /// A search for a plan was stopped, which goes on from a file.
    SearchInterrupted {
        /// The file of the trials.
        trials: PathBuf,
    },
    /// A file of what was begun before that cannot be gone on from.
    NotResumed {
        /// The file.
        path: PathBuf,
        /// What it should hold: `a search`.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// What went wrong, and what the table has to say to that.
    Remarked {
        /// What is wrong.
        error: Box<Error>,
        /// About columns that the formula names.
        remarks: Vec<Sentence>,
    },
    /// Data could not be read, or results written.
    Data(Box<DataError>),
    /// A file that goes with a result could not be written; the result is whole.
    NotWritten(Arc<DataError>),
    /// The mathematics could not do it.
    Core(noisefit_core::Error),
    /// A record could not be written as JSON.
    Json(serde_json::Error),
    /// A picture could not be made.
    Picture(NotConverted),
}

impl Error {
    /// What went wrong, with settings as a front end writes them.
    pub fn sentence(&self, wording: &dyn Wording) -> String {
        match self {
            Error::Refused(refusal) => refusal.sentence(wording),
            Error::NothingToFit { files, counts } => nothing_to_fit(files, *counts, wording),
            Error::NothingToScore { file, counts } if counts.records == 0 => {
                format!("{file}: there is a header but no row; a score needs rows of data")
            }
            Error::NothingToScore { file, counts } => format!(
                "{file}: nothing to score: of {}, {} with a missing value are left out",
                count_of(counts.records, "row"),
                counts.missing
            ),
            Error::NothingToCompare { counts } => {
                format!("no rows to compare: {} rows, {} of them with a missing value", counts.records, counts.missing)
            }
            Error::NoRows { files, columns } => {
                format!("{files}: a header but no rows; the columns are {}", columns.join(", "))
            }
            Error::NoColumn { setting, name, files: Some(files), columns } => {
                format!(
                    "{} {name}: no such column in {files}; there are {}",
                    wording.setting(*setting),
                    columns.join(", ")
                )
            }
            Error::NoColumn { setting, name, files: None, columns } => {
                format!("{} {name}: no such column; the columns are {}", wording.setting(*setting), columns.join(", "))
            }
            Error::GroupApart { group, bytes } => {
                // In units that are read, and never too few of them.
                let memory = format!("{}MB", (bytes / 1_000_000 + 1));
                format!(
                    "the rows of the group {group} stand apart, and a table that is not kept in memory is fitted group by group as it is \
                     read: sort it by the columns of {}, or keep it in memory by {}",
                    wording.setting(Setting::By),
                    wording.with(Setting::Memory, &memory)
                )
            }
            Error::NoIntervals { setting, model, why } => {
                let what = if *setting == Setting::Interval {
                    "are no intervals"
                } else {
                    "is no distribution of a new observation"
                };
                format!("{model}: {why}, so there {what}; leave out {}", wording.setting(*setting))
            }
            Error::NoSingleFit => {
                "there is not one exact fit: ask for each of several quantiles, and of what was trained for its network"
                    .to_owned()
            }
            Error::NoTable => "the model was loaded without its table; give one".to_owned(),
            Error::NoChart { kind, model, kinds } => {
                let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
                format!("{model} has no chart '{kind}'; there are {}", kinds.join(", "))
            }
            Error::NoNetwork { model } => format!(
                "{}: {model} holds no network; the coefficients of a linear fit are in it as JSON",
                wording.setting(Setting::Safetensors)
            ),
            Error::SearchInterrupted { trials } => format!(
                "the search was interrupted; {} goes on with the trials in {}",
                wording.setting(Setting::Resume),
                trials.display()
            ),
            Error::Remarked { error, remarks } => {
                let remarks: Vec<String> = remarks.iter().map(|remark| remark.worded(wording)).collect();
                format!("{}\n{}", error.sentence(wording), remarks.join("\n"))
            }
            Error::NotResumed { path, what, why } => format!(
                "{} cannot be read as {what} to go on from: {why}; begin anew without {}",
                path.display(),
                wording.setting(Setting::Resume)
            ),
            Error::Data(error) => error.sentence(wording),
            Error::NotWritten(error) => error.sentence(wording),
            Error::Core(error) => self.of_data().map_or_else(|| error.to_string(), |error| error.sentence(wording)),
            Error::Json(error) => error.to_string(),
            Error::Picture(error) => error.to_string(),
        }
    }

    /// The error without what the table has to say to it.
    pub(crate) fn alone(self) -> Self {
        match self {
            Error::Remarked { error, .. } => *error,
            error => error,
        }
    }

    /// The same error, whose record was counted among rows that were gathered: the file and the record, from 1, where it stands.
    pub(crate) fn standing_at(self, place: impl FnOnce(u64) -> Option<(String, u64)>) -> Self {
        match self {
            Error::Data(error) => error.standing_at(place).into(),
            Error::Core(noisefit_core::Error::Source(source)) => match source.downcast::<DataError>() {
                Ok(error) => error.standing_at(place).into(),
                Err(source) => Error::Core(noisefit_core::Error::Source(source)),
            },
            error => error,
        }
    }

    /// Whether the user asked to stop.
    pub fn is_interruption(&self) -> bool {
        matches!(self.of_data(), Some(DataError::Interrupted))
    }

    /// Whether a column is of another kind than the heads of its files say.
    pub(crate) fn widens(&self) -> bool {
        self.of_data().is_some_and(DataError::widens)
    }

    /// The error of the data that it is, or that came through the mathematics.
    fn of_data(&self) -> Option<&DataError> {
        match self {
            Error::Data(error) => Some(error),
            Error::NotWritten(error) => Some(error),
            Error::Core(noisefit_core::Error::Source(source)) => source.downcast_ref(),
            Error::Remarked { error, .. } => error.of_data(),
            _ => None,
        }
    }
}

/// Why a file that goes with a result could not be written, which is kept beside it: a result may have taken hours, and is not to be
/// lost with the file. A wish to stop is granted at once.
pub(crate) fn unwritten(written: Result<(), DataError>) -> Result<Option<Arc<DataError>>, Error> {
    match written {
        Ok(()) => Ok(None),
        Err(error @ DataError::Write { .. }) => Ok(Some(Arc::new(error))),
        Err(error) => Err(error.into()),
    }
}

/// Why there is no row left.
fn nothing_to_fit(files: &str, Counts { records, missing, weightless }: Counts, wording: &dyn Wording) -> String {
    if records == 0 {
        return format!("{files}: there is a header but no row; a fit needs rows of data");
    }
    let rows = count_of(records, "row");
    let why = match (missing, weightless) {
        (_, 0) => format!(
            "each of {rows} has a missing value; {} names the first, {} a text that stands for one",
            wording.with(Setting::Missing, "fail"),
            wording.setting(Setting::MissingText)
        ),
        (0, _) => format!("the weight of each of {rows} is zero"),
        _ => format!("of {rows}, {missing} with a missing value and {weightless} with a weight of zero are left out"),
    };
    format!("{files}: nothing to fit: {why}")
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence(&InRust))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            Error::Data(error) => Some(&**error),
            Error::NotWritten(error) => Some(&**error),
            Error::Core(error) => Some(error),
            Error::Remarked { error, .. } => Some(&**error),
            Error::Json(error) => Some(error),
            Error::Picture(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal)
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Error::Data(Box::new(error))
    }
}

impl From<noisefit_core::Error> for Error {
    fn from(error: noisefit_core::Error) -> Self {
        Error::Core(error)
    }
}

impl From<NotConverted> for Error {
    fn from(error: NotConverted) -> Self {
        Error::Picture(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Json(error)
    }
}
