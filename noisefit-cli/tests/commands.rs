//! `predict`, `evaluate`, completions, manual and help.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, csv, number, testdata};
use serde_json::Value;

/// Slope 0.8, intercept 0.5, residual sum of squares 1.8.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("d.csv", "x,y\n1,1\n2,3\n3,2\n4,4\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "model.json"]);
    folder
}

fn evaluated(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&folder.done(&[&["evaluate", "--format", "json"], arguments].concat())).unwrap()
}

#[test]
fn a_saved_model_predicts_what_was_fitted() {
    let folder = Folder::new();
    for (data, formula) in [
        ("mtcars.csv", "mpg ~ poly(hp, 2) + C(cyl) + center(wt) + scale(qsec)"),
        ("mtcars.csv", "log(mpg) ~ C(gear, ref=4)*am + log(disp)"),
        ("engel.csv", "foodexp ~ poly(income, 3, raw)"),
    ] {
        let data = testdata(data);
        let fit = folder.fit(&[&data, "-f", formula, "-o", "m.json"]);
        let (n, scores) = (number(&fit["nobs"]), evaluated(&folder, &["m.json", &data]));
        assert_close(number(&scores["rmse"]), number(&fit["rmse"]), 1e-12, formula);
        assert_close(number(&scores["mae"]), number(&fit["mae"]), 1e-12, formula);
        assert_close(number(&scores["r_squared"]), number(&fit["r_squared"]), 1e-12, formula);
        assert_close(number(&scores["mean_nll"]), -number(&fit["log_likelihood"]) / n, 1e-12, formula);
        let response = if formula.starts_with("log") { "mpg" } else { formula.split(' ').next().unwrap() };
        let printed = folder.done(&["predict", "m.json", &data, "--keep", response]);
        let (_, rows) = csv(&printed);
        let errors = rows.iter().map(|row| {
            let (y, prediction): (f64, f64) = (row[0].parse().unwrap(), row[1].parse().unwrap());
            (if formula.starts_with("log") { y.ln() } else { y }) - prediction
        });
        assert_close((errors.map(|e| e * e).sum::<f64>() / n).sqrt(), number(&fit["rmse"]), 1e-11, formula);
    }
}

#[test]
fn columns_carried_along() {
    // Slope 1/2 and intercept 1, so that the predictions are doubles.
    let folder = Folder::new();
    folder.write("d.csv", "x,y,name\n1,1,a\n2,3,\"b, c\"\n3,2,\n4,3,d\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "model.json"]);
    assert_eq!(folder.done(&["predict", "model.json", "d.csv"]), "prediction\n1.5\n2\n2.5\n3\n");
    let all = "x,y,name,prediction\n1,1,a,1.5\n2,3,\"b, c\",2\n3,2,,2.5\n4,3,d,3\n";
    assert_eq!(folder.done(&["predict", "model.json", "d.csv", "--keep-all"]), all);
    assert_eq!(
        folder.done(&["predict", "model.json", "d.csv", "--keep", "name,x"]),
        "name,x,prediction\na,1,1.5\n\"b, c\",2,2\n,3,2.5\nd,4,3\n"
    );
    for name in ["p.csv", "p.parquet", "p.tsv"] {
        assert_eq!(folder.done(&["predict", "model.json", "d.csv", "--keep-all", "-o", name]), "");
        let fit = folder.fit(&[name, "-f", "prediction ~ x"]);
        for (found, expected) in column(&fit, "estimate").iter().zip([1.0, 0.5]) {
            assert_close(found.unwrap(), expected, 1e-15, name);
        }
        let carried = folder.fit(&[name, "-f", "y ~ name"]);
        assert_eq!((carried["nobs"].as_u64(), carried["dropped"].as_u64()), (Some(3), Some(1)));
    }
    assert_eq!(folder.read("p.csv"), all);
}

#[test]
fn scores_by_hand() {
    let folder = folder();
    folder.write("new.csv", "x,y\n1,2\n3,2\nNA,1\n");
    // Errors 0.7 and -0.9; noise variance 1.8 / 4; half the observations within intervals at level 0.5, whose half widths
    // are 0.816 sqrt(0.9 * 1.7) = 1.01 and 0.816 sqrt(0.9 * 1.3) = 0.88.
    let scores = evaluated(&folder, &["model.json", "new.csv", "--level", "0.5"]);
    assert_close(number(&scores["mse"]), 0.65, 1e-15, "MSE");
    assert_close(number(&scores["mae"]), 0.8, 1e-15, "MAE");
    let nll = 0.5 * (std::f64::consts::TAU * 0.45).ln() + 0.65 / 0.9;
    assert_close(number(&scores["mean_nll"]), nll, 1e-15, "NLL");
    assert_eq!((scores["coverage"].as_f64(), &scores["r_squared"]), (Some(0.5), &Value::Null));
    assert_eq!((scores["nobs"].as_u64(), scores["dropped"].as_u64()), (Some(2), Some(1)));
    let text = folder.done(&["evaluate", "model.json", "new.csv", "--level", "0.5"]);
    assert!(text.contains("coverage of 50% prediction intervals  0.5000"), "{text}");
    assert_eq!(
        folder.refusal(1, &["evaluate", "model.json", "new.csv", "--missing", "fail"]),
        "new.csv, record 3, column `x`: the value is missing; without --missing fail such records are left out and counted"
    );
}

#[test]
fn completions_and_manual() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(folder.done(&["completions", shell]).contains("noisefit"), "{shell}");
    }
    // What families and covariances there are.
    let bash = folder.done(&["completions", "bash"]);
    assert!(bash.contains("gaussian laplace") && bash.contains("hc3"), "{bash}");
    assert!(folder.done(&["manual"]).starts_with(".ie"));
    folder.done(&["manual", "--folder", "man/man1"]);
    assert!(folder.read("man/man1/noisefit-fit.1").contains("formula"));
    assert!(folder.read("man/man1/noisefit.1").contains("noisefit"));
}

#[test]
fn help_shows_examples() {
    let folder = folder();
    for command in ["fit", "predict", "evaluate", "completions", "manual"] {
        let help = folder.done(&[command, "--help"]);
        assert!(help.contains("Example"), "{command}");
        assert!(help.contains(&format!("noisefit {command} ")), "{command}");
    }
    assert!(folder.done(&["--help"]).contains("Name the noise, get the fit"));
}

#[test]
fn what_is_weighted_about_what_is_said() {
    let folder = Folder::new();
    let row = |i: u32| format!("{},{},{}\n", 3.0 + (f64::from(i) * 2.3).sin(), f64::from(i), 1 + i % 3);
    folder.write("d.csv", "y,x,w\n".to_owned() + &(0..30).map(row).collect::<String>());
    let fit = |arguments: &[&str]| folder.done(&[&["fit", "d.csv", "-o", "m.json"], arguments].concat());
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let plain = fit(&["-f", "y ~ x"]);
    assert!(!plain.contains("weighted") && !plain.contains("about zero"), "{plain}");
    assert!(!folder.done(&["evaluate", "m.json", "d.csv"]).contains("weights"));
    let without = fit(&["-f", "y ~ 0 + x"]);
    assert!(line(&without, "R2").ends_with(", about zero"), "{without}");
    assert!(folder.done(&["evaluate", "m.json", "d.csv"]).contains("R2, about the mean of these rows"));
    let weighted = fit(&["-f", "y ~ x", "--weights", "w"]);
    assert!(
        line(&weighted, "R2").ends_with(", weighted") && line(&weighted, "RMSE").ends_with(", unweighted"),
        "{weighted}"
    );
    let scores = folder.done(&["evaluate", "m.json", "d.csv"]);
    assert!(scores.contains("Each row counts as much as any other: the model's weights"), "{scores}");
    let profile = fit(&["-f", "y ~ x", "--scale", "~ x", "--confint", "profile"]);
    assert!(line(&profile, "intervals").ends_with("those of the log scale by standard errors"), "{profile}");
}
