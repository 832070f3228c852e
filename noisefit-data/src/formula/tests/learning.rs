//! What is learned from rows does not depend on how they are split, and survives being stored.

use super::*;
use proptest::prelude::*;

const CITIES: [&str; 5] = ["Rome", "Paris", "Oslo", "Zürich", ""];

fn sample() -> Table {
    let x: Vec<f64> = (0..30).map(|i| 0.37 * f64::from(i) - f64::from(i % 4)).collect();
    let city: Vec<&str> = (0..30).map(|i| CITIES[(3 * i + i / 7) % 5]).collect();
    Table::default()
        .number("y", &x.iter().map(|x| x.exp()).collect::<Vec<_>>())
        .number("x", &x)
        .text("city", &city)
        .number("unused", &x)
}

#[test]
fn a_stored_design_gives_the_same_bits() {
    let table = sample();
    for formula in
        ["log(y) ~ poly(x, 4)*C(city, sum) + scale(x) + I(0.1*x)", "y ~ . - unused + center(x):city", "y ~ C(x, ref=0)"]
    {
        let design = table.design(formula).unwrap();
        let text = serde_json::to_string(&design).unwrap();
        let read: Design = serde_json::from_str(&text).unwrap();
        assert_eq!(read.layout(), design.layout());
        for low_words in [false, true] {
            let options = EvaluateOptions { low_words, ..EvaluateOptions::default() };
            assert_eq!(table.evaluate(&read, options).unwrap(), table.evaluate(&design, options).unwrap());
        }
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
    let design = table.design("y ~ x + city").unwrap();
    assert_eq!(
        serde_json::to_string(&design).unwrap(),
        r#"{"formula":"y ~ x + city","fields":[["y","number"],["x","number"],["city","text"]],"learned":{"city":{"levels":["Oslo","Paris","Rome","Zürich"]}}}"#
    );
}

#[test]
fn damaged_designs_are_refused() {
    for (text, message) in [
        (r#"{"formula":"y ~ city","fields":[["y","number"],["city","text"]],"learned":{}}"#, "has not been learned"),
        (r#"{"formula":"y ~ x","fields":[["y","number"]],"learned":{}}"#, "no column 'x'"),
        (r#"{"formula":"y ~ ","fields":[],"learned":{}}"#, "nothing follows '~'"),
        (
            r#"{"formula":"y ~ city","fields":[["y","number"],["city","text"]],"learned":{"city":{"levels":["b","a"]}}}"#,
            "what was learned for city is damaged",
        ),
        (
            r#"{"formula":"y ~ poly(x, 3)","fields":[["y","number"],["x","number"]],
                "learned":{"poly(x, 3)":{"polynomial":{"centres":[[0.0,0.0]],"spreads":[[1.0,0.0]]}}}}"#,
            "has not been learned",
        ),
    ] {
        let error = serde_json::from_str::<Design>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn unseen_levels_are_refused_or_missing() {
    let design = sample().design("y ~ city + C(unused)").unwrap();
    let new = Table::default()
        .number("y", &[1.0, 1.0, 1.0])
        .text("city", &["Rome", "Bern", "Oslo"])
        .number("unused", &[0.0, 0.0, 0.5]);
    let options = EvaluateOptions { scope: Scope::Design, ..EvaluateOptions::default() };
    let message = new.evaluate(&design, options).unwrap_err().to_string();
    let expected =
        "record 2: 'Bern' is a level of city that the model was not fitted to; it knows Oslo, Paris, Rome, Zürich;";
    assert!(message.starts_with(expected), "{message}");
    let predicted = new.evaluate(&design, EvaluateOptions { unseen: Unseen::Missing, ..options }).unwrap();
    assert_eq!((predicted.kept, predicted.missing), (vec![0], 2));
}

#[test]
fn frames_of_another_shape_are_refused() {
    let design = sample().design("y ~ x + city").unwrap();
    let options = EvaluateOptions::default();
    let message = |columns: Vec<Column>| {
        let frame = Frame { file: 0, first_record: 0, rows: 1, columns };
        design.bind(&frame, options).unwrap_err().to_string()
    };
    let x = || Column::Number { high: vec![1.0], low: None };
    assert_eq!(message(vec![x()]), "column 'city': it is needed and was not read");
    assert_eq!(message(vec![x(), x(), x()]), "column 'city': text was expected, and it holds numbers");
    assert!(message(vec![Column::Number { high: vec![1.0, 2.0], low: None }]).contains("another number of rows"));
}

#[test]
fn levels_come_from_complete_rows_and_no_row_is_an_error() {
    let table = Table::default().number("y", &[1.0, f64::NAN, 2.0]).text("city", &["b", "a", "c"]);
    assert_eq!(table.design("y ~ city").unwrap().layout().terms, ["city[c]"]);
    let empty = Table::default().number("y", &[f64::NAN, f64::NAN]).text("city", &["b", "a"]);
    assert!(empty.failure("y ~ city").ends_with("there is no complete row to learn city from"));
}

#[test]
fn frequencies_count_as_repeated_rows() {
    let once =
        Table::default().number("y", &[1.0, 2.0, 3.0]).number("x", &[0.0, 1.0, 5.0]).number("n", &[2.0, 3.0, 1.0]);
    let repeated = Table::default().number("y", &[0.0; 6]).number("x", &[0.0, 0.0, 1.0, 1.0, 1.0, 5.0]);
    let formula = Formula::parse("y ~ scale(x) + poly(x, 2)").unwrap();
    let model = formula.resolve(&once.fields, None, Some(&Expression::column("n"))).unwrap();
    let weighted = learn(model, std::slice::from_ref(&once)).unwrap();
    let a = once.evaluate(&weighted, EvaluateOptions::default()).unwrap().columns;
    let plain = repeated.design("y ~ scale(x) + poly(x, 2)").unwrap();
    let b = repeated.evaluate(&plain, EvaluateOptions::default()).unwrap().columns;
    for (a, b) in a.iter().zip(&b) {
        for (i, j) in [(0, 0), (1, 2), (2, 5)] {
            assert!((a.0[i] - b.0[j]).abs() < 1e-15);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_the_rows_teaches_the_same(
        rows in prop::collection::vec((-1e3..1e3f64, 0usize..5), 8..60),
        cuts in prop::collection::vec(0usize..60, 0..5),
    ) {
        let part = |rows: &[(f64, usize)]| {
            let x: Vec<f64> = rows.iter().map(|(x, _)| 1e6 + x).collect();
            let city: Vec<&str> = rows.iter().map(|&(_, city)| CITIES[city]).collect();
            Table::default().number("y", &x).number("x", &x).text("city", &city)
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
        cuts.sort_unstable();
        let parts: Vec<Table> = cuts.windows(2).map(|cut| part(&rows[cut[0]..cut[1]])).collect();
        let whole = part(&rows);
        let model = || whole.model("y ~ city + scale(x) + poly(x, 3)").unwrap();
        match (learn(model(), &parts), learn(model(), std::slice::from_ref(&whole))) {
            (Ok(split), Ok(once)) => {
                prop_assert_eq!(split.layout(), once.layout());
                let numbers = |design: &Design| numbers(&serde_json::to_value(design).unwrap()["learned"]);
                for (a, b) in numbers(&split).into_iter().zip(numbers(&once)) {
                    prop_assert!((a - b).abs() <= 1e-15 * a.abs(), "{} and {}", a, b);
                }
            }
            // Too few levels or distinct values: the same complaint either way.
            (Err(split), Err(once)) => prop_assert_eq!(split.to_string(), once.to_string()),
            (split, once) => prop_assert!(false, "{:?} and {:?}", split.is_ok(), once.is_ok()),
        }
    }
}

/// The high words of all pairs of words.
fn numbers(value: &serde_json::Value) -> Vec<f64> {
    match value {
        serde_json::Value::Array(items) => match items.as_slice() {
            [serde_json::Value::Number(high), serde_json::Value::Number(_)] => high.as_f64().into_iter().collect(),
            items => items.iter().flat_map(numbers).collect(),
        },
        serde_json::Value::Object(entries) => entries.values().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}
