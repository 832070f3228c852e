//! Training steps by burn, on its pure-Rust backend for processors: `noisefit-bench-burn HIDDEN METHOD RATE BATCH STEPS ROWS
//! COLUMNS FOLDER` speaks as `noisefit-bench` does.

#[path = "../../src/protocol.rs"]
mod protocol;
#[path = "../../src/steps.rs"]
mod steps;

use std::error::Error;
use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData, activation};

use protocol::repeat;
use steps::{Steps, trace};

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    /// With the first parameters, whose order within a layer is burn's own.
    fn new(steps: &Steps, device: &Device) -> Network {
        let widths = [&[steps.columns], &steps.hidden[..], &[1]].concat();
        let mut rest = steps.start.iter().copied();
        let mut layers = Vec::new();
        for pair in widths.windows(2) {
            let mut layer = LinearConfig::new(pair[0], pair[1]).init(device);
            let mut take = |count| rest.by_ref().take(count).collect::<Vec<f32>>();
            layer.weight = Param::from_data(TensorData::new(take(pair[0] * pair[1]), [pair[0], pair[1]]), device);
            layer.bias = Some(Param::from_data(TensorData::new(take(pair[1]), [pair[1]]), device));
            layers.push(layer);
        }
        Network { layers }
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let mut value = input;
        for (k, layer) in self.layers.iter().enumerate() {
            value = layer.forward(if k > 0 { activation::relu(value) } else { value });
        }
        value
    }
}

fn optimizer(method: &str) -> Result<ModuleOptimizer, Box<dyn Error>> {
    match method {
        "sgd" => Ok(SgdConfig::new().init()),
        "adam" => Ok(AdamConfig::new().with_epsilon(1e-8).init()),
        other => Err(format!("no method '{other}' here").into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [ref arguments @ .., folder] = arguments[..] else { return Err("which steps?".into()) };
    let steps = Steps::load(arguments.try_into()?, Path::new(folder))?;
    let device = Device::flex().autodiff();
    let tensor = |values: &[f32]| {
        let shape = [steps.batch, values.len() / steps.batch];
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), &device)
    };
    let batches: Vec<_> = steps.batches().map(|(x, y)| (tensor(x), tensor(y))).collect();
    repeat(|| {
        let (mut network, mut optimizer) = (Network::new(&steps, &device), optimizer(&steps.method)?);
        let mut losses = Vec::with_capacity(steps.count);
        for (x, y) in batches.iter().cycle().take(steps.count) {
            let loss = MseLoss::new().forward(network.forward(x.clone()), y.clone(), Reduction::Mean);
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(steps.rate, network, gradients);
            losses.push(f64::from(loss.into_scalar::<f32>()));
        }
        Ok(trace(losses))
    })
}
