//! Every noise family from the command line: what is said, saved, predicted and scored belongs together.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, csv, number, testdata};
use serde_json::Value;

/// Data, response, regressors.
const MODELS: [(&str, &str, &[&str]); 3] = [
    ("stackloss.csv", "stack_loss", &["air_flow", "water_temp", "acid_conc"]),
    ("engel.csv", "foodexp", &["income"]),
    ("phones.csv", "calls", &["year"]),
];

/// A last `--scale` is that of the first regressor.
const FAMILIES: [&[&str]; 17] = [
    &["--noise", "gaussian"],
    &["--noise", "laplace"],
    &["--noise", "quantile:0.3"],
    &["--noise", "quantile:0.1,0.5,0.9"],
    &["--noise", "huber"],
    &["--noise", "huber", "--huber-k", "1.5", "--huber-scale", "mad:0.6745"],
    &["--noise", "huber", "--huber-scale", "proposal2"],
    &["--noise", "huber:2"],
    &["--noise", "huber:200"],
    &["--noise", "student-t"],
    &["--noise", "student-t:3"],
    &["--noise", "logistic"],
    &["--noise", "gaussian", "--scale"],
    &["--noise", "laplace", "--scale"],
    &["--noise", "student-t", "--scale"],
    &["--noise", "student-t:3", "--scale"],
    &["--noise", "logistic", "--scale"],
];

/// The fits of a record: itself, or those in its list.
fn fits(record: &Value) -> Vec<&Value> {
    record["fits"].as_array().map_or_else(|| vec![record], |fits| fits.iter().collect())
}

/// `b0 + x'b` or `exp(g0 + z'g)` of every row of a CSV file.
fn linear(rows: &[Vec<f64>], coefficients: &Value, columns: &[usize]) -> Vec<f64> {
    let b: Vec<f64> = coefficients.as_array().unwrap().iter().map(|c| number(&c["estimate"])).collect();
    assert_eq!(b.len(), columns.len() + 1);
    rows.iter().map(|row| b[0] + columns.iter().zip(&b[1..]).map(|(&j, b)| row[j] * b).sum::<f64>()).collect()
}

fn numbers(text: &str) -> (Vec<&str>, Vec<Vec<f64>>) {
    let (header, rows) = csv(text);
    (header, rows.iter().map(|row| row.iter().map(|value| value.parse().unwrap_or(f64::NAN)).collect()).collect())
}

#[test]
fn what_is_printed_saved_predicted_and_scored_belongs_together() {
    let folder = Folder::new();
    for ((name, response, regressors), family) in MODELS.iter().flat_map(|m| FAMILIES.iter().map(move |f| (m, f))) {
        let (data, what) = (testdata(name), format!("{name} {family:?}"));
        let content = std::fs::read_to_string(&data).unwrap();
        let (header, rows) = numbers(&content);
        let place = |column: &str| header.iter().position(|name| *name == column).unwrap();
        let columns: Vec<usize> = regressors.iter().map(|column| place(column)).collect();
        let y: Vec<f64> = rows.iter().map(|row| row[place(response)]).collect();
        let n = y.len() as f64;

        let formula = format!("{response} ~ {}", regressors.join(" + "));
        let mut options = [&[data.as_str(), "-f", &formula, "-o", "m.json"], *family].concat();
        let models_scale = family.last() == Some(&"--scale");
        options.extend(models_scale.then_some(regressors[0]));
        let record = folder.fit(&options);
        // The file read again for every pass gives the same bits.
        assert_eq!(folder.fit(&[&options[..], &["--memory", "0"]].concat()), record, "{what}");
        assert_eq!(record["scale_formula"].as_str(), models_scale.then_some(regressors[0]), "{what}");
        let saved: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
        let scored = folder.done(&["evaluate", "m.json", &data, "--level", "0.9", "--format", "json"]);
        let scored: Value = serde_json::from_str(&scored).unwrap();
        let printed = folder.done(&["predict", "m.json", &data]);
        let (names, predicted) = numbers(&printed);

        let found = fits(&record);
        assert_eq!(found.len(), saved["fits"].as_array().unwrap().len(), "{what}");
        for (k, (fit, scores)) in found.iter().zip(fits(&scored)).enumerate() {
            for field in ["coefficients", "scale", "scale_coefficients", "noise", "log_likelihood", "vertex"] {
                assert_eq!(fit[field], saved["fits"][k][field], "{what}, {field}");
            }
            assert_eq!(fit["termination"]["converged"], true, "{what}");
            let location = linear(&rows, &fit["coefficients"], &columns);
            let per_fit = names.len() / found.len();
            for (row, mu) in predicted.iter().zip(&location) {
                assert_close(row[k * per_fit], *mu, 1e-11, &what);
            }
            assert_eq!(fit["scale"].is_null(), models_scale, "{what}");
            if models_scale {
                assert_eq!(names, ["prediction", "scale"], "{what}");
                let log_scale = linear(&rows, &fit["scale_coefficients"], &columns[..1]);
                for (row, log_scale) in predicted.iter().zip(&log_scale) {
                    assert_close(row[1], log_scale.exp(), 1e-11, &what);
                }
            }
            assert_close(number(&scores["rmse"]), number(&fit["rmse"]), 1e-12, &what);
            assert_close(number(&scores["mae"]), number(&fit["mae"]), 1e-12, &what);
            assert_close(number(&scores["mean_nll"]), -number(&fit["log_likelihood"]) / n, 1e-12, &what);
            match fit["noise"]["tau"].as_f64() {
                Some(tau) => {
                    assert_eq!(scores["quantile"]["tau"], tau);
                    // The rows on the quantile close the gap between those below it and its level.
                    let rows = number(&scores["quantile"]["share_below"]) * n;
                    let on = number(&fit["vertex"]["zero_residuals"]);
                    assert!((n * tau - 1e-9..=n * tau + on + 1e-9).contains(&rows), "{what}: {rows}");
                    let loss = number(&scores["quantile"]["mean_pinball"]);
                    assert_close(loss * n, number(&fit["vertex"]["objective"]), 1e-12, &what);
                }
                None => {
                    let coverage = number(&scores["coverage"]);
                    // Four standard errors of the share of rows within 90% intervals: the noise is not of every family.
                    let most = 4.0 * (0.9 * 0.1 / n).sqrt() + 1.0 / n;
                    assert!((coverage - 0.9).abs() <= most, "{what}: {coverage}");
                }
            }
        }

        // Intervals of the location, and of a new observation where the quantiles are not that themselves.
        let printed = folder.done(&["predict", "m.json", &data, "--interval", "0.9", "confidence"]);
        let (header, rows) = numbers(&printed);
        let width = header.len() / found.len();
        for (row, predicted) in rows.iter().zip(&predicted) {
            for k in 0..found.len() {
                let [mu, low, high] = [row[k * width], row[k * width + 1], row[k * width + 2]];
                assert_eq!(mu, predicted[k * names.len() / found.len()], "{what}");
                assert!(low < mu && mu < high, "{what}: {low} {mu} {high}");
            }
        }
        if found[0]["noise"]["family"] != "quantile" {
            let printed = folder.done(&["predict", "m.json", &data, "--interval", "0.9"]);
            let (header, wide) = numbers(&printed);
            assert_eq!(header[..3], ["prediction", "pred_low", "pred_high"], "{what}");
            for (wide, narrow) in wide.iter().zip(&rows) {
                assert!(wide[1] < narrow[1] && narrow[2] < wide[2], "{what}");
            }
        }
    }
}

#[test]
fn several_quantiles_are_columns_and_rows() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let noise = ["--noise", "quantile:0.9,0.1"];
    let record = folder.fit(&[&[data.as_str(), "-f", "foodexp ~ income", "-o", "m.json"], &noise[..]].concat());
    // What they share stands once, the levels ascend.
    assert_eq!(record["formula"], "foodexp ~ income");
    let taus: Vec<&Value> = fits(&record).iter().map(|fit| &fit["noise"]["tau"]).collect();
    assert_eq!(taus, [0.1, 0.9]);
    assert!(record["fits"][0]["formula"].is_null() && record["coefficients"].is_null());
    let header = |arguments: &[&str]| {
        folder.done(&[&["predict", "m.json", &data], arguments].concat()).lines().next().unwrap().to_owned()
    };
    assert_eq!(header(&[]), "q0.1,q0.9");
    assert_eq!(
        header(&["--keep", "income", "--interval", "0.5", "confidence"]),
        "income,q0.1,q0.1_conf_low,q0.1_conf_high,q0.9,q0.9_conf_low,q0.9_conf_high"
    );
    assert_eq!(
        folder.refusal(2, &["predict", "m.json", &data, "--interval", "0.95"]),
        "--interval 0.95 prediction: quantiles are themselves the ends of intervals for a new observation, and the model has \
         0.1, 0.9; for this one fit --noise quantile:0.025,0.975, or ask for --interval 0.95 confidence of each quantile"
    );
    let table = folder.done(&["evaluate", "m.json", &data]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[0].join(" "), lines[3][0], lines[4][0]), ("235 observations scored".to_owned(), "0.1", "0.9"));
    let text = folder.done(&[&["fit", &data, "-f", "foodexp ~ income"], &noise[..]].concat());
    for said in [
        "quantiles 0.1, 0.9, asymmetric laplace noise",
        "\nquantile 0.1\nresiduals: min ",
        "crossings ",
        "  t  ",
        "standard errors  nid times n / (n - p) = 1.009, Student's t with 233 df\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // The factor and the reference are those of each quantile.
    let plain = [&[data.as_str(), "-f", "foodexp ~ income", "--small-sample", "none"], &noise[..]].concat();
    for (fit, none) in fits(&record).iter().zip(fits(&folder.fit(&plain))) {
        assert_eq!((&fit["reference"], &fit["small_sample"]), (&"student-t".into(), &"corrected".into()));
        assert_eq!((&none["reference"], &none["small_sample"]), (&"normal".into(), &"none".into()));
        assert_close(number(&fit["small_sample_factor"]), 235.0 / 233.0, 1e-15, "the factor");
        for (row, none) in fit["coefficients"].as_array().unwrap().iter().zip(none["coefficients"].as_array().unwrap())
        {
            assert_eq!((&row["df"], &none["df"], &row["estimate"]), (&233.0.into(), &Value::Null, &none["estimate"]));
            let ratio = number(&row["std_error"]) / number(&none["std_error"]);
            assert_close(ratio * ratio, 235.0 / 233.0, 1e-13, "the errors");
        }
    }
    let text = folder.done(&[&["fit"], &plain[..]].concat());
    assert!(text.contains("  z  ") && text.contains("standard errors  nid, normal\n"), "{text}");
}

#[test]
fn options_that_do_not_go_with_the_noise() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    for (options, message) in [
        (
            &["--noise", "laplace", "--huber-k", "2"][..],
            "--huber-k says where the tails begin in units of the estimated scale, and goes with --noise huber alone, not \
             with --noise laplace",
        ),
        (
            &["--noise", "huber:3", "--huber-scale", "mad"],
            "--huber-scale says how the scale is estimated, and goes with --noise huber alone, not with --noise huber:3",
        ),
        (
            &["--huber-scale", "mad", "--huber-k", "2"],
            "--huber-k says where the tails begin in units of the estimated scale, and goes with --noise huber alone, not \
             with --noise gaussian",
        ),
        (
            &["--noise", "quantile:0.1,0.9", "--scale", "~ income"],
            "--scale: the scale of quantile:0.1,0.9 noise cannot be modelled; it can for --noise gaussian, laplace, \
             student-t, logistic and cauchy",
        ),
        (
            &["--noise", "huber", "--scale", "~ income"],
            "--scale: the scale of huber noise cannot be modelled; it can for --noise gaussian, laplace, student-t, \
             logistic and cauchy",
        ),
        (
            &["--scale", "foodexp ~ income"],
            "\nfoodexp ~ income\n^^^^^^^\na formula of the scale has no response; write ~ income",
        ),
    ] {
        assert_eq!(folder.refusal(2, &[&["fit", &data, "-f", "foodexp ~ income"], options].concat()), message);
    }
    // What is wrong whatever the data is refused by the parser, which says what there is.
    for (options, said) in [
        (&["--noise", "quantile"][..], "a quantile needs its level, such as quantile:0.9"),
        (&["--noise", "quantile:1.2"], "levels lie between 0 and 1"),
        (&["--noise", "student-t:0.1"], "a number of 0.5 or more"),
        (&["--noise", "huber:-1"], "a positive number in units of the response"),
        (&["--noise", "huber", "--huber-k", "0"], "a positive number is needed, such as 1.345"),
        (&["--noise", "huber", "--huber-scale", "iqr"], "is mle, mad, mad:CONSTANT or proposal2"),
        (&["--noise", "huber", "--huber-scale", "mad:0"], "the constant is a positive number"),
    ] {
        let message = folder.refusal(2, &[&["fit", &data, "-f", "foodexp ~ income"], options].concat());
        assert!(message.contains(said), "{message}");
    }
    let missing = folder.refusal(1, &["fit", &data, "-f", "foodexp ~ income", "--scale", "~ incom"]);
    assert!(missing.starts_with("\n~ incom\n  ^^^^^\nno column 'incom'; did you mean 'income'?"), "{missing}");
}

#[test]
fn a_scale_of_categories_with_weights() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let model = ["-f", "mpg ~ wt", "--scale", "~ C(cyl)", "--weights", "sqrt(qsec)", "-o", "m.json"];
    let fit = folder.fit(&[&[data.as_str()], &model[..]].concat());
    let terms: Vec<&str> =
        fit["scale_coefficients"].as_array().unwrap().iter().map(|row| row["term"].as_str().unwrap()).collect();
    assert_eq!(terms, ["(Intercept)", "C(cyl)[6]", "C(cyl)[8]"]);
    assert_eq!((&fit["scale_type"], &fit["reference"]), (&"modelled".into(), &"student-t".into()));
    assert_eq!((&fit["small_sample"], &fit["small_sample_factor"]), (&"corrected".into(), &(32.0 / 30.0).into()));
    // The log scale has the factor alone, the location what estimated weights cost, and degrees of freedom of its own.
    let none = folder.fit(&[&[data.as_str(), "--small-sample", "none"], &model[..6]].concat());
    assert_eq!((&none["reference"], &none["small_sample_factor"]), (&"normal".into(), &1.0.into()));
    for (table, is_scale) in [("scale_coefficients", true), ("coefficients", false)] {
        for (row, plain) in fit[table].as_array().unwrap().iter().zip(none[table].as_array().unwrap()) {
            assert_eq!((&row["estimate"], &plain["df"]), (&plain["estimate"], &Value::Null));
            let (ratio, df) = (number(&row["std_error"]) / number(&plain["std_error"]), number(&row["df"]));
            match is_scale {
                true => {
                    assert_close(ratio * ratio, 32.0 / 30.0, 1e-13, "the factor");
                    assert_eq!(df, 30.0);
                }
                false => assert!(ratio * ratio > 32.0 / 30.0 && df > 20.0 && df < 30.0, "{row} {plain}"),
            }
        }
    }
    let scores = folder.done(&["evaluate", "m.json", &data, "--format", "json"]);
    let scores: Value = serde_json::from_str(&scores).unwrap();
    assert_close(number(&scores["mean_nll"]), -number(&fit["log_likelihood"]) / 32.0, 1e-12, "mean NLL");

    // A prediction is for a row of weight 1, and needs the columns of both formulas.
    folder.write("new.csv", "wt,cyl\n3,4\n3,6\n3,8\n3,\n");
    let run = folder.run(&["predict", "m.json", "new.csv"]);
    assert!(run.stderr.contains("scales are for rows of weight 1"), "{}", run.stderr);
    let (names, rows) = numbers(&run.stdout);
    assert_eq!(names, ["prediction", "scale"]);
    let scale: Vec<f64> = rows.iter().map(|row| row[1]).collect();
    for (k, found) in scale[1..3].iter().enumerate() {
        let estimate = number(&fit["scale_coefficients"][k + 1]["estimate"]);
        assert_close(found / scale[0], estimate.exp(), 1e-13, terms[k + 1]);
    }
    assert!(rows[3].iter().all(|value| value.is_nan()));
    folder.write("less.csv", "wt\n3\n");
    assert_eq!(
        folder.refusal(1, &["predict", "m.json", "less.csv"]),
        "less.csv has no column `cyl`, which the model needs; its columns are wt"
    );
    let text = folder.done(&[&["fit", &data], &model[..6]].concat());
    assert!(text.contains("\nlog scale ~ C(cyl)\nweights sqrt(qsec)\n"), "{text}");
    let factor = number(&fit["scale_coefficients"][1]["estimate"]).exp();
    assert!(text.contains(&format!("for each unit of a term: {factor:.5} for C(cyl)[6]\n")), "{text}");
}

#[test]
fn two_groups_with_a_scale_each_are_welchs_test() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let fit = folder.fit(&[&data, "-f", "mpg ~ am", "--scale", "~ am"]);
    let row = &fit["coefficients"][1];
    // R's t.test(mpg ~ am, mtcars): t = -3.7671, df = 18.332, p-value = 0.001374, 3.209684 to 11.280194.
    for (name, expected, tolerance) in [
        ("statistic", 3.7671, 2e-5),
        ("df", 18.332, 3e-5),
        ("p_value", 0.001374, 4e-4),
        ("conf_low", 3.209_684, 2e-7),
        ("conf_high", 11.280_194, 1e-7),
    ] {
        assert_close(number(&row[name]), expected, tolerance, name);
    }
    // The mean of the 19 automatic ones is on 18 degrees of freedom.
    assert_close(number(&fit["coefficients"][0]["df"]), 18.0, 1e-9, "df of a mean");
    // The mean of all rows alone has degrees of freedom of its own, too.
    let text = folder.done(&["fit", &data, "-f", "mpg ~ 1", "--scale", "~ wt"]);
    let own = number(&folder.fit(&[&data, "-f", "mpg ~ 1", "--scale", "~ wt"])["coefficients"][0]["df"]);
    assert!(own < 30.0 && text.contains(&format!("  {own:.2}  ")), "{own}: {text}");
    let said = "standard errors  classical, corrected for few rows (log scale times n / (n - p) = 1.032), Student's t with the \
                df of each coefficient\n";
    assert!(text.contains(said), "{text}");
    let text = folder.done(&["fit", &data, "-f", "mpg ~ am", "--scale", "~ am"]);
    assert!(text.contains("term         estimate  std_error      t     df   p_value  95% low    high\n"), "{text}");
    assert!(text.contains("am           7.244939     1.9232  3.767  18.33   0.00137   3.2097  11.280\n"), "{text}");
}

#[test]
fn degrees_of_freedom_are_said_with_how_they_came_about() {
    let (folder, engel, stackloss) = (Folder::new(), testdata("engel.csv"), testdata("stackloss.csv"));
    let heading = |data: &str, formula: &str, noise: &str, level: &str| {
        let text = folder.done(&["fit", data, "-f", formula, "--noise", noise, "--level", level]);
        text.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        heading(&stackloss, "stack_loss ~ .", "student-t:4", "0.95"),
        "student-t noise with 4 df, maximum likelihood, 21 observations"
    );
    let fit = folder.fit(&[&engel, "-f", "foodexp ~ income", "--noise", "student-t", "--level", "0.5"]);
    assert_eq!((&fit["noise"]["df_estimated"], &fit["noise"]["df"]), (&true.into(), &fit["shape"]["estimate"]));
    let [df, low, high] = ["estimate", "conf_low", "conf_high"].map(|name| number(&fit["shape"][name]));
    assert!(low < df && df < high);
    // With so many rows a coefficient the search begins where it does with any number.
    assert_eq!(number(&fit["shape"]["bound"]), 0.5);
    assert_eq!(
        heading(&engel, "foodexp ~ income", "student-t", "0.5"),
        format!(
            "student-t noise with {df:.2} df (estimated, 50% interval {low:.2} to {high:.2}), maximum likelihood, 235 \
             observations"
        )
    );

    // Less than what is searched, the more the fewer rows a coefficient has, (6 p / (n - p))^2: by the interval alone.
    for (formula, level, said) in [
        ("stack_loss ~ air_flow", "0.99", "with 1.46 df (estimated, 99% interval below 0.500 to 27.8)"),
        ("stack_loss ~ air_flow + acid_conc", "0.9", "with 1.45 df (estimated, 90% interval below 1.00 to 5.31)"),
    ] {
        let found = heading(&stackloss, formula, "student-t", level);
        assert!(found.contains(said), "{found}");
    }
    // And by the estimate.
    let fit = folder.fit(&[&stackloss, "-f", "stack_loss ~ .", "--noise", "student-t", "--level", "0.5"]);
    assert_close(number(&fit["shape"]["bound"]), (24.0_f64 / 17.0).powi(2), 1e-15, "the least that is searched");
    assert_eq!((&fit["noise"]["df"], &fit["shape"]["conf_low"]), (&fit["shape"]["bound"], &Value::Null));
    assert!(number(&fit["shape"]["conf_high"]) > number(&fit["noise"]["df"]));
    let warning = fit["warnings"][0].as_str().unwrap();
    let said =
        "the degrees of freedom are at 1.993, the least that are estimated from 5.2 observations a coefficient: ";
    assert!(warning.starts_with(said) && warning.ends_with("give them (student-t:DF)"), "{warning}");
    let found = heading(&stackloss, "stack_loss ~ .", "student-t", "0.5");
    assert!(found.contains("with 1.99 df (estimated, 50% interval below 1.99 to "), "{found}");
}

#[test]
fn cauchy_noise_is_student_t_of_one_degree_of_freedom_in_every_command() {
    let folder = Folder::new();
    let (engel, phones) = (testdata("engel.csv"), testdata("phones.csv"));
    fn both<'a>(arguments: &[&'a str]) -> [Vec<&'a str>; 2] {
        ["cauchy", "student-t:1"].map(|noise| [arguments, &["--noise", noise]].concat())
    }
    let alike = |texts: [String; 2]| {
        let [one, other] =
            texts.map(|text| text.replace("cauchy noise", "student-t noise with 1 df").replace("cauchy", "student-t"));
        assert_eq!(one, other);
    };
    let fit = ["fit", &engel, "-f", "foodexp ~ income", "-o", "m.json"];
    for more in [&[][..], &["--scale", "~ income"], &["--vcov", "sandwich"], &["--conformal", "split"]] {
        let texts = both(&[&fit[..], more].concat()).map(|arguments| {
            let printed = folder.done(&arguments);
            let onnx = folder.done(&["export", "m.json", "--onnx", "m.onnx"]);
            let scores = folder.done(&["evaluate", "m.json", &engel, "--level", "0.9"]);
            printed + &scores + &onnx.lines().take(1).collect::<String>()
        });
        alike(texts);
    }
    for more in [&["--solver", "train"][..], &["--model", "network", "--hidden", "4", "--scale", "network"]] {
        let epochs = ["--epochs", "5", "--validation", "0.2"];
        let texts = both(&[&fit[..], more, &epochs].concat()).map(|arguments| folder.done(&arguments));
        assert!(texts[0].contains("cauchy noise"), "{}", texts[0]);
    }
    let profile = ["profile", &phones, "-f", "calls ~ year", "--term", "year"];
    let curve = folder.run(&both(&profile)[0]);
    assert!((curve.stdout + &curve.stderr).contains("cauchy"));
    let compared = folder.done(&["compare", &phones, "-f", "calls ~ year", "--noise", "gaussian,cauchy,student-t:1"]);
    assert!(compared.contains("\ncauchy"), "{compared}");
}

#[test]
fn every_family_is_in_the_help_and_in_the_readme() {
    // Without the breaks between its lines.
    let help = Folder::new().done(&["fit", "--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    for family in noisefit_core::noise::FAMILIES {
        assert!(help.contains(family.description.about) && help.contains(family.description.usage[0]), "{help}");
        assert!(readme.contains(&format!("`{}", family.name)), "{}", family.name);
    }
}
