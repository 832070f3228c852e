//! `export`: what the files hold, and, where the Python package onnxruntime is installed, what it computes from them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::{Folder, csv, testdata};
use noisefit_core::inference::predict::NewRows;
use noisefit_core::network::{
    Activation, Architecture, Centre, Embedding, Member, Network, Objective, Pieces, Standardisation, Tensors,
};
use noisefit_core::noise::Noise;
use noisefit_core::record::{Reason, Termination};
use noisefit_core::rows::Values;
use noisefit_data::formula::{Design, Formula};
use noisefit_data::frame::{Field, Kind};
use noisefit_data::model::FittedModel;
use noisefit_data::write::onnx::{About, Model};
use serde_json::{Value, json};

/// An exported file with what it is to give.
struct Case {
    file: String,
    inputs: Value,
    /// Name, values by rows, and how far they may be off.
    outputs: Vec<(&'static str, Value, f64)>,
}

impl Case {
    fn json(&self) -> Value {
        let outputs: serde_json::Map<_, _> =
            self.outputs.iter().map(|(name, values, _)| ((*name).to_owned(), values.clone())).collect();
        let tolerance: serde_json::Map<_, _> =
            self.outputs.iter().map(|(name, _, distance)| ((*name).to_owned(), json!(distance))).collect();
        json!({"file": self.file, "inputs": self.inputs, "outputs": outputs, "tolerance": tolerance})
    }
}

fn exported(folder: &Folder, file: &str) -> Model {
    Model::from_bytes(&std::fs::read(folder.path().join(file)).unwrap()).unwrap()
}

/// The columns of a table by rows; a single one as numbers in a row.
fn values(table: &str, names: &[&str]) -> Value {
    let (header, rows) = csv(table);
    let places: Vec<usize> =
        names.iter().map(|name| header.iter().position(|column| column == name).unwrap()).collect();
    let cell = |row: &Vec<&str>, place: usize| row[place].parse::<f64>().unwrap();
    rows.iter().map(|row| places.iter().map(|&place| cell(row, place)).collect::<Vec<f64>>()).collect::<Vec<_>>().into()
}

/// The only column.
fn flat(rows: &Value) -> Value {
    rows.as_array().unwrap().iter().map(|row| row[0].clone()).collect::<Vec<_>>().into()
}

/// The largest size of a number.
fn size(values: &Value) -> f64 {
    match values {
        Value::Array(values) => values.iter().map(size).fold(0.0, f64::max),
        value => value.as_f64().unwrap().abs(),
    }
}

/// Linear fits of the test data by the command line, beside what `predict` says of the same rows.
fn linear(folder: &Folder) -> Vec<Case> {
    let stackloss = ["air_flow", "water_temp", "acid_conc"];
    let mut cases = Vec::new();
    for (name, data, formula, options, terms) in [
        ("gaussian", "stackloss.csv", "stack_loss ~ .", &[][..], &stackloss[..]),
        ("student", "stackloss.csv", "stack_loss ~ . - 1", &["--noise", "student-t:4"], &stackloss),
        ("mean", "stackloss.csv", "stack_loss ~ 1", &[], &[]),
        ("modelled", "engel.csv", "foodexp ~ income", &["--scale", "income"], &["income"]),
        ("modelled_once", "engel.csv", "foodexp ~ 0 + income", &["--scale", "1"], &["income"]),
        ("quantiles", "engel.csv", "foodexp ~ income", &["--noise", "quantile:0.1,0.5,0.9"], &["income"]),
        ("median", "engel.csv", "foodexp ~ income", &["--noise", "quantile:0.5"], &["income"]),
    ] {
        let (data, model, file) = (testdata(data), format!("{name}.json"), format!("{name}.onnx"));
        folder.done(&[&["fit", &data, "-f", formula, "-o", &model], options].concat());
        folder.done(&["export", &model, "--onnx", &file]);
        let predicted = folder.done(&["predict", &model, &data]);
        let data = std::fs::read_to_string(data).unwrap();
        let design = values(&data, terms);
        let mut inputs = json!({"design": design});
        let fitted = FittedModel::load(&folder.path().join(&model)).unwrap();
        let rows = design.as_array().unwrap().len();
        let locations = match name {
            "quantiles" => ("quantiles", values(&predicted, &["q0.1", "q0.5", "q0.9"])),
            "median" => ("quantiles", values(&predicted, &["prediction"])),
            _ => ("location", flat(&values(&predicted, &["prediction"]))),
        };
        let scales = if name.starts_with("modelled") {
            inputs["scale_design"] = values(&data, &["income"]);
            flat(&values(&predicted, &["scale"]))
        } else {
            let scales: Vec<f64> = fitted.fits.iter().map(|fit| fit.scale.common().unwrap()).collect();
            if locations.0 == "quantiles" { json!(vec![scales; rows]) } else { json!(vec![scales[0]; rows]) }
        };
        // Sums of a few products of doubles.
        let outputs = [locations, ("scale", scales)].map(|(name, values)| {
            let tolerance = 1e-13 * size(&values);
            (name, values, tolerance)
        });
        cases.push(Case { file, inputs, outputs: outputs.into() });
    }
    cases
}

fn design(terms: &[&str]) -> Design {
    let field = |name: &&str| Field::new(*name, Kind::Number);
    let fields: Vec<Field> = terms.iter().chain(&["y"]).map(field).collect();
    Formula::parse(&format!("y ~ {}", [&["1"], terms].concat().join(" + ")))
        .unwrap()
        .resolve(&fields, None, None)
        .unwrap()
        .into_design()
        .unwrap()
}

/// A network whose weights are numbers drawn at random.
fn network(architecture: Architecture, objective: Objective, members: usize) -> Network {
    // Far from zero, where singles would have no digits left.
    let centre = |j: usize| match architecture.embeddings.iter().any(|embedding| embedding.inputs.contains(&j)) {
        true => Centre { mean: 0.0, deviation: 1.0 },
        false => Centre { mean: 1e6 * (j as f64 + 1.0), deviation: 2.5 + j as f64 },
    };
    let inputs = (0..architecture.inputs).map(centre).collect();
    let response = Centre { mean: -40.0, deviation: 12.0 };
    let noise = objective.noise(response.deviation);
    let member = |k: usize| Member {
        scale: (0..noise.len()).map(|curve| 1.5 + 0.25 * k as f64 + curve as f64).collect(),
        noise: noise.clone(),
        epochs: 1,
        best_epoch: 0,
        loss: None,
        validation: None,
        termination: Termination { converged: true, reason: Reason::Epochs, iterations: 1, duality_gap: None },
        // Wider than a start is, so that functions bend; those of no hidden layer are zero.
        parameters: architecture
            .initial(k as u64 + 1)
            .iter()
            .enumerate()
            .map(|(place, weight)| if architecture.hidden.is_empty() { 0.1 * place as f32 - 0.2 } else { 2.0 * weight })
            .collect(),
        line: Vec::new(),
    };
    let members = (0..members).map(member).collect();
    let shifts = Vec::new();
    Network { members, standardisation: Standardisation { inputs, response }, architecture, objective, shifts }
}

/// Networks with everything that they may have, beside what they say themselves.
fn networks(folder: &Folder) -> Vec<Case> {
    let shape = |hidden: &[usize], activation, outputs| Architecture {
        inputs: 3,
        embeddings: Vec::new(),
        pieces: Vec::new(),
        hidden: hidden.to_vec(),
        activation,
        outputs,
    };
    let embedded = |inputs: usize, embeddings: &[(usize, usize, usize)]| Architecture {
        inputs,
        embeddings: embeddings.iter().map(|&(start, end, width)| Embedding { inputs: start..end, width }).collect(),
        ..shape(&[6], Activation::Silu, 1)
    };
    let cut = |hidden: &[usize], outputs| Architecture {
        pieces: vec![
            Pieces { input: 0, knots: vec![-1.0, -0.25, 0.5, 1.5] },
            Pieces { input: 2, knots: vec![-0.5, 0.0, 0.125] },
        ],
        ..shape(hidden, Activation::Silu, outputs)
    };
    let with_lines = |mut network: Network| {
        network.members.iter_mut().for_each(|member| member.line = vec![0.5, -0.25, 1.0]);
        network
    };
    let shifted = |network: Network| Network { shifts: vec![-0.5, 0.0, 0.25, 1.0], ..network };
    let two_heads = || Objective::Likelihood { noise: Noise::Logistic, modelled: true };
    let one_head = || Objective::Likelihood { noise: Noise::Laplace, modelled: false };
    let quantiles = || Objective::Quantiles(vec![0.1, 0.5, 0.75, 0.9]);
    let [relu, tanh, gelu, silu] = Activation::ALL;
    let trained = [
        ("line", network(shape(&[], relu, 1), Objective::SquaredError, 1)),
        ("constant", network(Architecture { inputs: 0, ..shape(&[4], tanh, 1) }, one_head(), 1)),
        ("relu", network(shape(&[8, 5], relu, 1), Objective::SquaredError, 1)),
        ("tanh", network(shape(&[8, 5], tanh, 1), one_head(), 1)),
        ("gelu", network(shape(&[8, 5], gelu, 1), Objective::AbsoluteError, 1)),
        ("silu", network(shape(&[8, 5], silu, 1), Objective::Huber { delta: 1.0 }, 1)),
        ("heads", network(shape(&[7], tanh, 2), two_heads(), 1)),
        ("ensemble", network(shape(&[8, 5], gelu, 1), Objective::SquaredError, 3)),
        ("heads_ensemble", network(shape(&[8, 5], silu, 2), two_heads(), 4)),
        ("several", network(shape(&[6], relu, 4), quantiles(), 1)),
        ("several_ensemble", network(shape(&[6], tanh, 4), quantiles(), 2)),
        ("upper", network(shape(&[6], tanh, 1), Objective::Quantiles(vec![0.9]), 1)),
        ("pieces", network(cut(&[6], 2), two_heads(), 3)),
        ("lines", with_lines(network(cut(&[6], 2), two_heads(), 2))),
        ("shifts", shifted(network(cut(&[5], 4), quantiles(), 2))),
        ("embedding", network(embedded(6, &[(1, 4, 2)]), Objective::SquaredError, 1)),
        ("embeddings", network(embedded(7, &[(0, 3, 2), (3, 7, 3)]), Objective::SquaredError, 2)),
    ];
    trained.into_iter().map(|(name, network)| trained_case(folder, name, network)).collect()
}

/// An ensemble that the command line trained, beside what `predict` says.
fn trained(folder: &Folder) -> Case {
    let data = testdata("diabetes.csv");
    let shape =
        ["--model", "network", "--scale", "constant", "--hidden", "6", "--noise", "student-t", "--ensemble", "2"];
    let options = ["--epochs", "3", "--seed", "1", "-f", "y ~ .", "-o", "trained.json"];
    folder.done(&[&["fit", &data, "--quiet"], &shape[..], &options].concat());
    folder.done(&["export", "trained.json", "--onnx", "trained.onnx"]);
    let predicted = folder.done(&["predict", "trained.json", &data]);
    let model = FittedModel::load(&folder.path().join("trained.json")).unwrap();
    let members = model.network.unwrap().members;
    let scale = (members.iter().map(|member| member.scale[0].powi(2)).sum::<f64>() / 2.0).sqrt();
    let locations = flat(&values(&predicted, &["prediction"]));
    let scales = json!(vec![scale; locations.as_array().unwrap().len()]);
    let design = values(
        &std::fs::read_to_string(&data).unwrap(),
        &["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"],
    );
    // The response's standard deviation is 77.
    let single = 4e-6 * 77.0;
    let apart = flat(&values(&predicted, &["sd_epistemic"]));
    let outputs = vec![("location", locations, single), ("scale", scales, 1e-12), ("epistemic", apart, single)];
    Case { file: "trained.onnx".into(), inputs: json!({"design": design}), outputs }
}

fn trained_case(folder: &Folder, name: &str, network: Network) -> Case {
    const ROWS: usize = 40;
    let terms = ["a", "b", "c", "d", "e", "f", "g"];
    let design = design(&terms[..network.architecture.inputs]);
    // Two deviations about the mean; of an embedding one is 1.
    let column = |(j, centre): (usize, &Centre)| -> Vec<f64> {
        let embedding = network.architecture.embeddings.iter().find(|embedding| embedding.inputs.contains(&j));
        (0..ROWS)
            .map(|i| match embedding {
                Some(of) => f64::from(i % of.inputs.len() == j - of.inputs.start),
                None => centre.mean + centre.deviation * (1.7 * (i * (j + 1)) as f64).sin() * 2.0,
            })
            .collect()
    };
    let columns: Vec<Vec<f64>> = network.standardisation.inputs.iter().enumerate().map(column).collect();
    let rows: Vec<Vec<f64>> = (0..ROWS).map(|i| columns.iter().map(|column| column[i]).collect()).collect();

    let (model, file) = (format!("{name}.json"), format!("{name}.onnx"));
    FittedModel::trained(design, network.clone()).save(&folder.path().join(&model)).unwrap();
    folder.done(&["export", &model, "--onnx", &file]);

    let values: Vec<Values<'_>> = columns.iter().map(|column| Values::from(&column[..])).collect();
    let mixture = network.predict(&NewRows::new(&values, ROWS));
    let of_quantiles = matches!(network.objective, Objective::Quantiles(_));
    let by_rows = |curve: &dyn Fn(usize) -> Vec<f64>| -> Value {
        let curves: Vec<Vec<f64>> = (0..network.curves()).map(curve).collect();
        let rows: Vec<Vec<f64>> = (0..ROWS).map(|i| curves.iter().map(|curve| curve[i]).collect()).collect();
        if of_quantiles { json!(rows) } else { flat(&json!(rows)) }
    };
    // The singles' rounding, in units of the response; the scale is as exact as its logarithm, or was never a single.
    let single = 4e-6 * network.standardisation.response.deviation;
    let scales = by_rows(&|curve| mixture.scale(curve));
    let scale_tolerance = if network.models_scale() { 4e-6 * size(&scales) } else { 1e-13 * size(&scales) };
    let locations = by_rows(&|curve| mixture.location(curve));
    let mut outputs = vec![
        (if of_quantiles { "quantiles" } else { "location" }, locations, single),
        ("scale", scales, scale_tolerance),
    ];
    if network.members.len() > 1 {
        // Their standard deviation, from what each says alone.
        let alone: Vec<_> = network
            .members
            .iter()
            .map(|member| Network { members: vec![member.clone()], ..network.clone() })
            .map(|network| network.predict(&NewRows::new(&values, ROWS)))
            .collect();
        let apart = by_rows(&|curve| {
            let own: Vec<Vec<f64>> = alone.iter().map(|mixture| mixture.location(curve)).collect();
            let spread = |i: usize| {
                let mean = own.iter().map(|own| own[i]).sum::<f64>() / own.len() as f64;
                (own.iter().map(|own| (own[i] - mean).powi(2)).sum::<f64>() / own.len() as f64).sqrt()
            };
            (0..ROWS).map(spread).collect()
        });
        outputs.push(("epistemic", apart, single));
    }
    Case { file, inputs: json!({"design": rows}), outputs }
}

#[test]
fn onnxruntime_computes_what_noisefit_predicts() {
    let folder = Folder::new();
    let cases: Vec<Case> = linear(&folder).into_iter().chain(networks(&folder)).chain([trained(&folder)]).collect();
    for case in &cases {
        let model = exported(&folder, &case.file);
        let graph = model.graph.as_ref().unwrap();
        let outputs: Vec<&str> = graph.output.iter().map(|output| output.name()).collect();
        assert_eq!(outputs, case.outputs.iter().map(|(name, _, _)| *name).collect::<Vec<_>>(), "{}", case.file);
        for (output, (_, values, _)) in graph.output.iter().zip(&case.outputs) {
            let columns = values[0].as_array().map(|row| row.len().to_string());
            let shape: Vec<String> = output.shape().iter().map(ToString::to_string).collect();
            assert_eq!(shape, ["rows".to_owned()].into_iter().chain(columns).collect::<Vec<_>>(), "{}", case.file);
        }
        // Each node finds what it reads, and nothing is named twice.
        let mut known: Vec<&str> = graph.input.iter().map(|input| input.name()).collect();
        known.extend(graph.initializer.iter().map(|tensor| tensor.name()));
        for node in &graph.node {
            assert!(node.input.iter().all(|input| known.contains(&input.as_str())), "{}: {node:?}", case.file);
            known.extend(node.output.iter().map(String::as_str));
        }
        assert!(outputs.iter().all(|output| known.contains(output)), "{}", case.file);
        let named = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), named, "{}", case.file);
    }

    let installed = Command::new("python3").args(["-c", "import onnxruntime"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!("onnxruntime is not installed: what it computes was not compared");
        return;
    }
    let all: Vec<Value> = cases.iter().map(Case::json).collect();
    folder.write("cases.json", serde_json::to_vec(&all).unwrap());
    let mut command = Command::new("python3");
    command.arg(testdata("reference/onnx_check.py")).arg(folder.path().join("cases.json"));
    let run = common::finished(command);
    eprintln!("{}", run.stdout);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_file_is_that_of_the_python_package() {
    // Slope 1/2, intercept 1 and 1.5 as the sum of squared residuals.
    let folder = Folder::new();
    folder.write("d.csv", "x,y\n1,1\n2,3\n3,2\n4,3\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "model.json"]);
    let printed = folder.done(&["export", "model.json", "--onnx", "line.onnx"]);
    let expected = Model::from_bytes(&std::fs::read(testdata("reference/line.onnx")).unwrap()).unwrap();
    let mut found = exported(&folder, "line.onnx");
    let about = found.about().unwrap();
    assert_eq!(
        (&about.formula[..], &about.response[..], &about.terms[..], &about.noise[..]),
        ("y ~ x", "y", &["x".to_owned()][..], &[vec![Noise::Gaussian]][..])
    );
    found.metadata_props.clear();
    assert_eq!(found.producer_version.take().as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(found, expected);
    // And to the byte, apart from what was removed.
    assert_eq!(found.to_bytes(), std::fs::read(testdata("reference/line.onnx")).unwrap());
    assert_eq!(
        printed,
        "ONNX written to line.onnx\ninput   design    [rows, 1]  x\noutput  location  [rows]\noutput  scale     [rows]\n"
    );
}

#[test]
fn what_the_formula_computes_is_said() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    let formula = "log(mpg) ~ wt + log(hp) + C(cyl)";
    let options = ["--scale", "wt", "--weights", "qsec", "--conformal", "split", "--seed", "1"];
    folder.done(&[&["fit", &data, "-f", formula, "-o", "m.json"], &options[..]].concat());
    let run = folder.run(&["export", "m.json", "--onnx", "m.onnx", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stderr.lines().collect::<Vec<_>>(),
        [
            "warning: the file takes the terms of the formula, not the columns of the data: compute log(hp), C(cyl)[6], \
             C(cyl)[8] before it is run",
            "warning: locations and scales are of log(mpg)",
            "warning: the model is weighted; scales are for rows of weight 1",
            "warning: conformal intervals are not exported; noisefit predict gives them",
        ]
    );
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed["schema"], "noisefit.export/1");
    assert_eq!(printed["inputs"][0]["columns"], json!(["wt", "log(hp)", "C(cyl)[6]", "C(cyl)[8]"]));
    assert_eq!(printed["inputs"][1], json!({"name": "scale_design", "shape": ["rows", "1"], "columns": ["wt"]}));
    assert_eq!(printed["outputs"][1], json!({"name": "scale", "shape": ["rows"], "columns": []}));
    assert_eq!(printed["about"]["formula"], formula);
    assert_eq!(printed["about"]["scale_formula"], "wt");
    assert_eq!(printed["about"]["noise"], json!([[{"family": "gaussian"}]]));
}

#[test]
fn weights_in_safetensors_are_those_of_the_network() {
    let folder = Folder::new();
    let architecture = Architecture {
        inputs: 3,
        embeddings: Vec::new(),
        pieces: Vec::new(),
        hidden: vec![4],
        activation: Activation::Relu,
        outputs: 1,
    };
    let network = network(architecture.clone(), Objective::SquaredError, 2);
    FittedModel::trained(design(&["a", "b", "c"]), network.clone()).save(&folder.path().join("m.json")).unwrap();
    let printed = folder.done(&["export", "m.json", "--safetensors", "m.safetensors"]);
    assert_eq!(printed, "weights written to m.safetensors\n");
    let tensors = Tensors::from_bytes(&std::fs::read(folder.path().join("m.safetensors")).unwrap()).unwrap();
    for (k, member) in network.members.iter().enumerate() {
        assert_eq!(tensors.network(&format!("members.{k}."), &architecture).unwrap(), member.parameters);
    }
    let text = tensors.text("noisefit").unwrap();
    let about: About = serde_json::from_str(text).unwrap();
    assert_eq!(about.terms, ["a", "b", "c"]);
    let text: Value = serde_json::from_str(text).unwrap();
    let standardisation: Standardisation = serde_json::from_value(text["standardisation"].clone()).unwrap();
    assert_eq!(standardisation, network.standardisation);
}

#[test]
fn what_cannot_be_exported_leaves_no_file() {
    let folder = Folder::new();
    folder.write("d.csv", "x,y\n1,1\n2,3\n3,2\n4,4\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "model.json"]);
    let refusal = folder.refusal(1, &["export", "model.json", "--onnx", "m.onnx", "--safetensors", "m.safetensors"]);
    assert_eq!(
        refusal,
        "--safetensors: model.json holds no network; the coefficients of a linear fit are in it as JSON"
    );
    assert!(folder.refusal(2, &["export", "model.json"]).contains("--onnx <FILE>"));
    assert!(folder.refusal(1, &["export", "d.csv", "--onnx", "m.onnx"]).contains("a model is what `noisefit fit"));
    let refusal = folder.refusal(1, &["export", "model.json", "--onnx", "no/m.onnx"]);
    assert!(refusal.starts_with("cannot write no/m.onnx: there is no folder no"), "{refusal}");
    assert_eq!(folder.names(), ["d.csv", "model.json"]);
}
