//! Absorbed effects (`y ~ x | firm + year`) against pyfixest and statsmodels, and what is said of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, number, reference, testdata};

#[test]
fn figures_of_pyfixest_and_statsmodels() {
    let (folder, data, mut compared) = (Folder::new(), testdata("workers.csv"), 0);
    for case in reference("reference/absorbed.json")["cases"].as_array().unwrap() {
        let formula = case["formula"].as_str().unwrap();
        let vcov = match case["vcov"].as_str().unwrap() {
            "iid" => "classical".to_owned(),
            "hetero" => "hc1".to_owned(),
            cluster => format!("cluster:{cluster}"),
        };
        let mut options = vec![&data[..], "-f", formula, "--vcov", &vcov];
        options.extend(case["weights"].as_str().iter().flat_map(|weights| ["--weights", weights]));
        let fit = folder.fit(&options);
        let what = format!("{options:?}");
        for (name, key, tolerance) in
            [("estimate", "estimates", 1e-9), ("std_error", "std_errors", 1e-9), ("p_value", "p_values", 1e-7)]
        {
            for (found, expected) in column(&fit, name).iter().zip(case[key].as_array().unwrap()) {
                assert_close(found.unwrap(), number(expected), tolerance, &format!("{what}: {name}"));
                compared += 1;
            }
        }
        assert_close(number(&fit["r_squared"]), number(&case["r_squared"]), 1e-9, &what);
        let within = number(&fit["absorbed"]["within_r_squared"]);
        assert_close(within, number(&case["within_r_squared"]), 1e-8, &what);
        if let Some(dense) = case.get("statsmodels") {
            assert_eq!(fit["df_residual"], dense["df_residual"], "{what}");
            assert_close(number(&fit["residual_std_error"]), number(&dense["residual_std_error"]), 1e-10, &what);
            for (name, key) in [("estimate", "estimates"), ("std_error", "std_errors")] {
                for (found, expected) in column(&fit, name).iter().zip(dense[key].as_array().unwrap()) {
                    assert_close(found.unwrap(), number(expected), 1e-10, &format!("{what}: {name} by indicators"));
                }
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn predictions_need_levels_that_were_seen_and_constants_that_were_kept() {
    let (folder, data) = (Folder::new(), testdata("workers.csv"));
    let formula = "wage ~ union + hours | worker + firm";
    folder.done(&["fit", &data, "-f", formula, "-o", "model.json"]);
    let predicted = folder.done(&["predict", "model.json", &data]);
    let found: Vec<f64> = predicted.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    let cases = reference("reference/absorbed.json");
    let case = cases["cases"].as_array().unwrap().iter().find(|case| case["formula"] == formula).unwrap();
    for (found, expected) in found.iter().zip(case["fitted"].as_array().unwrap()) {
        assert_close(*found, number(expected), 1e-9, "fitted");
    }
    // Scores are those of the fit itself.
    let fit = folder.fit(&[&data, "-f", formula]);
    let scores = folder.done(&["evaluate", "model.json", &data, "--format", "json"]);
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    assert_close(number(&scores["rmse"]), number(&fit["rmse"]), 1e-10, "rmse");
    assert!(scores["coverage"].is_null());

    folder.write("new.csv", "worker,firm,union,hours\nw001,f03,1,40\nnobody,f03,1,40\n");
    let refused = folder.refusal(1, &["predict", "model.json", "new.csv", "-o", "predicted.csv"]);
    assert!(!folder.names().contains(&"predicted.csv".to_owned()));
    assert!(refused.contains("'nobody' is a level of worker that the model was not fitted to"), "{refused}");
    let missing = folder.done(&["predict", "model.json", "new.csv", "--unseen", "missing"]);
    let lines: Vec<&str> = missing.lines().collect();
    assert!(lines[1].parse::<f64>().is_ok() && lines[2] == "\"\"", "{missing}");
    let interval = folder.refusal(2, &["predict", "model.json", "new.csv", "--interval", "0.9"]);
    assert!(interval.contains("absorbed effects (| worker)"), "{interval}");

    folder.done(&["fit", &data, "-f", formula, "--drop-effects", "-o", "dropped.json"]);
    assert!(!folder.read("dropped.json").contains("constants"));
    for command in ["predict", "evaluate"] {
        let refused = folder.refusal(2, &[command, "dropped.json", &data]);
        assert!(refused.contains("fit it again without --drop-effects"), "{refused}");
    }
}

#[test]
fn levels_are_never_shown() {
    let (folder, data) = (Folder::new(), testdata("workers.csv"));
    let options = [&data[..], "-f", "wage ~ union + hours | worker + year"];
    let text = folder.done(&[&["fit"], &options[..]].concat());
    assert!(text.contains("absorbed effects ") && text.contains("worker (90 levels), year (7 levels)"), "{text}");
    assert!(text.contains("; together of rank 96") && text.contains("R2 within"), "{text}");
    assert!(!text.contains("w001") && !text.contains("(Intercept)"), "{text}");
    let fit = folder.fit(&options);
    assert_eq!(
        fit["absorbed"]["effects"][1],
        serde_json::json!({"name": "year", "levels": 7, "singletons": 0, "nested": false})
    );
    // The model has them.
    folder.done(&[&["fit"], &options[..], &["-o", "model.json"]].concat());
    let model: serde_json::Value = serde_json::from_str(&folder.read("model.json")).unwrap();
    assert_eq!(model["fits"][0]["absorbed"]["effects"][0]["constants"].as_array().unwrap().len(), 90);
}

#[test]
fn what_does_not_go_with_absorbed_effects_says_so() {
    let (folder, data) = (Folder::new(), testdata("workers.csv"));
    let absorbing = ["fit", &data, "-f", "wage ~ hours | firm"];
    for (more, said) in [
        (
            &["--noise", "laplace"][..],
            "--noise laplace: absorbed effects (| firm) go with gaussian, logistic, student-t, cauchy and huber noise (huber with the scale of maximum likelihood); put firm",
        ),
        (&["--noise", "auto"], "--noise auto: families are compared without absorbed effects"),
        (&["--scale", "~ hours"], "--scale: no scale is modelled beside absorbed effects"),
        (&["--solver", "train"], "what is trained by gradient steps has no absorbed effects"),
        (&["--conformal", "split"], "--conformal: intervals are not calibrated beside absorbed effects"),
        (&["--confint", "profile"], "--confint profile: no profile is followed beside absorbed effects"),
    ] {
        let refused = folder.refusal(2, &[&absorbing[..], more].concat());
        assert!(refused.contains(said), "{refused}");
    }
    for command in [&["compare"][..], &["diagnose"], &["profile", "--term", "hours"]] {
        let refused = folder.refusal(2, &[command, &[&data, "-f", "wage ~ hours | firm"]].concat());
        assert!(
            refused.contains(&format!("`noisefit {}` is not defined beside absorbed effects (| firm)", command[0])),
            "{refused}"
        );
    }
    folder.done(&[&absorbing[..], &["-o", "model.json"]].concat());
    let refused = folder.refusal(2, &["export", "model.json", "--onnx", "model.onnx"]);
    assert!(refused.contains("`noisefit export` is not defined"), "{refused}");
    let refused = folder.refusal(2, &["fit", &data, "-f", "wage ~ hours", "--drop-effects"]);
    assert!(refused.contains("--drop-effects is about absorbed effects, and the formula has none"), "{refused}");
    for (formula, said) in [
        ("wage ~ hours | firm^year", "an effect of combinations (a^b)"),
        ("wage ~ hours | firm[year]", "slopes that differ by level (firm[x])"),
        ("wage ~ hours | firm | union ~ year", "a third part, of instruments"),
        ("wage ~ hours | C(firm)", "an absorbed effect is a column's name"),
        ("wage ~ hours | firm + firm", "firm is absorbed already"),
        ("wage ~ hours | frm", "no column 'frm'; did you mean 'firm'?"),
        ("wage ~ hours | wage", "the response wage cannot be absorbed"),
        ("wage ~ hours |", "the formula breaks off here: behind '|' stand columns"),
        ("wage ~ | firm", "no term stands before the '|'"),
        ("wage ~ 1 | firm", "no term is left beside the absorbed effects"),
        ("wage ~ hours | firm * year", "absorbed effects are columns joined by +"),
        ("wage ~ hours | .", "'.' cannot be absorbed"),
    ] {
        let run = folder.run(&["fit", &data, "-f", formula]);
        assert!(run.code != 0 && run.stderr.contains(said), "{formula}: {}", run.stderr);
    }
}

/// Numbers are levels as they are, and more of them than a term may have.
#[test]
fn twenty_thousand_levels_of_numbers_and_of_texts() {
    let folder = Folder::new();
    let mut text = String::from("y,x,id,name\n");
    for i in 0..60_000u32 {
        let (id, x) = (i / 3, f64::from(i * 7919 % 1000) / 1000.0);
        text += &format!(
            "{},{x},{},n{}\n",
            2.0 * x + f64::from(id % 17) + f64::from(i * 31 % 7) * 0.1,
            f64::from(id) - 500.5,
            id
        );
    }
    folder.write("many.csv", text);
    let [numbers, texts] = ["id", "name"].map(|effect| folder.fit(&["many.csv", "-f", &format!("y ~ x | {effect}")]));
    assert_eq!(numbers["coefficients"], texts["coefficients"]);
    assert_eq!(numbers["absorbed"]["effects"][0]["levels"], 20_000);
    let crossed = folder.refusal(1, &["fit", "many.csv", "-f", "y ~ x + name"]);
    assert!(
        crossed.contains("more than 10000 levels") && crossed.contains("absorb its levels, as in y ~ x | name"),
        "{crossed}"
    );
}

/// Regions of firms: what the firms explain has no coefficient, whichever way they are held constant. 900 rows by 50 regions are more than
/// what least squares solves in double-double at once.
#[test]
fn categories_within_others_have_no_coefficients() {
    let folder = Folder::new();
    let row = |i: usize| {
        let firm = (i * 7919 + i / 150) % 150;
        let x = ((i * 31) % 97) as f64 / 9.0;
        format!("{},{x},g{firm},h{}\n", x + firm as f64 / 7.0 + ((i * 53) % 29) as f64 / 10.0, firm / 3)
    };
    folder.write("d.csv", format!("y,x,g,h\n{}", (0..900).map(row).collect::<String>()));
    let left_out = |formula: &str| -> Vec<String> {
        let fit = folder.fit(&["d.csv", "-f", formula]);
        let rows = fit["coefficients"].as_array().unwrap().iter().filter(|row| row["estimate"].is_null());
        rows.map(|row| row["term"].as_str().unwrap().to_owned()).collect()
    };
    for formula in ["y ~ x + h | g", "y ~ x + g + h"] {
        let terms = left_out(formula);
        assert!(terms.len() == 49 && terms.iter().all(|term| term.starts_with("h[")), "{formula}: {terms:?}");
    }
    // The first of three firms of a region says no more than the region does, but for the one of the reference.
    let terms = left_out("y ~ x + h + g");
    assert!(terms.len() == 49 && terms.iter().all(|term| term.starts_with("g[")), "{terms:?}");
}
