//! What warnings are about, so that a reader can silence one kind and keep the others.

use crate::record::Warning;

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// The optimum, or the end of a training, was not reached.
    Convergence,
    /// Terms that the data do not determine.
    Collinearity,
    /// Digits of the coefficients.
    Accuracy,
    /// Shape and bounds of the likelihood, other coefficients that are as good.
    Likelihood,
    /// What the standard errors rest on.
    StandardErrors,
    /// Calibrated intervals.
    Calibration,
    /// What a training saw, and what it left out.
    Training,
    /// How models were compared.
    Comparison,
    /// Predictions that are missing, or hold under a condition.
    Prediction,
    /// Columns and how they were read.
    Data,
    /// What a form that other programs run leaves out.
    Export,
    /// What was read from a file, where it stands as a sentence.
    Recorded,
}

crate::named!(Topic {
    Convergence = "convergence": "",
    Collinearity = "collinearity": "",
    Accuracy = "accuracy": "",
    Likelihood = "likelihood": "",
    StandardErrors = "standard-errors": "",
    Calibration = "calibration": "",
    Training = "training": "",
    Comparison = "comparison": "",
    Prediction = "prediction": "",
    Data = "data": "",
    Export = "export": "",
    Recorded = "recorded": "",
});

impl Warning {
    /// What the warning is about.
    ///
    /// ```
    /// use noisefit_core::record::{Topic, Warning};
    ///
    /// assert_eq!(Warning::Saturated.topic(), Topic::Collinearity);
    /// assert_eq!(Warning::EndedEarly.topic().to_string(), "convergence");
    /// ```
    pub fn topic(&self) -> Topic {
        match self {
            Warning::NotConverged(_) | Warning::EndedEarly | Warning::Interrupted { .. } | Warning::StillGaining => {
                Topic::Convergence
            }
            Warning::Aliased { .. }
            | Warning::WithinEffects { .. }
            | Warning::AliasedInScale { .. }
            | Warning::Saturated => Topic::Collinearity,
            Warning::FewDigits { .. } | Warning::FarFromZero { .. } => Topic::Accuracy,
            Warning::NoResiduals
            | Warning::NoDeviations
            | Warning::NotUnique
            | Warning::FewWithinKnee
            | Warning::Unbounded(_)
            | Warning::GaussianTails
            | Warning::HeaviestTails { .. }
            | Warning::FewForTails { .. }
            | Warning::HigherMaximum => Topic::Likelihood,
            Warning::FewClusters { .. }
            | Warning::FewClustersLeftOut { .. }
            | Warning::OfOneCluster { .. }
            | Warning::FewDegrees { .. }
            | Warning::NotPositiveSemidefinite
            | Warning::Crossed { .. }
            | Warning::IidInstead(_)
            | Warning::ClassicalInstead { .. }
            | Warning::DrawsLeftOut { .. }
            | Warning::FewDraws { .. }
            | Warning::NoVariance { .. }
            | Warning::RankOfCovariance { .. }
            | Warning::BootstrapInstead { .. }
            | Warning::FewForScale { .. }
            | Warning::IncidentalParameters { .. }
            | Warning::ProfileBeside { .. } => Topic::StandardErrors,
            Warning::FewScores { .. } | Warning::NotCalibrated => Topic::Calibration,
            Warning::NoValidation
            | Warning::FewValidationRows { .. }
            | Warning::Constant { .. }
            | Warning::MembersLeftOut { .. }
            | Warning::FarValue { .. } => Topic::Training,
            Warning::NoCrossValidation { .. } | Warning::FewerFolds { .. } => Topic::Comparison,
            Warning::Recorded(_) => Topic::Recorded,
        }
    }
}
