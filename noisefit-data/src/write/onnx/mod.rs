//! Models in the Open Neural Network Exchange format, which other programs run without noisefit.
//!
//! The graph takes the columns of the design, made ready, as doubles: `design`, `[rows, terms]`, and for a linear model whose
//! scale is modelled `scale_design`, `[rows, terms of the scale]`. It gives in units of the response
//!
//! | output | shape | what |
//! |---|---|---|
//! | `location` | `[rows]` | the location, of an ensemble the mean of its members' |
//! | `quantiles` | `[rows, levels]` | in its place under the noise of quantiles, by ascending level |
//! | `scale` | as the above | the noise's scale in a row of weight 1, of an ensemble the root of the mean square |
//! | `epistemic` | as the above | of an ensemble: the standard deviation of its members' locations |
//!
//! Names of the terms, formula and noise are a JSON text beside it, [`About`].

mod curves;
mod graph;
mod linear;
mod network;
pub mod proto;

use noisefit_core::noise::Noise;
use prost::Message;
use serde::{Deserialize, Serialize};

use self::curves::Curves;
pub use self::proto::Model;
use self::proto::{Graph, OperatorSet, Property};
use crate::error::DataError;
use crate::model::FittedModel;

/// The set of operators that is used, of 2021: every run-time since then has it.
const OPERATOR_SET: i64 = 17;

/// The version of the format that came with it.
const FORMAT: i64 = 8;

/// The name of the text about the model.
const ABOUT: &str = "noisefit";

/// What stands beside the graph, or the weights of a network, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// `noisefit.about/1`.
    pub schema: String,
    /// The program that wrote it.
    pub version: String,
    /// The formula.
    pub formula: String,
    /// What the location is of, such as `y` or `log(y)`.
    pub response: String,
    /// The columns of `design`, in their order.
    pub terms: Vec<String>,
    /// The formula of the scale, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_formula: Option<String>,
    /// The columns of `scale_design`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scale_terms: Vec<String>,
    /// The noise of every member, and of each of its quantiles.
    pub noise: Vec<Vec<Noise>>,
    /// The scale of each; of a network whose scale is an output what the exponential of that output, times the deviation of the
    /// response, is multiplied by. Absent where a formula models it.
    pub scale: Vec<Vec<Option<f64>>>,
}

impl About {
    /// What is to be said of a model.
    pub fn of(model: &FittedModel) -> Self {
        let (formula, layout) = (model.design.formula(), model.design.layout());
        let scale = match &model.network {
            Some(network) => {
                network.members.iter().map(|member| member.scale.iter().copied().map(Some).collect()).collect()
            }
            None => vec![model.fits.iter().map(|fit| fit.scale.common()).collect()],
        };
        let noise = match &model.network {
            Some(network) => network.members.iter().map(|member| member.noise.clone()).collect(),
            None => vec![model.fits.iter().map(|fit| fit.noise).collect()],
        };
        About {
            schema: "noisefit.about/1".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            formula: formula.text().to_owned(),
            response: layout.response.clone(),
            terms: layout.terms.clone(),
            scale_formula: formula.scale().map(|scale| scale.text().to_owned()),
            scale_terms: layout.scale.as_ref().map(|scale| scale.terms.clone()).unwrap_or_default(),
            noise,
            scale,
        }
    }

    /// The text.
    ///
    /// # Errors
    /// [`DataError::Option`] for what has no place in JSON.
    pub fn to_json(&self) -> Result<String, DataError> {
        serde_json::to_string(self).map_err(|error| DataError::Option(error.to_string()))
    }
}

impl Model {
    /// The graph of a fitted model.
    ///
    /// # Errors
    /// As [`About::to_json`].
    pub fn of(model: &FittedModel) -> Result<Self, DataError> {
        let about = About::of(model);
        let layout = model.design.layout();
        let mut graph = Graph { name: Some("noisefit".to_owned()), ..Graph::default() };
        let design = graph.take("design", layout.terms.len());
        let Curves { locations, scales, epistemic } = match &model.network {
            Some(network) => network::curves(&mut graph, network, &design),
            None => linear::curves(&mut graph, &model.fits, layout, &design),
        };
        let of_quantiles = about.noise.iter().flatten().any(|noise| matches!(noise, Noise::Quantile(_)));
        let columns = of_quantiles.then(|| model.curves());
        graph.give(&locations, if of_quantiles { "quantiles" } else { "location" }, columns);
        graph.give(&scales, "scale", columns);
        if let Some(epistemic) = epistemic {
            graph.give(&epistemic, "epistemic", columns);
        }
        Ok(Model {
            ir_version: Some(FORMAT),
            producer_name: Some("noisefit".to_owned()),
            producer_version: Some(about.version.clone()),
            graph: Some(graph),
            opset_import: vec![OperatorSet { domain: Some(String::new()), version: Some(OPERATOR_SET) }],
            metadata_props: vec![Property { key: Some(ABOUT.to_owned()), value: Some(about.to_json()?) }],
        })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// Reads what of a file [`proto`] has a place for.
    ///
    /// # Errors
    /// [`DataError::Option`] for what is no such file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        Model::decode(bytes).map_err(|error| DataError::Option(error.to_string()))
    }

    /// What is said about it, where [`Model::of`] made it.
    pub fn about(&self) -> Option<About> {
        let text = self.metadata_props.iter().find(|property| property.key() == ABOUT)?;
        serde_json::from_str(text.value()).ok()
    }
}
