//! The front door: tables in memory beside files, what goes with what, and fits that are saved and read back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, RecordBatch};
use noisefit::{
    CompareOptions, DiagnoseOptions, Error, EvaluateOptions, ExportOptions, Fitted, Fitting, InRust, Interval, Keep,
    LossOptions, Model, Optimizer, PredictOptions, ProfileOptions, Refusal, Setting, Table, Training,
};

/// Rows with numbers, a category, a boolean, and values that are missing.
fn rows() -> Vec<(Option<f64>, f64, Option<&'static str>, bool)> {
    let city = ["Paris", "Rome", "Oslo"];
    (0..120)
        .map(|i| {
            let x = f64::from(i) / 16.0;
            let y = 3.0 + 0.75 * x + f64::from(i % 3) + 0.125 * f64::from((i * 37) % 11) - 0.5 * f64::from(i % 2);
            ((i % 29 != 7).then_some(y), x, (i % 31 != 5).then_some(city[i as usize % 3]), i % 2 == 0)
        })
        .collect()
}

fn batch(rows: &[(Option<f64>, f64, Option<&'static str>, bool)]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 4] = [
        ("y", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.0)))),
        ("x", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("city", Arc::new(DictionaryArray::<Int32Type>::from_iter(rows.iter().map(|row| row.2)))),
        ("even", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.3))))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The same rows in memory and as a file, which goes with the folder.
fn tables() -> (Table, Table, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let line = |row: &(Option<f64>, f64, Option<&str>, bool)| {
        let y = row.0.map_or(String::new(), |y| y.to_string());
        format!("{y},{},{},{}\n", row.1, row.2.unwrap_or_default(), row.3)
    };
    let lines: String = rows().iter().map(line).collect();
    std::fs::write(&path, format!("y,x,city,even\n{lines}")).unwrap();
    let memory = Table::from_batches(vec![batch(&rows())]).unwrap();
    (memory, Table::open(path.display().to_string()).unwrap(), folder)
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_table_in_memory_gives_the_bits_of_the_same_file() {
    let (memory, file, _folder) = tables();
    for noise in ["gaussian", "laplace", "student-t:4", "quantile:0.5", "huber", "logistic"] {
        let model = Model::new("y ~ x + city*even + poly(x, 2)").noise(noise).unwrap();
        let [one, other] = [&memory, &file].map(|table| model.fit(table).unwrap());
        assert_eq!(one.fits(), other.fits(), "{noise}");
        assert_eq!(one.counts(), other.counts());
        // Responses that are missing, cities that are, and one row without either.
        assert_eq!(one.counts().unwrap().missing, 7, "{noise}");
        assert_eq!(one.summary(), other.summary());
        let options =
            PredictOptions { levels: vec![0.5, 0.9], interval: Some(Interval::Confidence), ..Default::default() };
        let [predicted, of_file] = [&memory, &file].map(|table| one.predict(table, &options).unwrap());
        assert_eq!((predicted.names, predicted.warnings), (of_file.names, of_file.warnings));
        let bits = |columns: &[Vec<f64>]| columns.iter().flatten().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&predicted.columns), bits(&of_file.columns), "{noise}");
    }
}

#[test]
fn rows_of_a_table_in_memory_have_addresses() {
    let mut rows = rows();
    rows[99].0 = Some(100.0);
    // In two batches, so that rows are counted through.
    let table = Table::from_batches(vec![batch(&rows[..50]), batch(&rows[50..])]).unwrap();
    let diagnosed = Model::new("y ~ x + city").diagnose(&table, &DiagnoseOptions::default()).unwrap();
    assert!(diagnosed.advice()[0].to_string().starts_with("row 100"), "{:?}", diagnosed.advice());
    let error =
        Model { missing: noisefit::data::source::Missing::Fail, ..Model::new("y ~ x") }.fit(&table).unwrap_err();
    assert!(error.to_string().starts_with("the table, record 8, column `y`"), "{error}");
}

#[test]
fn a_fit_is_saved_and_read_back() {
    let (table, _, folder) = tables();
    let path = folder.path().join("model.json");
    let fitted = Model::new("y ~ x + city").noise("student-t").unwrap().conformal("cv+").unwrap().fit(&table).unwrap();
    fitted.save(&path).unwrap();
    let loaded = Fitted::load(&path).unwrap();
    assert_eq!(loaded.coef().unwrap(), fitted.coef().unwrap());
    assert_eq!(loaded.confint(0.9).unwrap(), fitted.confint(0.9).unwrap());
    let options = PredictOptions { levels: vec![0.9], keep: Keep::All, ..Default::default() };
    let [one, other] = [&fitted, &loaded].map(|fitted| fitted.predict(&table, &options).unwrap());
    assert_eq!(one.column("pred_low").unwrap()[0].to_bits(), other.column("pred_low").unwrap()[0].to_bits());
    let scores = [&fitted, &loaded].map(|f| f.evaluate(&table, &EvaluateOptions::default()).unwrap().scores);
    assert_eq!(scores[0], scores[1]);
    // The same diagnosis, by the table that is kept and by one that is given.
    let own = fitted.diagnose(None, &DiagnoseOptions::default()).unwrap();
    assert_eq!(own.summary(), loaded.diagnose(Some(&table), &DiagnoseOptions::default()).unwrap().summary());
    assert!(matches!(loaded.diagnose(None, &DiagnoseOptions::default()), Err(Error::NoTable)));
    assert!(loaded.table().is_none() && loaded.counts().is_none());
    assert!(loaded.summary().contains("113 observations\n"), "{}", loaded.summary());
}

#[test]
fn networks_and_trained_lines_go_through_the_same_door() {
    let (table, _, folder) = tables();
    let brief = || Training { epochs: Some(3), ..Training::default() };
    let network = Model::new("y ~ x + city")
        .network(Training { hidden: vec![3], ensemble: Some(2), ..brief() })
        .scale("constant");
    let line = Model::new("y ~ x").noise("laplace").unwrap().train(brief());
    for (model, shape) in [(network, "ensemble of 2: network 3-3-1"), (line, "linear model")] {
        let fitted = model.fit(&table).unwrap();
        assert!(fitted.summary().contains(shape), "{}", fitted.summary());
        assert!(matches!(fitted.coef(), Err(Error::NoSingleFit)));
        let path = folder.path().join("trained.json");
        fitted.save(&path).unwrap();
        let loaded = Fitted::load(&path).unwrap();
        assert!(loaded.summary().contains(shape), "{}", loaded.summary());
        let [one, other] = [&fitted, &loaded].map(|f| f.predict(&table, &PredictOptions::default()).unwrap());
        assert_eq!(one.columns[0][0].to_bits(), other.columns[0][0].to_bits());
    }
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let model = || Model::new("y ~ x");
    let training = |training: Training| Model::new("y ~ x").train(training);
    let cases = [
        (
            Model { huber_k: Some(1.5), ..model() },
            Refusal::OnlyHuber { setting: Setting::HuberK, noise: "gaussian".into() },
        ),
        (
            Model { huber_scale: Some(Default::default()), ..model().noise("auto").unwrap() },
            Refusal::HuberWithAuto { setting: Setting::HuberScale },
        ),
        (model().scale("network"), Refusal::ScaleByNetwork),
        (model().noise("huber").unwrap().scale("~ x"), Refusal::ScaleOfNoise { noise: "huber".into() }),
        (Model::new("~ x"), Refusal::NoResponse { formula: "~ x".into() }),
        (
            Model { folds: Some(5), ..model().conformal("split").unwrap() },
            Refusal::OnlyCvPlus { method: noisefit::core::inference::conformal::Scheme::Split },
        ),
        (training(Training::default()).vcov("hc3").unwrap(), Refusal::OnlyExact { setting: Setting::Vcov }),
        (training(Training { momentum: Some(0.5), ..Training::default() }), Refusal::OnlySgd),
        (
            training(Training { optimizer: Some(Optimizer::Lbfgs), lr: Some(0.1), ..Training::default() }),
            Refusal::NotWithLbfgs { setting: Setting::LearningRate },
        ),
        (training(Training { hidden: vec![4], ..Training::default() }), Refusal::OnlyNetworks),
    ];
    let (table, _, _folder) = tables();
    for (model, expected) in cases {
        assert_eq!(refusal(model.check().unwrap_err()), expected);
        // The fit asks the same before it reads.
        assert_eq!(refusal(model.fit(&table).unwrap_err()), expected);
    }
    assert_eq!(training(Training::default()).fitting, Fitting::Train(Training::default()));
    let unknown = model().noise("weibull").unwrap_err().to_string();
    assert!(unknown.starts_with("no noise family 'weibull'; there are gaussian"), "{unknown}");
}

#[test]
fn what_data_refuse_says_what_is_there() {
    let (table, _, folder) = tables();
    let keep = PredictOptions { keep: Keep::Named(vec!["town".into()]), ..Default::default() };
    let fitted = Model::new("y ~ x").fit(&table).unwrap();
    let error = fitted.predict(&table, &keep).unwrap_err().to_string();
    assert_eq!(error, "keep town: no such column; the columns are y, x, city, even");
    let error = table.losses(&LossOptions::of("y", "z")).unwrap_err().to_string();
    assert_eq!(error, "prediction z: no such column in the table; there are y, x, city, even");
    let asked = PredictOptions { levels: vec![0.9], interval: Some(Interval::Conformal), ..Default::default() };
    let refused = refusal(fitted.predict(&table, &asked).unwrap_err());
    assert_eq!(refused, Refusal::NotConformal { level: 0.9, model: "the model".into() });
    let weights = ExportOptions { safetensors: Some(folder.path().join("w.safetensors")), ..Default::default() };
    assert!(matches!(fitted.export(&weights), Err(Error::NoNetwork { .. })));
    let quantiles = Model::new("y ~ x").noise("quantile:0.1,0.9").unwrap();
    assert!(matches!(quantiles.fit(&table).unwrap().fit(), Err(Error::NoSingleFit)));
    let refused = refusal(quantiles.profile(&table, &ProfileOptions::of("x")).unwrap_err());
    assert_eq!(refused, Refusal::ProfileOfQuantiles { noise: "quantile:0.1,0.9".into() });
    let refused = refusal(quantiles.diagnose(&table, &DiagnoseOptions::default()).unwrap_err());
    assert_eq!(refused, Refusal::DiagnosisOfQuantiles { noise: "quantile:0.1,0.9".into() });
    let missing = batch(&[(None, 1.0, None, true), (None, 2.0, None, false)]);
    assert_eq!(missing.column(0).null_count(), 2);
    let error = Model::new("y ~ x").fit(&Table::from_batches(vec![missing]).unwrap()).unwrap_err();
    assert!(matches!(error, Error::NothingToFit { counts, .. } if counts.missing == 2), "{error}");
    let compared =
        Model::new("y ~ x + city").compare(&table, &CompareOptions { folds: 0, ..Default::default() }).unwrap();
    assert!(
        compared.preferred().is_some() && compared.summary(None, false, &InRust).contains("models on 113 observations")
    );
}

#[test]
fn what_says_how_intervals_are_calibrated_goes_with_conformal_ones() {
    let model = || Model::new("foodexp ~ income");
    for (model, name) in
        [(Model { calibration: Some(0.3), ..model() }, "calibration"), (Model { folds: Some(5), ..model() }, "folds")]
    {
        let refusal = model.check().unwrap_err().to_string();
        assert!(refusal.starts_with(name) && refusal.ends_with("goes with conformal"), "{refusal}");
    }
}
