//! Who watches over what takes long.

use noisefit_data::read::Progress;

/// Who watches the passes over a table, and trainings: shows how far they are, and may stop them
/// ([`Progress::cancelled`]). Called from several threads.
pub trait Watch: Progress + Send + std::fmt::Debug {
    /// A training begins, of so many epochs at most; passes are of no interest until it ends.
    fn begin_training(&self, epochs: u64) {
        let _ = epochs;
    }

    /// So many epochs are done, with what there is to be said.
    fn trained(&self, epochs: u64, message: &str) {
        let _ = (epochs, message);
    }

    /// The training has ended, by itself or because it was stopped; what follows is not to be stopped by the same wish.
    fn end_training(&self) {}

    /// A line about a trial of a search.
    fn trial(&self, line: &str) {
        let _ = line;
    }
}

/// Nobody.
impl Watch for () {}
