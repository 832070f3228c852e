//! How many words of a value a pass needs.

use serde::Serialize;

/// How many words of a value a pass asks the source for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub enum Precision {
    /// Doubles; [`Values::low`](super::Values::low) is `None`.
    Double,
    /// Double-double: what a double cannot hold of a product, a power or a decimal stands in
    /// [`Values::low`](super::Values::low).
    Extended,
    /// Double-double, with every stored number moved at random within its own rounding error (half a unit in its last
    /// place; numbers that are evidently exact stay). The draw's number makes it repeatable. Refitting on such data shows
    /// how many digits the data themselves determine.
    Perturbed(u32),
}
