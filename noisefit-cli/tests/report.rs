//! Reports, charts, derivations and tables from the command line; pages in a real browser where there is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Folder, assert_close, csv, finished, number, testdata};
use serde_json::Value;

/// The data that a page holds.
fn held(page: &str) -> Value {
    let (_, after) = page.split_once("id=\"noisefit-data\">").expect("a page holds its data");
    serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap()
}

/// The charts of a kind that a page holds.
fn charts<'a>(held: &'a Value, kind: &str) -> Vec<&'a Value> {
    held["charts"].as_array().unwrap().iter().filter(|chart| chart["kind"] == kind).collect()
}

/// A column of the series of a chart that has it.
fn column(chart: &Value, name: &str) -> Vec<f64> {
    let all = chart["series"].as_array().unwrap().iter().flat_map(|series| series["columns"].as_array().unwrap());
    let found = all.rev().find(|column| column["name"] == name).unwrap_or_else(|| panic!("{name} of {chart}"));
    found["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Every number that is drawn is the number in the JSON, or follows from those of the other commands.
#[test]
fn what_is_drawn_is_what_was_found() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let model = [data.as_str(), "-f", "foodexp ~ income"];
    let fit = folder.fit(&model);
    folder.done(&[&["fit"], &model[..], &["-o", "m.json", "--report", "fit.html"]].concat());
    let page = folder.read("fit.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    let held = held(&page);
    assert_eq!(held["record"]["coefficients"], fit["coefficients"]);
    let forest = charts(&held, "coefficients")[0];
    for name in ["estimate", "conf_low", "conf_high"] {
        assert_eq!(column(forest, name), [number(&fit["coefficients"][1][name])], "{name}");
    }
    // Residuals, leverages and Cook's distances are those that `diagnose --rows` writes.
    folder.done(&[&["diagnose"], &model[..], &["--rows", "rows.csv", "--report", "d.html"]].concat());
    let table = folder.read("rows.csv");
    let (header, rows) = csv(&table);
    let of = |name: &str| -> Vec<f64> {
        let place = header.iter().position(|known| *known == name).unwrap();
        rows.iter().map(|row| row[place].parse().unwrap()).collect()
    };
    let close = |one: &[f64], other: &[f64], what: &str| {
        assert_eq!(one.len(), other.len(), "{what}");
        one.iter().zip(other).for_each(|(a, b)| assert_close(*a, *b, 1e-9, what));
    };
    let residuals = charts(&held, "residuals")[0];
    close(&column(residuals, "fitted"), &of("fitted"), "fitted");
    close(&column(residuals, "residual"), &of("residual"), "residual");
    assert_eq!(column(residuals, "row"), (1..=235).map(f64::from).collect::<Vec<_>>());
    let leverage = charts(&held, "leverage")[0];
    close(&column(leverage, "leverage"), &of("leverage"), "leverage");
    close(&column(leverage, "cooks_distance"), &of("cooks_distance"), "Cook");
    close(&column(leverage, "studentised"), &of("standardised"), "studentised");
    // The line and its band are predictions.
    let line = charts(&held, "data")[0];
    let (x, location) = (column(line, "x"), column(line, "location"));
    let grid: String = x.iter().map(|x| format!("{x}\n")).collect();
    folder.write("grid.csv", format!("income\n{grid}"));
    let printed = folder.done(&["predict", "m.json", "grid.csv", "--interval", "0.9"]);
    let (names, predicted) = csv(&printed);
    assert_eq!(names, ["prediction", "pred_low", "pred_high"]);
    for (j, found) in [location, column(line, "pred_low"), column(line, "pred_high")].iter().enumerate() {
        let expected: Vec<f64> = predicted.iter().map(|row| row[j].parse().unwrap()).collect();
        close(found, &expected, names[j]);
    }
    // Bars count every row.
    for kind in ["pit", "histogram"] {
        assert_eq!(column(charts(&held, kind)[0], "count").iter().sum::<f64>(), 235.0, "{kind}");
    }
    let quantiles = charts(&held, "quantiles")[0];
    let mut sorted: Vec<f64> = of("residual").iter().map(|e| e / number(&fit["scale"])).collect();
    sorted.sort_by(f64::total_cmp);
    close(&column(quantiles, "standardised"), &sorted, "quantiles");
    // The verdict is made of what the commands say.
    let advice: Value =
        serde_json::from_str(&folder.done(&[&["diagnose"], &model[..], &["--format", "json"]].concat())).unwrap();
    let first = advice["advice"][0].as_str().unwrap();
    assert!(page.contains(&first.replace('\'', "&#39;")[1..]), "{first}");
    // The page that a saved model makes has the same numbers.
    let report = folder.done(&["report", "m.json", &data]);
    assert_eq!(self::held(&report)["charts"], held["charts"]);
}

#[test]
fn a_comparison_and_a_profile() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let model = [data.as_str(), "-f", "foodexp ~ income"];
    let record: Value = serde_json::from_str(
        &folder.done(&[&["compare"], &model[..], &["--format", "json", "--report", "c.html"]].concat()),
    )
    .unwrap();
    let page = folder.read("c.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    let compared = held(&page);
    let models = record["models"].as_array().unwrap();
    let mut aic: Vec<f64> = models.iter().map(|model| number(&model["aic"])).collect();
    aic.sort_by(f64::total_cmp);
    let excess: Vec<f64> = aic.iter().map(|value| value - aic[0]).collect();
    assert_eq!(column(charts(&compared, "aic")[0], "aic_difference"), excess);
    let mut scores: Vec<f64> =
        models.iter().map(|model| number(&model["out_of_sample"]["log_score_difference"])).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(column(charts(&compared, "log-score")[0], "log_score_difference"), scores);
    // A line for every model, and a chart for each.
    assert_eq!(charts(&compared, "lines").len(), models.len() + 1);
    assert_eq!(charts(&compared, "lines")[0]["series"].as_array().unwrap().len(), models.len() + 1);

    let words = ["--term", "income", "--format", "json", "--report", "p.html"];
    let record: Value = serde_json::from_str(&folder.done(&[&["profile"], &model[..], &words].concat())).unwrap();
    let profiled = held(&folder.read("p.html"));
    assert_eq!(profiled["record"], record);
    let chart = charts(&profiled, "likelihood")[0];
    let points =
        |name: &str| record["points"].as_array().unwrap().iter().map(|p| number(&p[name])).collect::<Vec<f64>>();
    assert_eq!((column(chart, "nll"), column(chart, "loss")), (points("nll"), points("loss")));
    assert_eq!(column(chart, "nll_minimiser"), [number(&record["nll_minimiser"])]);
    assert_eq!(column(chart, "end"), [number(&record["conf_low"]), number(&record["conf_high"])]);
    // Under one scale both are one shape.
    let shape = charts(&profiled, "shape")[0];
    for (a, b) in column(shape, "nll_normalised").iter().zip(column(shape, "loss_normalised")) {
        assert!((a - b).abs() < 1e-9, "{a} and {b}");
    }
}

#[test]
fn a_training_shows_its_course_and_where_it_goes() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let words =
        ["fit", &data, "-f", "mpg ~ wt", "--solver", "train", "--epochs", "300", "--lr", "0.05", "--report", "t.html"];
    folder.done(&words);
    let held = held(&folder.read("t.html"));
    let exact = folder.fit(&[&data, "-f", "mpg ~ wt"]);
    let traces = charts(&held, "traces");
    assert_eq!(traces.len(), 2);
    for (j, chart) in traces.iter().enumerate() {
        assert_eq!(column(chart, "exact"), [number(&exact["coefficients"][j]["estimate"])]);
        let course = column(chart, "coefficient");
        let target = column(chart, "exact")[0];
        let end = course.last().unwrap();
        assert!((end - target).abs() < (course[0] - target).abs(), "{} to {end}, not {target}", course[0]);
    }
    assert_eq!(charts(&held, "loss").len(), 1);
}

/// A picture by itself, its data, and what is refused.
#[test]
fn a_chart_is_drawn_by_itself() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    folder.done(&["fit", &data, "-f", "mpg ~ wt + hp + C(cyl)", "--noise", "student-t", "-o", "m.json"]);
    for kind in [
        "coefficients",
        "observed",
        "residuals",
        "scale-location",
        "quantiles",
        "histogram",
        "leverage",
        "pit",
        "calibration",
    ] {
        folder.done(&["plot", kind, "m.json", &data, "-o", "f.svg"]);
        let svg = folder.read("f.svg");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && svg.matches("<svg").count() == 1, "{kind}");
        assert!(svg.contains("role=\"img\"") && !svg.contains("NaN") && !svg.contains("inf"), "{kind}");
        let table = folder.done(&["plot", kind, "m.json", &data, "--data"]);
        assert!(table.starts_with("series,") && table.lines().count() > 2, "{kind}: {table}");
    }
    let partial = folder.done(&["plot", "partial", "m.json", &data]);
    assert_eq!(partial.matches("<svg").count(), 3, "a sheet of two charts");
    folder.done(&["plot", "losses", "-o", "losses.svg"]);
    assert_eq!(folder.read("losses.svg").matches("<svg").count(), 4);
    // Twice the same.
    let once = folder.done(&["plot", "residuals", "m.json", &data]);
    assert_eq!(once, folder.done(&["plot", "residuals", "m.json", &data]));
    let refused = folder.refusal(1, &["plot", "data", "m.json", &data]);
    assert!(refused.contains("has no chart 'data'; there are coefficients, observed, partial"), "{refused}");
    let refused = folder.refusal(2, &["plot", "residuals", "m.json", &data, "-o", "f.gif"]);
    assert!(refused.contains("f.gif: a picture ends in .svg, .png or .pdf, its data in .csv or .json"), "{refused}");
    let refused = folder.refusal(2, &["plot", "residuals", "m.json", &data, "--data", "-o", "f.png"]);
    assert!(refused.contains("with --data"), "{refused}");
    assert!(folder.refusal(2, &["plot", "residuals"]).contains("needs a model"));
    assert!(folder.refusal(2, &["plot", "likelihood", "m.json", &data]).contains("--term"));
    // Where there is no terminal a picture is not put into a result.
    let run = folder.run(&["fit", &data, "-f", "mpg ~ wt", "--plot"]);
    assert!(
        run.code == 0 && run.stderr.contains("needs a terminal") && !run.stdout.contains('\u{1b}'),
        "{}",
        run.stderr
    );
}

/// For papers: as large as asked for, with letters, the same in every run, with one chart and with a sheet of several.
#[test]
fn pictures_for_papers() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    folder.done(&["fit", &data, "-f", "foodexp ~ income", "-o", "m.json"]);
    let drawn = |words: &[&str], name: &str| {
        folder.done(&[&["plot"], words, &["-o", name]].concat());
        std::fs::read(folder.path().join(name)).unwrap()
    };
    let residuals = ["residuals", "m.json", data.as_str()];
    let size = |png: &[u8]| [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()));
    let png = drawn(&residuals, "r.png");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(size(&png), [1280, 840], "192 to the inch, where the figure has 96");
    assert_eq!(png, drawn(&residuals, "again.png"));
    let words = [&residuals[..], &["--dpi", "300", "--width", "480", "--height", "320"]].concat();
    let print = drawn(&words, "print.png");
    assert_eq!(size(&print), [1500, 1000]);
    // 300 to the inch are 11811 to the metre.
    let place = print.windows(4).position(|window| window == b"pHYs").unwrap();
    assert_eq!(u32::from_be_bytes(print[place + 4..place + 8].try_into().unwrap()), 11_811);
    let pdf = drawn(&residuals, "r.pdf");
    assert!(pdf.starts_with(b"%PDF-") && pdf == drawn(&residuals, "again.pdf"));
    let text = String::from_utf8_lossy(&pdf);
    // 640 x 420 units are 480 x 315 points, and letters are letters.
    assert!(text.contains("480 315]") && text.contains("/FontFile"), "{}", &text[..600]);
    assert!(drawn(&["losses"], "losses.pdf").len() > pdf.len());
    assert_eq!(size(&drawn(&["losses", "--dpi", "96"], "losses.png")), [640, 3 * 420]);
}

#[test]
fn a_derivation_has_the_numbers_of_the_fit() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    for noise in ["gaussian", "laplace", "quantile:0.3", "huber", "student-t", "logistic", "cauchy"] {
        let model = [data.as_str(), "-f", "foodexp ~ income", "--noise", noise];
        let fit = folder.fit(&[&model[..], &["-o", "m.json"]].concat());
        let text = folder.done(&["explain", noise, "m.json"]);
        let fit = if fit["coefficients"].is_null() { &fit["fits"][0] } else { &fit };
        let seven = |x: f64| format!("{x:.*}", (6 - x.abs().log10().floor() as i32).max(0) as usize);
        let l = number(&fit["log_likelihood"]);
        for (what, value) in [("NLL", seven(-l)), ("l", seven(l)), ("scale", seven(number(&fit["scale"])))] {
            assert!(text.contains(&value), "{noise}, {what} {value}: {text}");
        }
        assert!(!text.contains('\\'), "{text}");
        // The parts of the log-likelihood sum to it: `... = a - b - c = l`.
        let line = text.lines().find(|line| line.trim_start().starts_with("ℓ\u{302} =")).unwrap();
        let sides: Vec<&str> = line.split(" = ").collect();
        let parts = sides[sides.len() - 2].split_whitespace().collect::<Vec<_>>();
        let mut sum: f64 = parts[0].parse().unwrap();
        for pair in parts[1..].chunks(2) {
            let value: f64 = pair[1].parse().unwrap();
            sum += if pair[0] == "-" { -value } else { value };
        }
        assert!((sum / l - 1.0).abs() < 1e-6, "{noise}: {line}");
    }
    assert!(folder.refusal(2, &["explain", "laplace", "m.json"]).contains("has cauchy noise"));
    assert!(folder.done(&["explain", "gaussian", "--format", "latex"]).starts_with("\\begin{enumerate}"));
}

/// Nothing is drawn of nothing.
#[test]
fn data_without_rows_are_no_picture() {
    let folder = Folder::new();
    folder.done(&["fit", &testdata("engel.csv"), "-f", "foodexp ~ income", "-o", "m.json"]);
    folder.write("none.csv", "foodexp,income\n");
    folder.write("missing.csv", "foodexp,income\n1,NA\n");
    for (data, said) in [("none.csv", "a header but no row"), ("missing.csv", "of 1 row, 1 with a missing value")] {
        for command in [&["plot", "residuals", "m.json", data][..], &["report", "m.json", data, "-o", "r.html"]] {
            let error = folder.refusal(1, command);
            assert!(error.contains(said), "{error}");
        }
    }
    assert_eq!(folder.names(), ["m.json", "missing.csv", "none.csv"]);
}

#[test]
fn models_stand_side_by_side() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    folder.done(&["fit", &data, "-f", "mpg ~ wt", "-o", "one.json"]);
    folder.done(&["fit", &data, "-f", "mpg ~ wt + hp", "--noise", "laplace", "-o", "two.json"]);
    let text = folder.done(&["table", "one.json", "two.json", "--format", "markdown"]);
    assert!(text.starts_with("|  | one | two |\n"), "{text}");
    let fit = folder.fit(&[&data, "-f", "mpg ~ wt"]);
    assert!(
        text.contains("| wt | -5.344 |") && (number(&fit["coefficients"][1]["estimate"]) + 5.3445).abs() < 1e-4,
        "{text}"
    );
    assert!(text.contains("| hp |  | -0.0"), "{text}");
    for format in ["text", "latex", "typst", "html"] {
        let named = folder.done(&["table", "one.json", "two.json", "--names", "A,B", "--stars", "--format", format]);
        // Typst would read bare stars as strong text.
        let stars = if format == "typst" { "\\*\\*\\*" } else { "***" };
        assert!(named.contains(stars), "{format}: {named}");
    }
    assert!(folder.refusal(2, &["table", "one.json", "two.json", "--names", "A"]).contains("1 for 2 models"));
}

/// A CSV whose names and levels are what someone writes who wants to break out.
fn hostile(folder: &Folder) -> &'static str {
    let names = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(2)>", "طول &amp; ' ]]> --> $x$ \u{202e}abc"];
    let long = "n".repeat(10_000);
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text =
        format!("{},{},{},{},{long}\n", quoted("y</script>"), quoted(names[0]), quoted(names[1]), quoted(names[2]));
    for i in 0..60 {
        let x = f64::from(i);
        let level = ["</svg><script>alert(3)</script>", "日本語, \"x\"", "\u{5d0}\u{5d1}"][i as usize % 3];
        let (y, z) = (1.0 + 0.3 * x + (x * 7.3).sin(), (x * 1.7).cos());
        text += &format!("{y},{x},{z},{},{}\n", quoted(level), (x * 0.9).sin());
    }
    folder.write("hostile.csv", text);
    "`y</script>` ~ ."
}

#[test]
fn names_and_levels_cannot_break_out() {
    let folder = Folder::new();
    let formula = hostile(&folder);
    folder.done(&["fit", "hostile.csv", "-f", formula, "-o", "m.json", "--report", "page.html"]);
    folder.done(&["compare", "hostile.csv", "-f", formula, "--folds", "0", "--report", "compare.html"]);
    for page in ["page.html", "compare.html"] {
        let text = folder.read(page);
        // One element of data and one of script, and no other.
        assert_eq!(text.matches("<script").count(), 2, "{page}");
        assert_eq!(text.matches("</script>").count(), 2, "{page}");
        assert!(!text.contains("<img") && !text.contains('\u{202e}'), "{page}");
        assert!(text.len() < 2_000_000, "{page}: {}", text.len());
        held(&text);
    }
    for kind in ["coefficients", "partial", "residuals"] {
        let svg = folder.done(&["plot", kind, "m.json", "hostile.csv"]);
        assert!(!svg.contains("<script") && !svg.contains("<img"), "{kind}");
        assert_eq!(svg.matches("</svg>").count(), svg.matches("<svg").count(), "{kind}");
    }
    for format in ["markdown", "html", "latex", "typst"] {
        let text = folder.done(&["table", "m.json", "--format", format]);
        // After a backslash a sign is no more than itself in Typst.
        let text = if format == "typst" { text.replace("\\<", "") } else { text };
        assert!(!text.contains("<script") && !text.contains("<img"), "{format}: {text}");
    }
}

#[test]
fn many_rows_are_drawn_as_few_and_counted_as_many() {
    let folder = Folder::new();
    let mut text = String::from("x,y\n");
    for i in 0..20_000 {
        let x = f64::from(i % 997) / 100.0;
        text += &format!("{x},{}\n", 2.0 + x + (f64::from(i) * 12.9898).sin());
    }
    folder.write("many.csv", &text);
    folder.done(&["fit", "many.csv", "-f", "y ~ x", "--report", "many.html"]);
    let page = folder.read("many.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    let held = held(&page);
    let residuals = charts(&held, "residuals")[0];
    assert_eq!(column(residuals, "residual").len(), 500);
    assert_eq!(residuals["note"], "500 rows of 20000, drawn at random by their numbers; the same in every run.");
    let rows = column(residuals, "row");
    // Which rows are drawn depends on their numbers alone: of the same rows in two files the same.
    let (head, tail) = text.split_at(text.match_indices('\n').nth(7000).unwrap().0 + 1);
    std::fs::create_dir(folder.path().join("parts")).unwrap();
    folder.write("parts/a.csv", head);
    folder.write("parts/b.csv", format!("x,y\n{tail}"));
    folder.done(&["fit", "parts", "-f", "y ~ x", "--report", "parts.html"]);
    let parts = self::held(&folder.read("parts.html"));
    assert_eq!(column(charts(&parts, "residuals")[0], "row"), rows);
    assert!(rows.windows(2).all(|pair| pair[0] < pair[1]) && rows[0] >= 1.0 && rows[499] <= 20_000.0);
    assert_eq!(column(charts(&held, "pit")[0], "count").iter().sum::<f64>(), 20_000.0);
    let quantiles = charts(&held, "quantiles")[0];
    assert!(quantiles["note"].as_str().unwrap().contains("all 20000"));
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let all: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    names.iter().flat_map(|name| all.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Pages in headless Chromium: no error, every chart shown, in light and dark, at 320 and 1600 pixels, nothing cut off or on something
/// else, marks that say their numbers, print; and with axe-core no serious fault. Skipped where there is no Chromium or Node.
#[test]
fn pages_in_a_browser() {
    let browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let (Some(chromium), Some(node)) = (on_path(&browsers), on_path(&["node"])) else {
        eprintln!("skipped: pages are looked at with Chromium and Node, which are not here");
        return;
    };
    let folder = Folder::new();
    let (engel, diabetes, mtcars) = (testdata("engel.csv"), testdata("diabetes.csv"), testdata("mtcars.csv"));
    folder.done(&["compare", &engel, "-f", "foodexp ~ income", "--report", "compare.html"]);
    folder.done(&["profile", &engel, "-f", "foodexp ~ income", "--term", "income", "--report", "profile.html"]);
    folder.done(&["diagnose", &diabetes, "-f", "y ~ .", "--noise", "student-t", "--report", "diagnose.html"]);
    folder.done(&[
        "fit",
        &engel,
        "-f",
        "foodexp ~ income",
        "--noise",
        "quantile:0.1,0.5,0.9",
        "--report",
        "quantiles.html",
    ]);
    let train = ["fit", &mtcars, "-f", "mpg ~ wt", "--solver", "train", "--epochs", "200", "--report", "train.html"];
    folder.done(&train);
    let formula = hostile(&folder);
    folder.done(&["fit", "hostile.csv", "-f", formula, "--report", "hostile.html"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.mjs");
    let mut command = Command::new(node);
    command.arg(script).arg(chromium).current_dir(folder.path());
    match std::env::var_os("NOISEFIT_AXE") {
        Some(axe) => drop(command.arg("--axe").arg(axe)),
        None => eprintln!("skipped: axe-core, which ./test installs where npm is"),
    }
    if let Some(shots) = std::env::var_os("NOISEFIT_SHOTS") {
        command.arg("--shots").arg(shots);
    }
    command.args(["compare.html", "profile.html", "diagnose.html", "quantiles.html", "train.html", "hostile.html"]);
    let run = finished(command);
    assert!(run.code == 0, "{}{}", run.stdout, run.stderr);
}
