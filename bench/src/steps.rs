//! Training steps: the problem, as every program reads it.

use std::error::Error;
use std::path::Path;

use crate::protocol::{Numbers, numbers};

/// Steps whose losses are compared.
const TRACE: usize = 200;

/// So many steps from the same first parameters, over batches in memory again and again.
#[derive(Debug, Clone)]
pub struct Steps {
    /// The number of inputs.
    pub columns: usize,
    /// The widths of the hidden layers, between which there are rectified linear units.
    pub hidden: Vec<usize>,
    /// `sgd` or `adam`.
    pub method: String,
    /// The learning rate.
    pub rate: f64,
    /// Rows in a batch, which divide all rows.
    pub batch: usize,
    /// Steps, or epochs, in a repetition.
    pub count: usize,
    /// Row after row.
    pub design: Vec<f32>,
    /// The responses.
    pub response: Vec<f32>,
    /// The first parameters: of each layer the weights by input, then the biases.
    pub start: Vec<f32>,
}

impl Steps {
    /// Reads `x.f32`, `y.f32` and `start.f32`. The arguments are the hidden layers as `64-32` or `none`, the method, the
    /// rate, the rows of a batch, the steps, and the rows and columns.
    pub fn load(arguments: &[&str; 7], folder: &Path) -> Result<Self, Box<dyn Error>> {
        let [hidden, method, rate, batch, count, rows, columns] = *arguments;
        let hidden: Vec<usize> = match hidden {
            "none" => Vec::new(),
            widths => widths.split('-').map(str::parse).collect::<Result<_, _>>()?,
        };
        let (rows, columns) = (rows.parse()?, columns.parse()?);
        let widths = [&[columns], &hidden[..], &[1]].concat();
        let parameters = widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let read = |name: &str, count: usize| numbers(&folder.join(name), count, f32::from_le_bytes);
        Ok(Steps {
            columns,
            hidden,
            method: method.to_owned(),
            rate: rate.parse()?,
            batch: batch.parse()?,
            count: count.parse()?,
            design: read("x.f32", rows * columns)?,
            response: read("y.f32", rows)?,
            start: read("start.f32", parameters)?,
        })
    }

    /// The batches, in the order of the steps.
    pub fn batches(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        self.design.chunks(self.batch * self.columns).zip(self.response.chunks(self.batch))
    }
}

/// The first losses. Adam's steps follow rounding in time: long after, losses are those of another path to the minimum.
pub fn trace(mut losses: Vec<f64>) -> Numbers {
    losses.truncate(TRACE);
    vec![("losses", losses)]
}
