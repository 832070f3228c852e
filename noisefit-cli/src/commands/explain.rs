//! `noisefit explain`.

use clap::Args;
use noisefit::core::noise::Noises;
use noisefit::{Explained, Fitted, explain};

use crate::arguments::named;
use crate::files::ModelFile;
use crate::outcome::{Failure, Outcome};
use crate::output::print;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit explain gaussian
  noisefit explain laplace model.json
  noisefit explain student-t --format latex")]
pub(crate) struct ExplainArguments {
    /// The noise, as `--noise` names it; with a model that of the model
    #[arg(value_name = "NOISE")]
    pub(crate) noise: Noises,
    /// A model that `noisefit fit -o` saved, whose numbers are put in
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<ModelFile>,
    /// How it is written
    #[arg(long, value_parser = named::<Explained>(), default_value_t = Explained::Text)]
    pub(crate) format: Explained,
}

/// Derives.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<Outcome, Failure> {
    let ExplainArguments { noise, model, format } = arguments;
    let Some(ModelFile(path)) = model else {
        let all: Vec<String> = noise.iter().map(|noise| explain(noise, *format)).collect();
        print(&all.join("\n"))?;
        return Ok(Outcome::Done);
    };
    let fitted = Fitted::load(path)?;
    let named = |name: &str| noise.iter().all(|noise| noise.family().name() == name);
    if let Some(fit) = fitted.fits().iter().find(|fit| !named(fit.noise.family().name())) {
        let (asked, name) = (noise.to_string(), fit.noise.family().name());
        return Err(Failure::Usage(format!(
            "{} has {name} noise, not {asked}: noisefit explain {name} {}",
            path.display(),
            path.display()
        )));
    }
    print(&fitted.explain(*format)?)?;
    Ok(Outcome::Done)
}
