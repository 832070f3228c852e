//! Tables that an engine's workers hold, with an engine that is written in Rust: any host of record batches can be one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, StringArray};
use noisefit::data::DataError;
use noisefit::data::cluster::{Engine, merge};
use noisefit::data::read::{ReadOptions, Rerun, Run};
use noisefit::data::source::fold_partition;
use noisefit::{Fitted, Model, Table};

/// Partitions, each of a batch.
#[derive(Debug)]
struct Partitions {
    batches: Vec<RecordBatch>,
    /// How many of them are merged before they are handed back.
    group: usize,
}

impl Rerun for Partitions {
    fn run(&self) -> Result<Run, DataError> {
        let schema = self.batches[0].schema();
        Ok(Box::new(RecordBatchIterator::new(self.batches.clone().into_iter().map(Ok), schema)))
    }
}

impl Engine for Partitions {
    fn ask(&self, columns: &[String], task: &[u8], _: &dyn Fn() -> bool) -> Result<Vec<Vec<u8>>, DataError> {
        let kinds = noisefit::kinds();
        let fold = |(number, batch): (usize, &RecordBatch)| {
            let places: Vec<usize> = columns.iter().map(|name| batch.schema().index_of(name).unwrap()).collect();
            fold_partition(task, &kinds, (number as u64) << 33, [Ok(batch.project(&places).unwrap())])
        };
        let mut answers = self.batches.iter().enumerate().map(fold).collect::<Result<Vec<_>, _>>()?;
        // Whoever is first ready is first here.
        answers.reverse();
        Ok(answers.chunks(self.group).map(|group| merge(task, &kinds, group)).collect())
    }
}

/// Rows of two numbers and a category, in batches of these sizes.
fn batches(sizes: &[usize]) -> Vec<RecordBatch> {
    let mut row = 0;
    let batch = |&size: &usize| {
        let rows = row..row + size;
        row += size;
        let x: Vec<f64> = rows.clone().map(|i| (i as f64 * 1.3).sin()).collect();
        let noise = rows.clone().map(|i| ((i as f64 + 0.5) * 0.618_033_988_749_895).fract() - 0.5);
        let y: Vec<f64> = x.iter().zip(noise).map(|(x, noise)| 1.0 + 2.0 * x + noise).collect();
        let g: Vec<String> = rows.clone().map(|i| ["u", "v", "w"][i % 3].to_owned()).collect();
        // So many levels that they are kept as codes.
        let shop: Vec<String> = rows.map(|i| format!("s{}", i * 7 % 80)).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("x", Arc::new(Float64Array::from(x))),
            ("y", Arc::new(Float64Array::from(y))),
            ("g", Arc::new(StringArray::from(g))),
            ("shop", Arc::new(StringArray::from(shop))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    sizes.iter().map(batch).collect()
}

fn numbers(fitted: &Fitted) -> Vec<f64> {
    let rows = fitted.coef().unwrap();
    let errors = fitted.std_errors().unwrap();
    rows.iter().map(|row| row.estimate.unwrap()).chain(errors.into_iter().flatten()).collect()
}

#[test]
fn an_engine_gives_the_numbers_of_the_table_here() {
    let sizes = [40, 1, 0, 300, 77, 12, 500];
    let here = Table::from_batches(batches(&[930])).unwrap();
    for (formula, noise, vcov) in [
        ("y ~ x + g", "gaussian", "hc3"),
        ("y ~ scale(x)", "laplace", "classical"),
        ("y ~ x * g", "student-t", "classical"),
        ("y ~ x | g", "huber", "classical"),
        ("y ~ x + shop", "gaussian", "hc1"),
        ("y ~ x + shop", "huber", "classical"),
    ] {
        let model = Model::new(formula).noise(noise).unwrap().vcov(vcov).unwrap();
        let expected = numbers(&model.fit(&here).unwrap());
        let mut bits: Option<Vec<u64>> = None;
        for group in [1, 3] {
            let engine = Arc::new(Partitions { batches: batches(&sizes), group });
            let table = Table::engine(engine, &ReadOptions::default()).unwrap();
            let found = numbers(&model.fit(&table).unwrap());
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 1e-11 * expected.abs().max(1.0),
                    "{formula}: {found} and {expected}"
                );
            }
            let traffic = table.traffic().unwrap();
            assert_eq!((traffic.partitions, traffic.records), (6, 930 * traffic.passes));
            let found: Vec<u64> = found.iter().map(|number| number.to_bits()).collect();
            if group == 1 {
                // Again, the same bits.
                let again = model.fit(&table).unwrap();
                assert_eq!(numbers(&again).iter().map(|number| number.to_bits()).collect::<Vec<_>>(), found);
            }
            bits.get_or_insert(found);
        }
        assert!(bits.is_some_and(|bits| bits.len() == expected.len()));
    }
}

#[test]
fn no_rows_are_no_fit() {
    let engine = Arc::new(Partitions { batches: batches(&[0, 0]), group: 1 });
    let table = Table::engine(engine, &ReadOptions::default()).unwrap();
    let error = Model::new("y ~ x").fit(&table).unwrap_err().to_string();
    assert!(error.contains("a fit needs rows of data"), "{error}");
}
