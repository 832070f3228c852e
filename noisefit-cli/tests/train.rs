//! Networks and trained linear models from the command line: what is printed and saved, stops of every kind, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, csv, testdata};
use serde_json::Value;

/// A network that is trained in a moment.
const SMALL: [&str; 10] = ["--model", "network", "--plan", "plain", "--hidden", "8", "--lr", "0.01", "--epochs", "30"];

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} for {expected}");
}

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

#[test]
fn an_ensemble_is_trained_saved_and_predicts() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    let base = ["fit", &data, "-f", "y ~ .", "--noise", "student-t", "--ensemble", "3", "-o", "m.json"];
    let said = folder.done(&with(&base, &SMALL));
    for part in
        ["ensemble of 3: network 10-8-1 with relu, student-t noise", "adam at 0.01, batches of 32", "validation NLL"]
    {
        assert!(said.contains(part), "{said}");
    }
    let (header, rows) = {
        let text = folder.done(&["predict", "m.json", &data, "--interval", "0.5,0.9"]);
        let (header, rows) = csv(&text);
        let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
        (header, rows.iter().map(|row| row.iter().map(|cell| number(cell)).collect()).collect::<Vec<Vec<f64>>>())
    };
    let names = "prediction,pred_low_0.5,pred_high_0.5,pred_low_0.9,pred_high_0.9,sd_total,sd_aleatoric,sd_epistemic";
    assert_eq!(header.join(","), names);
    for row in &rows {
        assert!(row[3] < row[1] && row[1] < row[0] && row[0] < row[2] && row[2] < row[4]);
        assert_close(row[5], row[6].hypot(row[7]), 1e-12);
    }
    // The table of the fit and an evaluation of all rows say the same.
    let fit: Value = folder.fit(&with(&base[1..8], &SMALL));
    let evaluated: Value =
        serde_json::from_str(&folder.done(&["evaluate", "m.json", &data, "--format", "json"])).unwrap();
    let part = |which: &str, field: &str| fit[which][0][field].as_f64().unwrap();
    for field in ["mse", "mean_nll", "mae", "coverage"] {
        let [training, validation] = ["training", "validation"].map(|w| part(w, field) * part(w, "nobs"));
        assert_close((training + validation) / 442.0, evaluated[field].as_f64().unwrap(), 1e-9);
    }
    assert_eq!(fit["members"].as_array().unwrap().len(), 3);
    let error = folder.refusal(2, &["predict", "m.json", &data, "--interval", "0.9", "confidence"]);
    assert!(error.contains("sd_epistemic"), "{error}");
}

#[test]
fn a_scale_or_several_quantiles_are_outputs() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let base = ["fit", &data, "-f", "foodexp ~ income", "-o", "m.json"];
    folder.done(&with(&with(&base, &["--scale", "network"]), &SMALL));
    let text = folder.done(&["predict", "m.json", &data]);
    let (header, rows) = csv(&text);
    assert_eq!(header, ["prediction", "scale"]);
    // Food expenditure varies more where income is high.
    let scale = |income: f64| {
        folder.write("new.csv", format!("income\n{income}\n"));
        number(csv(&folder.done(&["predict", "m.json", "new.csv"])).1[0][1])
    };
    assert!(rows.len() == 235 && scale(2000.0) > 1.2 * scale(500.0));
    folder.done(&with(&with(&base, &["--noise", "quantile:0.1,0.5,0.9"]), &SMALL));
    let text = folder.done(&["predict", "m.json", &data]);
    let (header, rows) = csv(&text);
    assert_eq!(header, ["q0.1", "q0.5", "q0.9"]);
    assert!(rows.iter().all(|row| number(row[0]) < number(row[1]) && number(row[1]) < number(row[2])));
    folder.done(&with(&with(&base, &["--conformal", "split", "--seed", "3"]), &SMALL));
    let (header, _) = {
        let text = folder.done(&["predict", "m.json", &data, "--interval", "0.9"]);
        (csv(&text).0.join(","), ())
    };
    assert_eq!(header, "prediction,pred_low,pred_high");
}

#[test]
fn a_linear_model_by_gradient_steps_leaves_a_trace() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let base = ["fit", &data, "-f", "foodexp ~ income", "--solver", "train"];
    let exact = folder.fit(&[&data, "-f", "foodexp ~ income"]);
    let trained = folder.fit(&with(&base[1..], &["--optimizer", "lbfgs", "--trace", "t.csv"]));
    for k in [0, 1] {
        let (row, exact) = (&trained["coefficients"][k], &exact["coefficients"][k]);
        assert_close(row["estimate"].as_f64().unwrap(), exact["estimate"].as_f64().unwrap(), 1e-5);
        // The same row as of an exact fit, without what training does not know.
        let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!((&row["term"], keys(row)), (&exact["term"], keys(exact)));
        assert!(row["std_error"].is_null() && row["conf_low"].is_null());
    }
    let ensemble = folder.fit(&with(&base[1..], &["--optimizer", "adam", "--epochs", "3", "--ensemble", "2"]));
    let slope = |rows: &Value| rows[1]["estimate"].as_f64().unwrap();
    let members = ensemble["member_coefficients"].as_array().unwrap();
    let mean = 0.5 * (slope(&members[0]) + slope(&members[1]));
    assert_close(slope(&ensemble["coefficients"]), mean, 1e-14);
    let modelled = folder.fit(&with(&base[1..], &["--scale", "network", "--epochs", "3"]));
    assert_eq!(modelled["scale_coefficients"][1]["term"], "income");
    assert_close(trained["log_likelihood"].as_f64().unwrap(), exact["log_likelihood"].as_f64().unwrap(), 1e-8);
    let sgd = ["--optimizer", "sgd", "--lr", "0.05", "--batch", "all", "--schedule", "constant", "--epochs", "300"];
    folder.done(&with(&with(&base, &sgd), &["--trace", "t.csv"]));
    let text = folder.read("t.csv");
    let (header, rows) = csv(&text);
    let names = "member,epoch,step,loss,validation_loss,learning_rate,gradient_norm,seconds,(Intercept),income";
    assert_eq!((header.join(","), rows.len()), (names.to_owned(), 300));
    let loss = |row: usize| number(rows[row][3]);
    assert!((1..300).all(|row| loss(row) <= loss(row - 1) * (1.0 + 1e-6)));
    // The mean squared error of the exact fit, in its units.
    assert_close(loss(299), exact["scale"].as_f64().unwrap().powi(2), 1e-6);
    let slope = exact["coefficients"][1]["estimate"].as_f64().unwrap();
    assert_close(number(rows[299][9]), slope, 1e-5);
    // The first step by hand: from zero, a twentieth of twice the correlation in standardised units.
    let rho = exact["closed_form"]["correlation"].as_f64().unwrap();
    assert_close(number(rows[0][9]), 0.1 * slope, 1e-5);
    assert!(rho > 0.0);
    folder.done(&with(&with(&base, &["--batch", "50", "--epochs", "3"]), &["--trace", "t.csv", "--trace-steps"]));
    assert_eq!(csv(&folder.read("t.csv")).1.len(), 3 * 5);
}

#[test]
fn categories_are_embedded_by_name() {
    let folder = Folder::new();
    let city = |i: usize| ["Bonn", "Lyon", "Rome", "Oslo", "Kiel"][i * 7 % 5];
    let row = |i: usize| format!("{},{},{}\n", i % 11, city(i), (i % 11) * (i * 7 % 5) + i % 3);
    folder.write("d.csv", "x,city,y\n".to_owned() + &(0..200).map(row).collect::<String>());
    let said =
        folder.done(&with(&["fit", "d.csv", "-f", "y ~ x + city", "--embedding", "city:2", "-o", "m.json"], &SMALL));
    assert!(said.contains("network 3-8-1 with relu, 1 embedding"), "{said}");
    folder.done(&["predict", "m.json", "d.csv"]);
    let error = folder.refusal(2, &with(&["fit", "d.csv", "-f", "y ~ x + city", "--embedding", "town:2"], &SMALL));
    assert!(error.contains("no such category; the formula has city"), "{error}");
}

/// Ends what a test has left.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn started(folder: &Folder, arguments: &[&str]) -> Running {
    Running(folder.heeding_signals(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Waits until a file is there or the program has ended.
fn wait_for(folder: &Folder, name: &str, running: &mut Running) {
    let begun = Instant::now();
    while !folder.path().join(name).exists() && running.0.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no {name}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn killed_at_any_moment_and_resumed_it_ends_with_the_same_bits() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    let arguments = |model: &'static str, more: &[&'static str]| {
        let base =
            ["fit", &data, "-f", "y ~ .", "--model", "network", "--hidden", "32,16", "--ensemble", "2", "--batch", "8"];
        let rest = ["--epochs", "150", "--validation", "0.2", "--patience", "150", "--dropout", "0.1", "-o", model];
        let words = with(&with(&base, &rest), more);
        words.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let words = |words: &[String]| words.iter().map(String::as_str).collect::<Vec<&str>>().join("\u{1}");
    let run = |text: &str| folder.done(&text.split('\u{1}').collect::<Vec<_>>());
    run(&words(&arguments("whole.json", &[])));
    let resumed = words(&arguments("resumed.json", &["--checkpoint", "c.safetensors", "--every", "13", "--resume"]));
    let mut kills = 0;
    for pause in [0, 7, 31, 3, 64, 17] {
        let mut running = started(&folder, &resumed.split('\u{1}').collect::<Vec<_>>());
        wait_for(&folder, "c.safetensors", &mut running);
        std::thread::sleep(Duration::from_millis(pause));
        if running.0.try_wait().unwrap().is_none() {
            // SIGKILL, which nothing can catch.
            running.0.kill().unwrap();
            running.0.wait().unwrap();
            kills += 1;
        }
    }
    assert!(kills > 0);
    run(&resumed);
    assert!(folder.read("resumed.json") == folder.read("whole.json"));
    // It may be trained for longer, from its end.
    let longer = folder.run(&resumed.replace("150", "160").split('\u{1}').collect::<Vec<_>>());
    let epochs =
        |text: &str| text.lines().filter(|line| line.ends_with("epochs")).map(str::to_owned).collect::<Vec<String>>();
    assert!(longer.code == 0 && epochs(&longer.stdout).iter().all(|line| line.contains(" 160 ")), "{}", longer.stdout);
    // Without --resume what is there is kept.
    let error = folder.refusal(2, &resumed.replace("\u{1}--resume", "").split('\u{1}').collect::<Vec<_>>());
    assert!(error.contains("there is a training of") && error.contains("say --resume"), "{error}");
    // Of other options it is not taken.
    let error = folder.refusal(1, &resumed.replace("0.2", "0.3").split('\u{1}').collect::<Vec<_>>());
    assert!(error.contains("validation 0.2 instead of 0.3"), "{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_a_step_and_keeps_what_was_learned() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    let arguments = [
        "fit",
        &data,
        "-f",
        "y ~ .",
        "--model",
        "network",
        "--plan",
        "plain",
        "--epochs",
        "1000000",
        "--patience",
        "1000000",
        "-o",
        "m.json",
        "--checkpoint",
        "c.safetensors",
        "--trace",
        "t.csv",
    ];
    let mut running = started(&folder, &arguments);
    wait_for(&folder, "c.safetensors", &mut running);
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let status = running.0.wait().unwrap();
    assert_eq!(status.code(), Some(3));
    let mut said = String::new();
    std::io::Read::read_to_string(running.0.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert!(said.contains("training was interrupted after") && said.contains("were kept"), "{said}");
    folder.done(&["predict", "m.json", &data]);
    let epochs = csv(&folder.read("t.csv")).1.len();
    assert!(epochs > 0);
    // What goes on has the epochs before in its trace, too.
    let mut running = started(&folder, &with(&arguments, &["--resume"]));
    std::thread::sleep(Duration::from_millis(1500));
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(3));
    let text = folder.read("t.csv");
    let rows = csv(&text).1;
    let steps = |row: &Vec<&str>| (number(row[1]), number(row[2]));
    assert!(rows.len() > epochs && (0..rows.len()).all(|k| steps(&rows[k]) == ((k + 1) as f64, 13.0 * (k + 1) as f64)));
}

#[test]
fn files_larger_than_the_memory_given_are_streamed() {
    let folder = Folder::new();
    let row = |i: usize| {
        let x = f64::from((i * 7919 % 1000) as u32) / 500.0 - 1.0;
        format!("{x},{}\n", (3.0 * x).sin() + f64::from((i % 13) as u32) / 60.0)
    };
    folder.write("d.csv", "x,y\n".to_owned() + &(0..20_000).map(row).collect::<String>());
    let base = ["fit", "d.csv", "-f", "y ~ x", "--memory", "20KB", "--shuffle-buffer", "2000", "--format", "json"];
    let fit = |more: &[&str]| {
        let words = with(&with(&base, &["--model", "network", "--hidden", "16", "--lr", "0.01"]), more);
        serde_json::from_str::<Value>(&folder.done(&words)).unwrap()
    };
    let one = fit(&["--plan", "plain", "--epochs", "4", "--threads", "1"]);
    assert_eq!(one["members"], fit(&["--plan", "plain", "--epochs", "4", "--threads", "2"])["members"]);
    assert_eq!(one["nobs"], 18_000);
    assert!(one["training"][0]["r_squared"].as_f64().unwrap() > 0.9);
    // With rows that each network does without, too, no part of which fits in memory.
    let suited = fit(&["--epochs", "2", "--ensemble", "2", "--noise", "student-t"]);
    assert_eq!(suited["nobs"], 20_000);
    assert!(suited["validation"][0]["r_squared"].as_f64().unwrap() > 0.9, "{}", suited["validation"]);
}

#[test]
fn a_search_is_told_and_goes_on() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let base = [
        "fit",
        &data,
        "-f",
        "foodexp ~ income",
        "--model",
        "network",
        "--hidden",
        "8",
        "--epochs",
        "60",
        "--tune",
        "4",
    ];
    let first = folder.run(&with(&base, &["--checkpoint", "c"]));
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(first.stdout.contains("the best of 4 plans, by a cross-validated log score of"), "{}", first.stdout);
    let trials = first.stderr.matches("trial ").count();
    assert!(trials >= 4, "{}", first.stderr);
    let again = folder.run(&with(&base, &["--checkpoint", "c", "--resume"]));
    assert_eq!((again.stderr.matches("trial ").count(), again.stdout), (0, first.stdout));
    let error = folder.refusal(2, &with(&base, &["--checkpoint", "c"]));
    assert!(error.contains("say --resume"), "{error}");
}

#[test]
fn what_cannot_be_trained_is_refused_with_what_to_say() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let refused = |code: i32, words: &[&str], part: &str| {
        let error = folder.refusal(code, &with(&["fit", &data, "-f", "foodexp ~ income"], words));
        assert!(error.contains(part), "{words:?}: {error}");
    };
    refused(2, &["--lr", "0.1"], "--lr is about training: say --model network");
    refused(2, &["--solver", "train", "--hidden", "4"], "say --model network");
    refused(2, &["--model", "network", "--vcov", "hc3"], "--vcov: standard errors are of exact fits");
    refused(2, &["--model", "network", "--scale", "~ income"], "say --scale network");
    refused(2, &["--scale", "network"], "say --model network or --solver train");
    refused(
        2,
        &["--model", "network", "--optimizer", "lbfgs", "--lr", "0.1"],
        "--lr does not go with --optimizer lbfgs",
    );
    refused(2, &["--model", "network", "--momentum", "0.9"], "--momentum goes with --optimizer sgd");
    refused(2, &["--model", "network", "--solver", "exact"], "a network has no exact fit");
    refused(2, &["--model", "network", "--noise", "auto"], "noisefit compare");
    refused(2, &["--model", "network", "--schedule", "linear"], "constant, cosine, step:EPOCHS");
    refused(1, &["--model", "network", "--noise", "huber:2", "--scale", "network"], "cannot be modelled");
    refused(1, &["--model", "network", "--noise", "huber", "--huber-scale", "mad"], "trained by maximum likelihood");
    refused(1, &["--model", "network", "--trace", "t.txt"], "name a file that ends in .csv");
    refused(1, &["--model", "network", "--checkpoint", "none/c"], "there is no folder none");
    assert_eq!(folder.names(), Vec::<String>::new());
    let error = folder.refusal(1, &["fit", &data, "-f", "foodexp ~ 1", "--model", "network"]);
    assert!(error.contains("a mean alone needs no training"), "{error}");
    folder.write("mine.csv", "y,x\n1,2\n2,3\n");
    for output in ["-o", "--trace", "--checkpoint"] {
        let error = folder.refusal(2, &["fit", "mine.csv", "-f", "y ~ x", "--solver", "train", output, "./mine.csv"]);
        assert!(error.contains("that is a file of the data"), "{error}");
    }
    let error = folder.refusal(2, &["fit", "mine.csv", "-f", "y ~ x", "-o", "mine.csv"]);
    assert!(error.contains("that is a file of the data"), "{error}");
    assert_eq!(folder.read("mine.csv").len(), 12);
    std::fs::remove_file(folder.path().join("mine.csv")).unwrap();
    refused(2, &["--model", "network", "--tune", "3", "--conformal", "cv+"], "--conformal split");
    refused(2, &["--model", "network", "--validation", "0.95"], "between 0 and 0.9");
    let stopped = folder.run(&[
        "fit",
        &data,
        "-f",
        "foodexp ~ income",
        "--solver",
        "train",
        "--optimizer",
        "lbfgs",
        "--epochs",
        "1",
    ]);
    assert!(stopped.code == 3 && stopped.stderr.contains("allow more epochs"), "{}", stopped.stderr);
    let error = folder.refusal(2, &["fit", &data, "-f", "foodexp ~ income - 1", "--solver", "train"]);
    assert!(error.contains("--solver exact"), "{error}");
    refused(
        1,
        &["--solver", "train", "--optimizer", "sgd", "--lr", "100", "--schedule", "constant"],
        "learning rate 100 is too large",
    );
}

#[test]
fn what_is_not_said_is_suited_to_the_data_and_calibrated() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    let base = ["fit", &data, "-f", "y ~ .", "--model", "network", "--epochs", "35", "--ensemble", "3"];
    let base = with(&base, &["--encoding", "piecewise"]);
    let said = folder.done(&with(&base, &["-o", "m.json"]));
    for part in [
        "ensemble of 3: network 10-64-64-2 with silu, 9 numbers read by 71 pieces, student-t noise, its scale modelled",
        "adamw at 0.003, cosine, batches of 32, weight decay 0.1, gradients cut to 10",
        "25 epochs with one scale, then 10 with each row's own at 0.001",
        "each unseen by 2 of the 3 networks",
        "training  left out",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // The same bits again, by any number of threads; and another seed has others.
    let saved = folder.read("m.json");
    folder.done(&with(&base, &["-o", "again.json", "--threads", "1"]));
    assert!(folder.read("again.json") == saved);
    folder.done(&with(&base, &["-o", "other.json", "--seed", "1"]));
    assert!(folder.read("other.json") != saved);
    // What is not said of the pieces is chosen by cross-validation.
    let chosen = folder.fit(&base[1..base.len() - 2]);
    let score = |k: usize| chosen["trials"][k]["log_score"].as_f64().unwrap();
    let better = if score(1) > score(0) { 0 } else { 8 };
    assert_eq!(chosen["plan"]["pieces"], better, "{}", chosen["trials"]);
    // Every part by itself is what the user says.
    let fit = |more: &[&str]| folder.fit(&with(&base[1..], more));
    let plain = ["--scale", "constant", "--calibrate", "none", "--noise", "gaussian"];
    let plan = folder.fit(&with(&with(&base[1..base.len() - 2], &["--encoding", "none"]), &plain));
    assert_eq!((plan["plan"]["pieces"].as_u64(), plan["loss"].as_str()), (Some(0), Some("MSE")));
    assert!(plan["plan"]["left_out"].is_null() && plan["validation"].is_null());
    let plan = fit(&["--validation", "0.2", "--hidden", "7", "--optimizer", "adam", "--scale-lr", "0.0005"]);
    let (own, training) = (&plan["plan"], &plan["plan"]["training"]);
    assert_eq!((own["validation"].as_f64(), &own["left_out"]), (Some(0.2), &Value::Null));
    let number = |value: &Value| value.as_f64().unwrap();
    assert_eq!([&training["rate"], &training["scale_rate"], &own["decay"]].map(number), [0.001, 0.0005, 0.0]);
    let plain = folder.fit(&[&data, "-f", "y ~ .", "--model", "network", "--plan", "plain", "--epochs", "2"]);
    assert_eq!((&plain["hidden"], plain["loss"].as_str()), (&serde_json::json!([64, 32]), Some("MSE")));
    let refused = |more: &[&str], part: &str| {
        let error = folder.refusal(2, &with(&base, more));
        assert!(error.contains(part), "{error}");
    };
    refused(&["--calibrate", "left-out", "--validation", "0.1"], "say --calibrate validation");
    refused(&["--scale", "constant", "--scale-lr", "0.1"], "--scale-lr is about a modelled scale");
    let error = folder.refusal(2, &["fit", &data, "-f", "y ~ .", "--solver", "train", "--encoding", "piecewise"]);
    assert!(error.contains("say --model network"), "{error}");
    let tune = ["--tune", "3", "--hidden", "8", "--lr", "0.01", "--decay", "0"];
    let error = folder.refusal(1, &with(&base, &tune));
    assert!(error.contains("there is nothing to search"), "{error}");
}
