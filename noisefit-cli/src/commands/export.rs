//! `noisefit export`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use noisefit_core::network::{Architecture, Network, Objective, Standardisation};
use noisefit_core::noise::Noise;
use noisefit_data::model::FittedModel;
use noisefit_data::write::onnx::{About, Model, proto};
use noisefit_data::write::write_atomically;
use serde::Serialize;

use crate::arguments::OutputFormat;
use crate::outcome::Outcome;
use crate::output::{print, print_json, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit export model.json --onnx model.onnx
  noisefit export network.json --onnx network.onnx --safetensors network.safetensors")]
pub(crate) struct ExportArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// Write what the model computes as an ONNX file
    #[arg(long, value_name = "FILE", required_unless_present = "safetensors")]
    pub(crate) onnx: Option<PathBuf>,
    /// Write the weights of a network as a safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) safetensors: Option<PathBuf>,
    /// How to print what was written
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Writes the files and prints what the ONNX file takes and gives.
pub(crate) fn run(arguments: &ExportArguments) -> anyhow::Result<Outcome> {
    let path = &arguments.model;
    let model = FittedModel::load(path)?;
    let about = About::of(&model);
    let onnx = Model::of(&model)?;
    // Made before anything is written, so that a refusal leaves no file.
    let weights = arguments.safetensors.as_ref().map(|_| weights(&model, &about, path)).transpose()?;
    let files = [(&arguments.onnx, Some(onnx.to_bytes())), (&arguments.safetensors, weights)];
    for (path, bytes) in files {
        if let (Some(path), Some(bytes)) = (path, bytes) {
            write_atomically(path, |file| file.write_all(&bytes))?;
        }
    }
    let record = Record::new(arguments, &onnx, about);
    match arguments.format {
        OutputFormat::Json => print_json(&record)?,
        OutputFormat::Table => print(&record.to_string())?,
    }
    if arguments.onnx.is_some() {
        warn(&warnings(&model));
    }
    Ok(Outcome::Done)
}

/// The weights of a network, with what is said about it.
fn weights(model: &FittedModel, about: &About, path: &Path) -> anyhow::Result<Vec<u8>> {
    let network = model.network.as_ref().with_context(|| {
        let path = path.display();
        format!("--safetensors: {path} holds no network; the coefficients of a linear fit are in it as JSON")
    })?;
    let mut tensors = network.tensors();
    let Network { architecture, objective, standardisation, .. } = network;
    tensors.push_text("noisefit", serde_json::to_string(&Weights { about, architecture, objective, standardisation })?);
    Ok(tensors.to_bytes()?)
}

/// What the weights of a network are to be used with.
#[derive(Serialize)]
struct Weights<'a> {
    #[serde(flatten)]
    about: &'a About,
    architecture: &'a Architecture,
    objective: &'a Objective,
    standardisation: &'a Standardisation,
}

/// What whoever runs the file should know.
fn warnings(model: &FittedModel) -> Vec<String> {
    let mut warnings = Vec::new();
    let computed = model.design.computed_terms();
    if !computed.is_empty() {
        warnings.push(format!(
            "the file takes the terms of the formula, not the columns of the data: compute {} before it is run",
            computed.join(", ")
        ));
    }
    if model.design.transforms_response() {
        warnings.push(format!("locations and scales are of {}", model.design.layout().response));
    }
    if model.design.weights().is_some() {
        warnings.push("the model is weighted; scales are for rows of weight 1".into());
    }
    if model.conformal.is_some() {
        warnings.push("conformal intervals are not exported; noisefit predict gives them".into());
    }
    warnings
}

/// What was written.
#[derive(Serialize)]
struct Record {
    schema: &'static str,
    onnx: Option<PathBuf>,
    safetensors: Option<PathBuf>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    about: About,
}

/// What the ONNX file takes or gives.
#[derive(Serialize)]
struct Value {
    name: String,
    /// `rows`, and the number of columns where there are such.
    shape: Vec<String>,
    columns: Vec<String>,
}

impl Record {
    fn new(arguments: &ExportArguments, onnx: &Model, about: About) -> Self {
        let graph = onnx.graph.as_ref();
        let values = |values: Option<&Vec<proto::ValueInfo>>| {
            values.into_iter().flatten().map(|value| Value::new(value, &about)).collect()
        };
        let (inputs, outputs) = (values(graph.map(|graph| &graph.input)), values(graph.map(|graph| &graph.output)));
        let (onnx, safetensors) = (arguments.onnx.clone(), arguments.safetensors.clone());
        Record { schema: "noisefit.export/1", onnx, safetensors, inputs, outputs, about }
    }
}

impl Value {
    fn new(value: &proto::ValueInfo, about: &About) -> Self {
        let shape: Vec<String> = value.shape().iter().map(ToString::to_string).collect();
        let columns = match value.name() {
            "design" => about.terms.clone(),
            "scale_design" => about.scale_terms.clone(),
            _ if shape.len() > 1 => about.noise.first().into_iter().flatten().map(Noise::to_string).collect(),
            _ => Vec::new(),
        };
        Value { name: value.name().to_owned(), shape, columns }
    }

    fn of_shape(&self) -> String {
        format!("[{}]", self.shape.join(", "))
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, path) in [("ONNX", &self.onnx), ("weights", &self.safetensors)] {
            if let Some(path) = path {
                writeln!(f, "{what} written to {}", path.display())?;
            }
        }
        if self.onnx.is_none() {
            return Ok(());
        }
        let values = self.inputs.iter().map(|value| ("input", value));
        let values: Vec<(&str, &Value)> = values.chain(self.outputs.iter().map(|value| ("output", value))).collect();
        let width = |text: fn(&Value) -> String| values.iter().map(|(_, value)| text(value).len()).max().unwrap_or(0);
        let (name, shape) = (width(|value| value.name.clone()), width(Value::of_shape));
        for (what, value) in values {
            let columns = value.columns.join(", ");
            let line = format!("{what:<6}  {:<name$}  {:<shape$}  {columns}", value.name, value.of_shape());
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
