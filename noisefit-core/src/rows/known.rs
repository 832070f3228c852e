//! The kinds of passes that stand among the rows themselves.

use std::any::TypeId;

use crate::rows::division::Sizes;
use crate::rows::folds::Selection;
use crate::rows::kinds::Kinds;
use crate::rows::sample::Sample;
use crate::rows::subset::Columns;
use crate::rows::together::Together;

impl Default for Kinds {
    /// Those of sources themselves: samples of the rows, passes together, columns and rows left out.
    fn default() -> Self {
        let kinds = Kinds::none();
        let kinds = kinds.listed(Together::KIND.to_owned(), TypeId::of::<Together>(), Some(Together::decode));
        kinds.with::<Sample>().with::<Sizes>().with_adaptor::<Columns>().with_adaptor::<Selection>()
    }
}
