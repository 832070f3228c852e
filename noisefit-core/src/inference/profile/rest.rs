//! The fit of all else where a coefficient is held.

use crate::Error;
use crate::estimate::{self, Options};
use crate::inference::profile::moved;
use crate::record::{Coefficient, Fit};
use crate::rows::RowSource;

/// The fit of all else where a coefficient has a value.
pub(super) fn refit(
    source: &dyn RowSource,
    fit: &Fit,
    term: usize,
    value: f64,
    options: &Options,
) -> Result<Fit, Error> {
    let rest = moved::without(source, fit, term, value);
    let mut fits = estimate::fit(&rest, &[fit.noise.named()], &Options { held: 1, ..options.clone() }).map_err(
        |error| match error {
            Error::Source(source) => Error::Source(source),
            error => Error::Unsupported(format!("with {} held at {value}: {error}", fit.location.rows[term].term)),
        },
    )?;
    fits.pop().ok_or(Error::NoRows)
}

/// The place of a term in the table, and its estimate.
///
/// # Errors
/// [`Error::Unsupported`] for a name that is no term, with those that are, and for an aliased term.
pub(super) fn place(fit: &Fit, term: &str) -> Result<(usize, f64), Error> {
    let Some(place) = fit.location.rows.iter().position(|row| row.term == term) else {
        let names: Vec<&str> = fit.location.rows.iter().map(|row| row.term.as_str()).collect();
        return Err(Error::Unsupported(format!("the model has no term '{term}'; its terms are {}", names.join(", "))));
    };
    let Coefficient { estimate, .. } = &fit.location.rows[place];
    let estimate = estimate.ok_or_else(|| {
        Error::Unsupported(format!(
            "the data do not determine the coefficient of {term}, a linear combination of earlier terms: its likelihood is the \
             same everywhere"
        ))
    })?;
    Ok((place, estimate))
}
