//! Networks as nodes: inputs and outputs in doubles, what lies between in singles, as they were trained.

use std::f32::consts::FRAC_1_SQRT_2;

use noisefit_core::network::{Activation, Architecture, Centre, Member, Network};

use super::curves::Curves;
use super::proto::Graph;

/// What an ensemble says of the rows of a design.
pub(super) fn curves(graph: &mut Graph, network: &Network, design: &str) -> Curves {
    let inputs = inputs(graph, network, design);
    let members: Vec<Said> = network
        .members
        .iter()
        .enumerate()
        .map(|(k, member)| said(graph, network, member, &inputs, &format!("members.{k}.")))
        .collect();
    match &members[..] {
        [alone] => {
            let scales = match &alone.scales {
                Scales::Modelled(scales) => scales.clone(),
                Scales::Constant(scales) => graph.repeat(design, scales, "scales"),
            };
            Curves { locations: alone.locations.clone(), scales, epistemic: None }
        }
        members => mixture(graph, members, design),
    }
}

/// What one member says.
struct Said {
    /// `[rows, curves]`, in units of the response.
    locations: String,
    scales: Scales,
}

enum Scales {
    /// One for each curve.
    Constant(Vec<f64>),
    /// `[rows, curves]`.
    Modelled(String),
}

/// The design standardised. The mean is subtracted in doubles, of which little may be left in singles.
fn inputs(graph: &mut Graph, network: &Network, design: &str) -> String {
    let centres = &network.standardisation.inputs;
    let row = |value: fn(&Centre) -> f64| centres.iter().map(value).collect::<Vec<f64>>();
    let means = graph.tensor("inputs.mean", &[centres.len()], &row(|centre| centre.mean));
    let per_deviation = graph.tensor("inputs.per_deviation", &[centres.len()], &row(Centre::per_deviation));
    let centred = graph.apply("Sub", &[design, &means], "inputs.centred");
    let standardised = graph.apply("Mul", &[&centred, &per_deviation], "inputs.standardised");
    graph.cast::<f32>(&standardised, "inputs")
}

fn said(graph: &mut Graph, network: &Network, member: &Member, inputs: &str, prefix: &str) -> Said {
    let name = |part: &str| format!("{prefix}{part}");
    let outputs = forward(graph, &network.architecture, &member.parameters, inputs, prefix);
    let outputs =
        if member.line.is_empty() { outputs } else { with_line(graph, network, member, (&outputs, inputs), prefix) };
    let response = &network.standardisation.response;
    let curves = network.curves();
    let outputs = if curves > 1 { lowest_and_steps(graph, &outputs, curves, prefix) } else { outputs };
    let outputs = graph.cast::<f64>(&outputs, &name("outputs"));
    let standardised = match (curves, network.models_scale()) {
        (1, false) => outputs.clone(),
        (1, true) => graph.columns(&outputs, [0], &name("output")),
        _ => {
            let axis = graph.number(&name("quantiles.axis"), 1i64);
            graph.apply("CumSum", &[&outputs, &axis], &name("quantiles"))
        }
    };
    let (mean, deviation) = ("response.mean", "response.deviation");
    if prefix == "members.0." {
        graph.number(mean, response.mean);
        graph.number(deviation, response.deviation);
    }
    let stretched = graph.apply("Mul", &[&standardised, deviation], &name("stretched"));
    let locations = match &network.shifts[..] {
        [] => graph.apply("Add", &[&stretched, mean], &name("locations")),
        shifts => {
            let unmoved = graph.apply("Add", &[&stretched, mean], &name("unmoved"));
            let shifts = graph.tensor(&name("shifts"), &[shifts.len()], shifts);
            graph.apply("Add", &[&unmoved, &shifts], &name("locations"))
        }
    };
    let scales = match network.models_scale() {
        false => Scales::Constant(member.scale.clone()),
        true => {
            let logarithm = graph.columns(&outputs, [1], &name("log_scale"));
            let unit = member.scale.first().map_or(f64::NAN, |scale| scale * response.deviation);
            let unit = graph.number(&name("scale.unit"), unit);
            let relative = graph.apply("Exp", &[&logarithm], &name("scale.relative"));
            Scales::Modelled(graph.apply("Mul", &[&relative, &unit], &name("scales")))
        }
    };
    Said { locations, scales }
}

/// The outputs, to the first of which a line is added.
fn with_line(
    graph: &mut Graph,
    network: &Network,
    member: &Member,
    (outputs, inputs): (&str, &str),
    prefix: &str,
) -> String {
    let width = network.architecture.outputs;
    let slope = |slope: &f32| std::iter::once(*slope).chain(std::iter::repeat_n(0.0, width - 1));
    let slopes: Vec<f32> = member.line.iter().flat_map(slope).collect();
    let slopes = graph.tensor(&format!("{prefix}line.weight"), &[member.line.len(), width], &slopes);
    let line = graph.apply("MatMul", &[inputs, &slopes], &format!("{prefix}line"));
    graph.apply("Add", &[outputs, &line], &format!("{prefix}with_line"))
}

/// The lowest quantile and what lies between each and the next.
fn lowest_and_steps(graph: &mut Graph, outputs: &str, curves: usize, prefix: &str) -> String {
    let lowest = graph.columns(outputs, [0], &format!("{prefix}lowest"));
    let others = graph.columns(outputs, 1..curves, &format!("{prefix}others"));
    // In singles: run-times have no such operator for doubles.
    let steps = graph.apply("Softplus", &[&others], &format!("{prefix}steps"));
    graph.apply_told("Concat", &[&lowest, &steps], &[("axis", 1)], &format!("{prefix}lowest_and_steps"))
}

/// The outputs of the last layer, `[rows, outputs]` in singles.
fn forward(graph: &mut Graph, architecture: &Architecture, parameters: &[f32], inputs: &str, prefix: &str) -> String {
    let mut value = read(graph, architecture, parameters, inputs, prefix);
    let layers = architecture.layers();
    for (k, layer) in layers.iter().enumerate() {
        let name = format!("{prefix}layers.{k}");
        let (weights, bias) = (&parameters[layer.weights.clone()], &parameters[layer.bias.clone()]);
        value = graph.affine(&value, weights, bias, &name);
        if k + 1 < layers.len() {
            value = activate(graph, architecture.activation, &value, &name);
        }
    }
    value
}

/// What the first layer reads: the inputs that are not embedded, then the embeddings, then the pieces.
fn read(graph: &mut Graph, architecture: &Architecture, parameters: &[f32], inputs: &str, prefix: &str) -> String {
    if architecture.embeddings.is_empty() && architecture.pieces.is_empty() {
        return inputs.to_owned();
    }
    let plain = architecture.plain();
    let mut parts = Vec::new();
    if !plain.is_empty() {
        parts.push(graph.columns(inputs, plain, &format!("{prefix}plain")));
    }
    for (k, (embedding, weights)) in architecture.embeddings.iter().zip(architecture.embedding_weights()).enumerate() {
        let name = format!("{prefix}embeddings.{k}");
        let shape = [embedding.inputs.len(), embedding.width];
        let indicators = graph.columns(inputs, embedding.inputs.clone(), &format!("{name}.indicators"));
        let weights = graph.tensor(&format!("{name}.weight"), &shape, &parameters[weights]);
        parts.push(graph.apply("MatMul", &[&indicators, &weights], &name));
    }
    if !architecture.pieces.is_empty() {
        parts.push(pieces(graph, architecture, inputs, prefix));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    graph.apply_told("Concat", &parts, &[("axis", 1)], &format!("{prefix}read"))
}

/// How far inputs are through their pieces, from -1 to 1, for all members the same.
fn pieces(graph: &mut Graph, architecture: &Architecture, inputs: &str, prefix: &str) -> String {
    const NAME: &str = "pieces";
    if prefix != "members.0." {
        return NAME.to_owned();
    }
    let ends = || architecture.pieces.iter().flat_map(|pieces| pieces.knots.windows(2));
    let columns = architecture.pieces.iter().flat_map(|pieces| std::iter::repeat_n(pieces.input, pieces.count()));
    let begins: Vec<f32> = ends().map(|ends| ends[0]).collect();
    let per_length: Vec<f32> = ends().map(|ends| 1.0 / (ends[1] - ends[0])).collect();
    let values = graph.columns(inputs, columns, "pieces.values");
    let begins = graph.tensor("pieces.begin", &[begins.len()], &begins);
    let per_length = graph.tensor("pieces.per_length", &[per_length.len()], &per_length);
    let beyond = graph.apply("Sub", &[&values, &begins], "pieces.beyond");
    let shares = graph.apply("Mul", &[&beyond, &per_length], "pieces.unbounded");
    let (zero, one, two) =
        (graph.number("pieces.zero", 0f32), graph.number("pieces.one", 1f32), graph.number("pieces.two", 2f32));
    let shares = graph.apply("Clip", &[&shares, &zero, &one], "pieces.shares");
    let doubled = graph.apply("Mul", &[&shares, &two], "pieces.doubled");
    graph.apply("Sub", &[&doubled, &one], NAME)
}

fn activate(graph: &mut Graph, activation: Activation, z: &str, name: &str) -> String {
    let active = format!("{name}.active");
    match activation {
        Activation::Relu => graph.apply("Relu", &[z], &active),
        Activation::Tanh => graph.apply("Tanh", &[z], &active),
        Activation::Silu => {
            let logistic = graph.apply("Sigmoid", &[z], &format!("{name}.logistic"));
            graph.apply("Mul", &[z, &logistic], &active)
        }
        // An operator of its own only from set 20 on: `z (1 + erf(z / sqrt 2)) / 2`.
        Activation::Gelu => {
            let mut number = |part: &str, value: f32| graph.number(&format!("{name}.{part}"), value);
            let (root, one, half) = (number("inverse_root_2", FRAC_1_SQRT_2), number("one", 1.0), number("half", 0.5));
            let argument = graph.apply("Mul", &[z, &root], &format!("{name}.argument"));
            let erf = graph.apply("Erf", &[&argument], &format!("{name}.erf"));
            let twice = graph.apply("Add", &[&erf, &one], &format!("{name}.twice_phi"));
            let phi = graph.apply("Mul", &[&twice, &half], &format!("{name}.phi"));
            graph.apply("Mul", &[z, &phi], &active)
        }
    }
}

/// The members' mean location, the root of the mean square of their scales, and how far apart their locations are.
fn mixture(graph: &mut Graph, members: &[Said], design: &str) -> Curves {
    let count = graph.number("members", members.len() as f64);
    let locations: Vec<&str> = members.iter().map(|said| said.locations.as_str()).collect();
    let sum = graph.apply("Sum", &locations, "locations.sum");
    let mean = graph.apply("Div", &[&sum, &count], "locations");
    let mut apart = Vec::new();
    for (k, location) in locations.iter().enumerate() {
        apart.push(graph.apply("Sub", &[location, &mean], &format!("members.{k}.apart")));
    }
    let epistemic = root_mean_square(graph, &apart, &count, "epistemic.");
    let mut modelled = Vec::new();
    let mut constant: Vec<&[f64]> = Vec::new();
    for said in members {
        match &said.scales {
            Scales::Modelled(scales) => modelled.push(scales.clone()),
            Scales::Constant(scales) => constant.push(scales),
        }
    }
    let scales = match constant.first() {
        None => root_mean_square(graph, &modelled, &count, "scales."),
        Some(first) => {
            let square = |curve| constant.iter().map(|scales| scales[curve] * scales[curve]).sum::<f64>();
            let scales: Vec<f64> =
                (0..first.len()).map(|curve| (square(curve) / constant.len() as f64).sqrt()).collect();
            graph.repeat(design, &scales, "scales")
        }
    };
    Curves { locations: mean, scales, epistemic: Some(epistemic) }
}

fn root_mean_square(graph: &mut Graph, values: &[String], count: &str, prefix: &str) -> String {
    let squares: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(k, value)| graph.apply("Mul", &[value, value], &format!("{prefix}square.{k}")))
        .collect();
    let squares: Vec<&str> = squares.iter().map(String::as_str).collect();
    let sum = graph.apply("Sum", &squares, &format!("{prefix}squares"));
    let mean = graph.apply("Div", &[&sum, count], &format!("{prefix}mean_square"));
    graph.apply("Sqrt", &[&mean], &format!("{prefix}root"))
}
