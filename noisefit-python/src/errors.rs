//! What goes wrong, as exceptions of the package, in the words of Python.

use noisefit::data::DataError;
use noisefit::{Error, Setting, Wording};
use pyo3::prelude::*;

/// Settings as keywords.
#[derive(Debug)]
pub(crate) struct Keywords;

impl Wording for Keywords {
    fn setting(&self, setting: Setting) -> String {
        match setting {
            Setting::Shuffle => "shuffle=True".to_owned(),
            Setting::NoHeader => "header=False".to_owned(),
            Setting::NoShuffle => "shuffle=False".to_owned(),
            Setting::Resume => "resume=True".to_owned(),
            Setting::DropEffects => "drop_effects=True".to_owned(),
            Setting::OnePass => "one_pass=True".to_owned(),
            _ => setting.name().to_owned(),
        }
    }

    fn with(&self, setting: Setting, value: &str) -> String {
        match value.parse::<f64>() {
            Ok(_) => format!("{}={value}", self.setting(setting)),
            Err(_) => format!("{}=\"{value}\"", self.setting(setting)),
        }
    }

    fn verb(&self, verb: &str) -> String {
        format!("`{verb}`")
    }
}

/// An exception of the package's own, by the name of its class in `noisefit._errors`.
pub(crate) fn exception(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = || py.import("noisefit._errors")?.getattr(class)?.call1((message,));
    made().map_or_else(|error| error, PyErr::from_value)
}

/// Wrong usage, whatever the data.
pub(crate) fn usage(py: Python<'_>, message: &str) -> PyErr {
    exception(py, "UsageError", message)
}

/// What the front door could not do.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Refused(_) => "UsageError",
        Error::Core(noisefit::core::Error::Source(source)) if source.downcast_ref::<DataError>().is_some() => {
            "DataError"
        }
        Error::Core(_) => "FitError",
        Error::NoIntervals { .. } | Error::NoSingleFit | Error::NoTable | Error::NoNetwork { .. } => "UsageError",
        _ => "DataError",
    };
    exception(py, class, &error.sentence(&Keywords))
}

/// What the mathematics could not do.
pub(crate) fn of_core(py: Python<'_>, error: noisefit::core::Error) -> PyErr {
    raised(py, &error.into())
}
