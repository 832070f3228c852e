//! noisefit for Python: parse, call, wrap.
//!
//! The package `noisefit` (`python/noisefit`) has the functions and classes that users see; this module is what they call. It
//! turns keywords into the front door's [`noisefit::Model`] and its options, frames into its [`noisefit::Table`], and what it
//! finds into numbers, text and JSON. Nothing is computed here.

mod array;
mod command;
mod errors;
mod fit;
mod fitted;
mod found;
mod losses;
mod model;
mod numbers;
mod options;
mod record;
mod settings;
mod shown;
mod table;
mod tabulated;
mod work;

use pyo3::prelude::*;

/// What the package calls.
#[pymodule(gil_used = false)]
fn _noisefit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<table::Table>()?;
    module.add_class::<fitted::Fitted>()?;
    module.add_class::<found::Found>()?;
    module.add_class::<array::ArrayFit>()?;
    module.add_class::<shown::Chart>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(fit::fit_by, module)?)?;
    module.add_function(wrap_pyfunction!(fit::compare_by, module)?)?;
    module.add_function(wrap_pyfunction!(fit::compare, module)?)?;
    module.add_function(wrap_pyfunction!(fit::compare_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(fit::diagnose, module)?)?;
    module.add_function(wrap_pyfunction!(fit::profile, module)?)?;
    module.add_function(wrap_pyfunction!(fit::describe, module)?)?;
    module.add_function(wrap_pyfunction!(fit::loss, module)?)?;
    module.add_function(wrap_pyfunction!(fit::columns, module)?)?;
    module.add_function(wrap_pyfunction!(table::fold_partition, module)?)?;
    module.add_function(wrap_pyfunction!(table::merge_answers, module)?)?;
    module.add_function(wrap_pyfunction!(array::fit_array, module)?)?;
    module.add_function(wrap_pyfunction!(losses::loss_of, module)?)?;
    module.add_function(wrap_pyfunction!(losses::likelihood_of, module)?)?;
    module.add_function(wrap_pyfunction!(shown::family_charts, module)?)?;
    module.add_function(wrap_pyfunction!(shown::explain, module)?)?;
    module.add_function(wrap_pyfunction!(tabulated::tabulate, module)?)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(command::flags, module)?)
}
