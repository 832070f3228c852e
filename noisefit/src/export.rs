//! A fitted model in forms that other programs run.

use std::path::PathBuf;

use noisefit_core::network::{Architecture, Network, Objective, Standardisation};
use noisefit_core::noise::Noise;
use noisefit_core::record::Topic;
use noisefit_core::wording::Setting;
use noisefit_data::model::FittedModel;
use noisefit_data::write::onnx::{About, Model, proto};
use noisefit_data::write::write_atomically;
use serde::Serialize;

use crate::error::Error;
use crate::fitted::Fitted;
use crate::overwriting::refuse_overwriting;
use crate::remark::Remark;

/// The files to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportOptions {
    /// What the model computes, as an ONNX file.
    pub onnx: Option<PathBuf>,
    /// The weights of a network, as a safetensors file.
    pub safetensors: Option<PathBuf>,
}

/// What was written, for serde to write as JSON; its Display is text for people.
#[derive(Debug, Serialize)]
pub struct Exported {
    schema: &'static str,
    onnx: Option<PathBuf>,
    safetensors: Option<PathBuf>,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    about: About,
    #[serde(skip)]
    warnings: Vec<Remark>,
}

impl Fitted {
    /// Writes the files.
    ///
    /// # Errors
    /// [`Error::Refused`] for a file that is the model itself, or named twice; [`Error::NoNetwork`]; what a form cannot hold; those of writing. Nothing is written then.
    pub fn export(&self, options: &ExportOptions) -> Result<Exported, Error> {
        self.without_effects("export")?;
        let named = [(Setting::Onnx, &options.onnx), (Setting::Safetensors, &options.safetensors)];
        let outputs: Vec<_> = named.iter().filter_map(|(setting, path)| Some((*setting, path.as_deref()?))).collect();
        refuse_overwriting(&outputs, &self.read(None))?;
        let about = About::of(&self.model);
        let onnx = Model::of(&self.model)?;
        // Made before anything is written, so that a refusal leaves no file.
        let weights = options.safetensors.as_ref().map(|_| self.weights(&about)).transpose()?;
        let files = [(&options.onnx, Some(onnx.to_bytes())), (&options.safetensors, weights)];
        for (path, bytes) in files {
            if let (Some(path), Some(bytes)) = (path, bytes) {
                write_atomically(path, |file| file.write_all(&bytes))?;
            }
        }
        let warnings = if options.onnx.is_some() { warnings(&self.model) } else { Vec::new() };
        Ok(Exported::new(options, &onnx, about, warnings))
    }

    /// The weights of a network, with what is said about it.
    fn weights(&self, about: &About) -> Result<Vec<u8>, Error> {
        let network = self.network().ok_or_else(|| Error::NoNetwork { model: self.name.clone() })?;
        let mut tensors = network.tensors();
        let Network { architecture, objective, standardisation, .. } = network;
        let text = serde_json::to_string(&Weights { about, architecture, objective, standardisation })?;
        tensors.push_text("noisefit", text);
        Ok(tensors.to_bytes()?)
    }
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
fn warnings(model: &FittedModel) -> Vec<Remark> {
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
    if model.design.has_offset() {
        warnings.push(format!("locations are of {}: add the offset", model.design.layout().response));
    }
    if model.design.has_scale_offset() {
        warnings.push("scales are without the offset of their logarithm: multiply them by its exponential".into());
    }
    if model.design.weights().is_some() {
        warnings.push("the model is weighted; scales are for rows of weight 1".into());
    }
    if model.conformal.is_some() {
        warnings.push("conformal intervals are not exported; noisefit predict gives them".into());
    }
    Remark::all(Topic::Export, warnings)
}

/// What the ONNX file takes or gives.
#[derive(Debug, Serialize)]
struct Value {
    name: String,
    /// `rows`, and the number of columns where there are such.
    shape: Vec<String>,
    columns: Vec<String>,
}

impl Exported {
    fn new(options: &ExportOptions, onnx: &Model, about: About, warnings: Vec<Remark>) -> Self {
        let graph = onnx.graph.as_ref();
        let values = |values: Option<&Vec<proto::ValueInfo>>| {
            values.into_iter().flatten().map(|value| Value::new(value, &about)).collect()
        };
        let (inputs, outputs) = (values(graph.map(|graph| &graph.input)), values(graph.map(|graph| &graph.output)));
        let (onnx, safetensors) = (options.onnx.clone(), options.safetensors.clone());
        Exported { schema: "noisefit.export/1", onnx, safetensors, inputs, outputs, about, warnings }
    }

    /// What whoever runs the file should know.
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
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

impl std::fmt::Display for Exported {
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
