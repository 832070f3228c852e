//! Passes that are folded in another process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "../../noisefit-core/tests/common/everything.rs"]
mod everything;

use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::Folder;
use noisefit_core::Error;
use noisefit_core::algebra::Moments;
use noisefit_core::rows::{Accumulator, Layout, Next, Pass, RowSource, RowSourceExt};
use noisefit_data::formula::Formula;
use noisefit_data::read::{Dataset, ReadOptions};
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, SourceOptions};
use noisefit_data::worker::Worker;

/// Three files of rows of two regressors and a category, whose spread grows with the first.
fn files(folder: &Folder) -> Vec<String> {
    let noise = |i: usize| {
        let share = ((i as f64 + 0.5) * 0.618_033_988_749_895).fract();
        (share / (1.0 - share)).ln()
    };
    let mut number = 0;
    let mut names = Vec::new();
    for file in 0..3 {
        let mut text = "y,a,b,g,h\n".to_owned();
        for _ in 0..16 {
            let (a, b) = ((number as f64 * 1.3).sin(), (number as f64 * 2.9).cos());
            let y = 2.0 + a - 0.5 * b + (0.3 * a).exp() * noise(number);
            text += &format!("{y},{a},{b},{},{}\n", ["u", "v", "w"][number % 3], number % 13);
            number += 1;
        }
        names.push(format!("{file}.csv"));
        folder.write(&names[file], text);
    }
    names.iter().map(|name| folder.path().join(name).display().to_string()).collect()
}

/// The rows of files, each unit of which is folded in another process.
struct Elsewhere<'a> {
    rows: &'a DesignRows<'a>,
    /// How many rows stand before each unit.
    units: Vec<u64>,
    worker: Mutex<Worker<ChildStdin, ChildStdout>>,
    process: Mutex<Child>,
}

impl<'a> Elsewhere<'a> {
    fn new(folder: &Folder, files: &[String], rows: &'a DesignRows<'a>) -> Self {
        let (mut units, mut before) = (Vec::new(), 0);
        let count = &mut |state: Box<dyn Pass>| {
            units.push(before);
            before += state.rows();
            std::ops::ControlFlow::Continue(())
        };
        rows.units(&Moments::new(rows.layout().terms.len(), true), count).unwrap();
        folder.write("design.json", serde_json::to_string(rows.design()).unwrap());
        let arguments: Vec<&str> = ["worker", "design.json", "--cluster", "g", "--cluster", "h"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .collect();
        let mut process = folder.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let worker = Worker::new(process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Elsewhere { rows, units, worker: Mutex::new(worker), process: Mutex::new(process) }
    }

    fn worker(&self) -> MutexGuard<'_, Worker<ChildStdin, ChildStdout>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill().and_then(|()| process.wait().map(drop));
    }
}

impl RowSource for Elsewhere<'_> {
    fn layout(&self) -> &Layout {
        self.rows.layout()
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        for (unit, &before) in self.units.iter().enumerate() {
            let mut pass = empty.clone_box();
            pass.begin(before);
            if next(self.worker().fold(&*pass, unit)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rows_hint(&self) -> Option<u64> {
        self.rows.rows_hint()
    }

    fn threads(&self) -> usize {
        self.rows.threads()
    }
}

/// Shows `next` the rows of a formula, here and elsewhere.
fn with_rows(formula: &str, scale: Option<&str>, next: impl Fn(&DesignRows<'_>, &Elsewhere<'_>)) {
    let folder = Folder::new();
    let files = files(&folder);
    let dataset = Dataset::open(&files, &ReadOptions { threads: 2, ..ReadOptions::default() }).unwrap();
    let formula = Formula::parse(formula).unwrap().with_clusters(&["g".to_owned(), "h".to_owned()]);
    let formula = scale.map_or(formula.clone(), |scale| formula.with_scale(scale).unwrap());
    let model = formula.resolve(dataset.fields(), None, None).unwrap();
    let records = Records::new(&dataset, &model.columns_needed(), 2, 1 << 20, &()).unwrap();
    let rows = DesignRows::learn(model, records, SourceOptions::default()).unwrap();
    let elsewhere = Elsewhere::new(&folder, &files, &rows);
    assert_eq!(elsewhere.units, [0, 16, 32]);
    next(&rows, &elsewhere);
}

#[test]
fn what_is_folded_in_another_process_is_the_same_to_the_bit() {
    with_rows("y ~ a + b", None, |rows, elsewhere| {
        everything::assert_same(&everything::everything(rows), &everything::everything(elsewhere));
    });
}

#[test]
fn a_modelled_scale_and_what_a_formula_learned_travel_too() {
    with_rows("y ~ poly(a, 2) + g", Some("~ a"), |rows, elsewhere| {
        everything::assert_same(&everything::everything(rows), &everything::everything(elsewhere));
    });
}

#[test]
fn a_worker_refuses_by_name_and_goes_on() {
    with_rows("y ~ a", None, |rows, elsewhere| {
        let empty = Moments::new(1, true);
        let pass: &dyn Pass = &empty;
        let bytes = pass.to_bytes().unwrap();
        let mut damaged = bytes.clone();
        damaged[30] ^= 1;
        let older = [&bytes[..8], &1u32.to_le_bytes(), &bytes[12..]].concat();
        let ask = |bytes: &[u8]| elsewhere.worker().ask(bytes, 1).unwrap();
        for (bytes, why) in [
            (&damaged[..], "it is damaged"),
            (&bytes[..bytes.len() - 1], "it ends too early"),
            (&older, "version 1, this program reads version 2"),
            (&pass.state_to_bytes(pass).unwrap(), "it is a state of the pass 'moments', not the pass"),
        ] {
            assert_eq!(ask(bytes), Err(format!("saved state refused: {why}")));
        }
        let unit = elsewhere.worker().ask(&bytes, 3).unwrap();
        assert_eq!(unit, Err("there is no unit 3 of the rows".to_owned()));
        let state = empty.load(&ask(&bytes).unwrap()).unwrap();
        assert_eq!(Accumulator::rows(&state), 16);
        // What comes back is of the pass that was sent.
        match Moments::new(1, false).load(&ask(&bytes).unwrap()) {
            Err(Error::State(why)) => assert_eq!(why, "it belongs to a 'moments' pass with other parameters"),
            _ => panic!("taken"),
        }
        let all = empty.save(&rows.pass(empty.clone()).unwrap()).unwrap();
        assert_eq!(empty.save(&elsewhere.pass(empty.clone()).unwrap()).unwrap(), all);
    });
}
