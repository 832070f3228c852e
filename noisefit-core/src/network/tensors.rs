//! Numbers of networks as safetensors, which holds names, shapes and numbers and nothing that could be executed.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::Error;
use crate::network::Architecture;

/// Named numbers with their shapes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensors {
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    /// Texts beside them.
    texts: HashMap<String, String>,
}

impl Tensors {
    /// Adds numbers.
    pub fn push(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        self.tensors.push((name, shape, values));
    }

    /// Adds a text.
    pub fn push_text(&mut self, name: &str, text: String) {
        self.texts.insert(name.to_owned(), text);
    }

    /// A text by its name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Numbers by their name, if they are of this shape.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], Error> {
        match self.tensors.iter().find(|(own, _, _)| own == name) {
            Some((_, found, values)) if found == shape => Ok(values),
            Some((_, found, _)) => Err(Error::State(format!("{name} has the shape {found:?} and not {shape:?}"))),
            None => Err(Error::State(format!("{name} is not there"))),
        }
    }

    /// Numbers in one row by their name.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn row(&self, name: &str) -> Result<&[f32], Error> {
        let found = self.tensors.iter().find(|(own, shape, _)| own == name && shape.len() == 1);
        found.map(|(_, _, values)| &values[..]).ok_or_else(|| Error::State(format!("{name} is not there")))
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::State`] for a shape that is not that of its numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let bytes: Vec<Vec<u8>> = self
            .tensors
            .iter()
            .map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let refused = |error: safetensors::SafeTensorError| Error::State(error.to_string());
        let views = self
            .tensors
            .iter()
            .zip(&bytes)
            .map(|((name, shape, _), bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(refused)?))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let texts = (!self.texts.is_empty()).then(|| self.texts.clone());
        serialize(views, texts).map_err(refused)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::State`] for one that is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let refused = |error: safetensors::SafeTensorError| Error::State(error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(refused)?;
        let found = SafeTensors::deserialize(bytes).map_err(refused)?;
        let mut tensors = Vec::new();
        for (name, view) in found.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(Error::State(format!("{name} is not of 32-bit floating-point numbers")));
            }
            let (words, _) = view.data().as_chunks::<4>();
            let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
            tensors.push((name.to_owned(), view.shape().to_vec(), values));
        }
        Ok(Tensors { tensors, texts: header.metadata().clone().unwrap_or_default() })
    }

    /// The file as a text of letters, for a place within JSON.
    ///
    /// # Errors
    /// As [`Tensors::to_bytes`].
    pub fn to_base64(&self) -> Result<String, Error> {
        Ok(STANDARD.encode(self.to_bytes()?))
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = STANDARD.decode(text).map_err(|error| Error::State(error.to_string()))?;
        Tensors::from_bytes(&bytes)
    }

    /// Adds the parameters of a network, named and shaped as PyTorch has them: `layers.0.weight` of `outputs x inputs`,
    /// `layers.0.bias`, `embeddings.0.weight`; and what stands after them as `noise`.
    pub fn push_network(&mut self, prefix: &str, architecture: &Architecture, parameters: &[f32]) {
        for (k, weights) in architecture.embedding_weights().into_iter().enumerate() {
            let shape = vec![architecture.embeddings[k].inputs.len(), architecture.embeddings[k].width];
            self.push(format!("{prefix}embeddings.{k}.weight"), shape, parameters[weights].to_vec());
        }
        for (k, layer) in architecture.layers().into_iter().enumerate() {
            let weight = |place: usize| {
                parameters[layer.weights.start + place % layer.inputs * layer.outputs + place / layer.inputs]
            };
            let weights = (0..layer.weights.len()).map(weight).collect();
            self.push(format!("{prefix}layers.{k}.weight"), vec![layer.outputs, layer.inputs], weights);
            self.push(format!("{prefix}layers.{k}.bias"), vec![layer.outputs], parameters[layer.bias].to_vec());
        }
        let noise = parameters[architecture.parameters()..].to_vec();
        self.push(format!("{prefix}noise"), vec![noise.len()], noise);
    }

    /// The parameters of a network, as [`Tensors::push_network`] has put them.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many; [`Error::State`] where one is missing, is of another shape or is not finite.
    pub fn network(&self, prefix: &str, architecture: &Architecture) -> Result<Vec<f32>, Error> {
        // Asked before there is room for them: what is not in the file is not allocated.
        let (expected, found) =
            (architecture.parameters(), self.tensors.iter().map(|(_, _, values)| values.len()).sum());
        if expected > found {
            return Err(Error::Shape { what: "the parameters of a network", expected, found });
        }
        let mut parameters = vec![0.0; expected];
        for (k, weights) in architecture.embedding_weights().into_iter().enumerate() {
            let shape = [architecture.embeddings[k].inputs.len(), architecture.embeddings[k].width];
            parameters[weights].copy_from_slice(self.get(&format!("{prefix}embeddings.{k}.weight"), &shape)?);
        }
        for (k, layer) in architecture.layers().into_iter().enumerate() {
            let weights = self.get(&format!("{prefix}layers.{k}.weight"), &[layer.outputs, layer.inputs])?;
            for (place, weight) in weights.iter().enumerate() {
                parameters[layer.weights.start + place % layer.inputs * layer.outputs + place / layer.inputs] = *weight;
            }
            parameters[layer.bias].copy_from_slice(self.get(&format!("{prefix}layers.{k}.bias"), &[layer.outputs])?);
        }
        parameters.extend(self.row(&format!("{prefix}noise"))?);
        match parameters.iter().all(|parameter| parameter.is_finite()) {
            true => Ok(parameters),
            false => Err(Error::State(format!("{prefix}layers hold numbers that are not finite"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::{Activation, Embedding};

    #[test]
    fn a_network_comes_back_from_its_letters() {
        let architecture = Architecture {
            inputs: 4,
            embeddings: vec![Embedding { inputs: 1..4, width: 2 }],
            pieces: Vec::new(),
            hidden: vec![5],
            activation: Activation::Tanh,
            outputs: 2,
        };
        let mut parameters = architecture.initial(7);
        parameters.push(0.25);
        let mut tensors = Tensors::default();
        tensors.push_network("members.0.", &architecture, &parameters);
        tensors.push_text("about", "a test".to_owned());
        let read = Tensors::from_base64(&tensors.to_base64().unwrap()).unwrap();
        assert_eq!(read.network("members.0.", &architecture).unwrap(), parameters);
        assert_eq!(read.text("about"), Some("a test"));
        // Of output 1 for input 2, as PyTorch has it.
        let weights = read.get("members.0.layers.0.weight", &[5, 3]).unwrap();
        let layer = &architecture.layers()[0];
        assert_eq!(weights[3 + 2], parameters[layer.weights.start + 2 * 5 + 1]);
        // What is not there is not allocated.
        let vast = Architecture {
            inputs: 1 << 14,
            embeddings: vec![],
            pieces: Vec::new(),
            hidden: vec![1 << 13],
            ..architecture.clone()
        };
        let error = read.network("members.0.", &vast).unwrap_err();
        assert!(matches!(error, Error::Shape { expected, .. } if expected > 1 << 27), "{error}");
        let error = read.network("members.1.", &architecture).unwrap_err();
        assert_eq!(error.to_string(), "saved state refused: members.1.embeddings.0.weight is not there");
    }
}
