//! What is asked of the rows of a partition.

use noisefit_core::rows::{put, take};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::formula::{Travelling, TravellingModel};
use crate::frame::{Field, Kind, Written};
use crate::read::ReadOptions;
use crate::source::SourceOptions;

/// What writes tasks and reads them: a worker of another version refuses.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is asked, and of which columns as they are read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub reading: Reading,
    /// The columns, in their order.
    pub columns: Vec<String>,
    pub work: Work,
}

/// What is said of the table that has a bearing on its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reading {
    missing: Vec<String>,
    text: Vec<String>,
    known: Vec<(String, Kind, Written)>,
}

impl Reading {
    pub fn of(options: &ReadOptions) -> Self {
        let known = options.known.iter().map(|field| (field.name.clone(), field.kind, field.written.clone()));
        Reading { missing: options.missing.clone(), text: options.text.clone(), known: known.collect() }
    }

    pub fn options(&self) -> ReadOptions {
        let field = |(name, kind, written): &(String, Kind, Written)| Field {
            name: name.clone(),
            kind: *kind,
            written: written.clone(),
        };
        ReadOptions {
            missing: self.missing.clone(),
            text: self.text.clone(),
            known: self.known.iter().map(field).collect(),
            threads: 1,
            ..ReadOptions::default()
        }
    }
}

/// What is done with the rows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// What a model must know before it has a design.
    Learn(TravellingModel),
    /// A pass.
    Fold {
        rows: TravellingRows,
        /// Of the core, in its own envelope.
        pass: Vec<u8>,
        /// Whether what the rows show is to be told.
        looks: bool,
        /// How many rows stand before those of each partition, where the pass has to know.
        before: Vec<(u64, u64)>,
    },
    /// How many rows there are.
    Count(TravellingRows),
    /// What the derivatives of a transformed response are like.
    Slopes(TravellingRows),
    /// The sum of sampling weights, and how many there are.
    Weights(TravellingRows),
    /// Where some rows stand, by their numbers.
    Places { rows: TravellingRows, before: Vec<(u64, u64)>, numbers: Vec<u64> },
}

/// Rows as a design sees them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TravellingRows {
    pub design: Travelling,
    pub options: SourceOptions,
}

impl Task {
    pub fn to_bytes(&self) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        put(VERSION, &mut bytes).and_then(|()| put(self, &mut bytes)).map_err(unwritten)?;
        Ok(bytes)
    }

    /// # Errors
    /// Those of another version; bytes that are no task.
    pub fn of_bytes(mut bytes: &[u8]) -> Result<Self, DataError> {
        let version: String = take(&mut bytes).map_err(unwritten)?;
        same_version(&version)?;
        take(&mut bytes).map_err(unwritten)
    }
}

/// Refuses what another version of the program wrote.
pub(super) fn same_version(version: &str) -> Result<(), DataError> {
    match version == VERSION {
        true => Ok(()),
        false => Err(DataError::Option(format!(
            "noisefit {VERSION} here was sent work by noisefit {version}: install the same version on the driver and on every worker"
        ))),
    }
}

pub(super) fn unwritten(error: noisefit_core::Error) -> DataError {
    DataError::Option(format!("between the driver and a worker: {error}"))
}
