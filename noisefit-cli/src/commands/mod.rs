//! One file a command.

pub(crate) mod by;
pub(crate) mod compare;
pub(crate) mod describe;
pub(crate) mod diagnose;
pub(crate) mod effects;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod loss;
pub(crate) mod manual;
pub(crate) mod model;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod profile;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod test;
pub(crate) mod training;
pub(crate) mod worker;
