//! The command line: every command with the help for it.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::compare::CompareArguments;
use crate::commands::describe::DescribeArguments;
use crate::commands::diagnose::DiagnoseArguments;
use crate::commands::effects::EffectsArguments;
use crate::commands::evaluate::EvaluateArguments;
use crate::commands::explain::ExplainArguments;
use crate::commands::export::ExportArguments;
use crate::commands::fit::FitArguments;
use crate::commands::loss::LossArguments;
use crate::commands::plot::PlotArguments;
use crate::commands::predict::PredictArguments;
use crate::commands::profile::ProfileArguments;
use crate::commands::report::ReportArguments;
use crate::commands::table::TableArguments;
use crate::commands::test::TestArguments;
use crate::commands::worker::WorkerArguments;

/// Name the noise, get the fit.
///
/// Regression by maximum likelihood under a noise model that you name: the loss, the estimator, the noise scale, standard
/// errors, intervals and the complete likelihood all follow from that one choice.
#[derive(Debug, Parser)]
#[command(name = "noisefit", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fit a model by maximum likelihood and print its table
    Fit(Box<FitArguments>),
    /// Predict rows with a fitted model, with intervals
    Predict(PredictArguments),
    /// Score a fitted model on data: errors, likelihood, coverage of its intervals
    Evaluate(EvaluateArguments),
    /// Fit a model and say what is wrong with it: variance, shape of the noise, form of the mean, rows that stand out
    Diagnose(DiagnoseArguments),
    /// Test hypotheses about the coefficients of a fitted model: x1 = x2, a whole term, a function such as b1/b2
    Test(TestArguments),
    /// Average predictions, slopes and comparisons in the units of the response, with standard errors
    Effects(EffectsArguments),
    /// The likelihood and the loss along one coefficient, and its profile-likelihood interval
    Profile(ProfileArguments),
    /// Set noise models side by side, say which the data prefer and what speaks for it
    Compare(CompareArguments),
    /// Describe the columns of data: types, missing values, means, quantiles, levels
    Describe(DescribeArguments),
    /// Every loss of given predictions, what the largest errors carry of it, and the noise it implies
    Loss(LossArguments),
    /// Draw a chart of a fitted model, or of the noise families: to a file, or in the terminal
    Plot(Box<PlotArguments>),
    /// Write the report of a fitted model: one HTML page with verdict, tables, charts and derivation
    Report(ReportArguments),
    /// From the density of a noise to the loss, the estimator and the scale, with the numbers of a model
    Explain(ExplainArguments),
    /// Set fitted models side by side, as papers print them: text, Markdown, LaTeX, Typst, HTML
    Table(TableArguments),
    /// Write a fitted model in a form that other programs run: ONNX, safetensors
    Export(ExportArguments),
    /// Fold units of data for a row source in another process
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  noisefit completions bash > ~/.local/share/bash-completion/completions/noisefit"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page a command into a folder
    #[command(after_help = "Example:\n  noisefit manual --folder ~/.local/share/man/man1")]
    Manual {
        /// Write noisefit.1, noisefit-fit.1, ... here
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}
