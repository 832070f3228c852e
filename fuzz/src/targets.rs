//! The targets: each takes any bytes, and must come back without a panic, an abort or an allocation beyond what the bytes
//! justify. What comes back must keep the promises that stand beside each target.

use std::path::{Path, PathBuf};

use noisefit::core::inference::covariance::Vcov;
use noisefit::data::formula::{Expression, Formula};
use noisefit::data::frame::{Field, Kind};
use noisefit::data::read::{Format, ReadOptions};
use noisefit::{
    DiagnoseOptions, EvaluateOptions, Fitted, Keep, Model, PredictOptions, Predicted, ProfileOptions, Table, Training,
};

/// A target by its name, which is that of its folder in the corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("text", text),
    ("binary", binary),
    ("formula", formula),
    ("model", model),
    ("checkpoint", checkpoint),
    ("fit_tiny", fit_tiny),
];

/// A panic of a decoder that is caught is an error of the file, and no finding: the fuzzer's hook, which ends the process at
/// every panic, gives way. Those that nobody catches it still sees.
pub fn allow_caught_panics() {
    let _ = std::panic::take_hook();
}

/// A file in a folder of its own, which is in memory where there is such.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
        Scratch { folder: folder.unwrap_or_else(|error| panic!("no temporary folder: {error}")) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path.display().to_string()
    }
}

/// Tables in CSV, TSV and JSON lines, compressed ones among them: read by one thread and by two, all is the same. The first
/// byte says how they are read.
pub fn text(bytes: &[u8]) {
    let Some((&how, content)) = bytes.split_first() else { return };
    let format = match how & 3 {
        0 => None,
        1 => Some(Format::Csv),
        2 => Some(Format::Tsv),
        _ => Some(Format::NdJson),
    };
    let options = ReadOptions {
        format,
        header: how & 4 == 0,
        decimal: if how & 8 == 0 { None } else { Some(b',') },
        delimiter: if how & 16 == 0 { None } else { Some(b';') },
        missing: if how & 32 == 0 { Vec::new() } else { vec!["-9".to_owned()] },
        threads: 1,
        ..ReadOptions::default()
    };
    described(content, "t", &options);
}

/// Parquet and Arrow files, compressed text among them.
pub fn binary(bytes: &[u8]) {
    let Some((&how, content)) = bytes.split_first() else { return };
    let format = match how & 3 {
        0 => None,
        1 => Some(Format::Parquet),
        2 => Some(Format::ArrowFile),
        _ => Some(Format::ArrowStream),
    };
    described(content, "b", &ReadOptions { format, threads: 1, ..ReadOptions::default() });
}

/// Two readings of one file say the same, in JSON that is JSON.
fn described(content: &[u8], name: &str, options: &ReadOptions) {
    let scratch = Scratch::new();
    let path = scratch.write(name, content);
    let describe = |threads: usize| {
        let table = Table::files(std::slice::from_ref(&path), &ReadOptions { threads, ..options.clone() });
        table.and_then(|table| {
            let described = table.describe(&[])?;
            drop(described.summary());
            let record = serde_json::to_string(&described.record())?;
            strict(&record);
            Ok(record)
        })
    };
    match (describe(1), describe(2)) {
        (Ok(one), Ok(two)) => assert_eq!(one, two, "two threads read something else"),
        (Err(one), Err(two)) => {
            drop(one.to_string());
            assert_eq!(one.to_string(), two.to_string(), "two threads refuse something else");
        }
        (one, two) => panic!("one thread: {:?}, two: {:?}", one.is_ok(), two.is_ok()),
    }
}

/// Formulas of location, scale and weights, with a newline between them, over fixed columns: what is parsed is written back as
/// what parses to the same.
pub fn formula(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n');
    let (location, scale, weights) = (lines.next().unwrap_or_default(), lines.next(), lines.next());
    let parsed = Formula::parse(location).and_then(|formula| match scale {
        Some(scale) => formula.with_scale(scale),
        None => Ok(formula),
    });
    let weights = weights.map(Expression::parse);
    let (Ok(formula), weights) = (parsed, weights.and_then(Result::ok)) else { return };
    assert!(Formula::parse(formula.text()).is_ok(), "it does not parse again");
    let scratch = Scratch::new();
    let path = scratch.write("t.csv", ROWS.as_bytes());
    let Ok(table) = Table::files(&[path], &ReadOptions { threads: 1, ..ReadOptions::default() }) else { return };
    let field = |name: &str, kind| Field::new(name, kind);
    let fields = [field("y", Kind::Number), field("x", Kind::Number), field("g", Kind::Text), field("h", Kind::Text)];
    if let Err(error) = formula.resolve(&fields, weights.as_ref(), None) {
        drop(error.to_string());
        return;
    }
    let mut model = Model::new(formula.text());
    model.scale = scale.map(|scale| noisefit::Scale::Formula(scale.to_owned()));
    model.weights = weights.map(|weights| weights.text().to_owned());
    kept(&model, &table, &scratch);
}

/// The rows that formulas are fitted to.
const ROWS: &str = "y,x,g,h\n1.5,1,a,u\n2.25,2,b,v\n2.5,4,a,v\n4.75,3,c,u\n5,5.5,b,u\n7.5,6,c,v\n6.5,7,a,u\n8,9,b,v\n9.5,8,c,u\n11,10,a,v\n10.5,12,b,u\n13,11,c,v\n";

/// Model files: what is taken is whole, and predicts, scores, prints and is exported without a word of surprise.
pub fn model(bytes: &[u8]) {
    let scratch = Scratch::new();
    let path = scratch.write("m.json", bytes);
    let fitted = match Fitted::load(&path) {
        Ok(fitted) => fitted,
        Err(error) => return drop(error.to_string()),
    };
    drop(fitted.summary());
    if let Ok(record) = serde_json::to_string(&fitted.record(true, &noisefit::InRust)) {
        strict(&record);
    }
    fitted.warnings().iter().for_each(|warning| drop(warning.clone()));
    let rows = scratch.write("t.csv", ROWS.as_bytes());
    let Ok(table) = Table::files(&[rows], &ReadOptions { threads: 1, ..ReadOptions::default() }) else { return };
    used(&fitted, &table);
    let options = noisefit::ExportOptions { onnx: Some(scratch.path("m.onnx")), safetensors: None };
    let _ = fitted.export(&options);
    // What was loaded is saved as what loads to the same.
    let again = scratch.path("again.json");
    if fitted.save(&again).is_ok() {
        let loaded = Fitted::load(&again).unwrap_or_else(|error| panic!("what was saved does not load: {error}"));
        assert_eq!(loaded.summary(), fitted.summary());
    }
}

/// All that a model does with a table.
fn used(fitted: &Fitted, table: &Table) {
    let levels = vec![0.5, 0.95];
    let options = PredictOptions { levels, keep: Keep::All, ..PredictOptions::default() };
    let said = [
        fitted.predict(table, &PredictOptions { levels: Vec::new(), ..options.clone() }).err(),
        fitted.predict(table, &options).err(),
        fitted.evaluate(table, &EvaluateOptions::default()).err(),
    ];
    said.iter().flatten().for_each(|error| drop(error.to_string()));
}

/// Checkpoints: of another training they are refused, of this one it goes on from there.
pub fn checkpoint(bytes: &[u8]) {
    let scratch = Scratch::new();
    let rows = scratch.write("t.csv", ROWS.as_bytes());
    scratch.write("c", bytes);
    let Ok(table) = Table::files(&[rows], &ReadOptions { threads: 1, ..ReadOptions::default() }) else { return };
    let training = training(Some(scratch.path("c")));
    match Model::new("y ~ x + g").network(training).fit(&table) {
        Ok(fitted) => drop(fitted.summary()),
        Err(error) => drop(error.to_string()),
    }
}

/// The training whose checkpoints are read.
pub fn training(checkpoint: Option<PathBuf>) -> Training {
    let resume = checkpoint.is_some();
    Training {
        hidden: vec![3],
        epochs: Some(4),
        every: Some(2),
        validation: Some(0.25),
        checkpoint,
        resume,
        ..Training::default()
    }
}

/// A line `noise|covariance|formula|scale` and a CSV: fitted, looked at, saved, loaded, and predicted with to the same bits.
pub fn fit_tiny(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(line) = std::str::from_utf8(&bytes[..end]) else { return };
    let mut parts = line.split('|');
    let (Some(noise), Some(vcov), Some(formula)) = (parts.next(), parts.next(), parts.next()) else { return };
    let scratch = Scratch::new();
    let path = scratch.write("t.csv", &bytes[end + 1..]);
    let Ok(table) = Table::files(&[path], &ReadOptions { threads: 1, ..ReadOptions::default() }) else { return };
    let Ok(mut model) = Model::new(formula).noise(noise) else { return };
    if let Ok(vcov) = vcov.parse::<Vcov>() {
        // Draws are the same thing many times over.
        if vcov.to_string().starts_with("bootstrap") {
            return;
        }
        model.vcov = vcov;
    }
    if let Some(scale) = parts.next().filter(|scale| !scale.is_empty()) {
        model = model.scale(scale);
    }
    kept(&model, &table, &scratch);
}

/// A fit, if there is one, keeps what it says through a file.
fn kept(model: &Model, table: &Table, scratch: &Scratch) {
    let fitted = match model.fit(table) {
        Ok(fitted) => fitted,
        Err(error) => return drop(error.to_string()),
    };
    drop(fitted.summary());
    if let Ok(record) = serde_json::to_string(&fitted.record(true, &noisefit::InRust)) {
        strict(&record);
    }
    used(&fitted, table);
    let _ = fitted.diagnose(None, &DiagnoseOptions::default()).map(|diagnosed| drop(diagnosed.summary()));
    if let Some(term) = fitted.coef().ok().and_then(|rows| rows.last()).map(|row| row.term.clone()) {
        let options = ProfileOptions { points: 3, ..ProfileOptions::of(&term) };
        let _ = fitted.profile(None, &options).map(|profiled| drop(profiled.summary()));
    }
    let file = scratch.path("m.json");
    if let Err(error) = fitted.save(&file) {
        panic!("it is not saved: {error}");
    }
    let loaded = Fitted::load(&file).unwrap_or_else(|error| panic!("what was saved does not load: {error}"));
    let predicted = |fitted: &Fitted| fitted.predict(table, &PredictOptions::default()).ok();
    let bits = |predicted: Option<Predicted>| {
        predicted.map(|predicted| {
            predicted.columns.iter().flatten().map(|value| (value.is_nan(), value.to_bits())).collect::<Vec<_>>()
        })
    };
    assert_eq!(bits(predicted(&loaded)), bits(predicted(&fitted)), "what was loaded predicts something else");
}

/// JSON that a strict reader takes: no NaN, no infinity, no name twice at the top.
fn strict(text: &str) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        panic!("not JSON: {error}");
    }
}
