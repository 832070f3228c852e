//! Formulas of the noise scale: the same language, beside the formula of the location.

use super::*;

fn table() -> Table {
    Table::default()
        .number("y", &[1.0, 2.0, 4.0, 3.0, 7.0, 6.0])
        .text("a", &["u", "v", "u", "v", "u", "v"])
        .number("x", &[1.0, 2.0, 3.0, 5.0, 8.0, 13.0])
        .number("z", &[2.0, 2.5, 2.0, f64::NAN, 3.0, 3.5])
        .number("w", &[1.0, 2.0, 1.0, 1.0, 0.0, 1.0])
}

fn design(table: &Table, formula: &str, scale: &str) -> Result<Design, Box<dyn std::error::Error>> {
    let formula = Formula::parse(formula)?.with_scale(scale)?;
    learn(formula.resolve(&table.fields, None, None)?, std::slice::from_ref(table))
}

#[test]
fn the_scale_has_the_columns_that_it_has_as_a_location() {
    let table = table();
    for (location, scale) in [
        ("y ~ x", "~ x"),
        ("y ~ x*a", "~ a:x + x"),
        ("y ~ a", "~ 0 + a"),
        ("y ~ poly(x, 3)", "~ C(a, sum)*poly(x, 2) + scale(x)"),
        ("y ~ poly(x, 2, raw)", "poly(x, 2, raw) + log(x)"),
        ("log(y) ~ x", "~ 1"),
        ("y ~ 0 + C(x, ref=3)", "~ C(x)"),
    ] {
        let both = design(&table, location, scale).unwrap_or_else(|error| panic!("{error}"));
        let alone = |formula: &str| table.design(formula).unwrap_or_else(|error| panic!("{error}"));
        let (mean, other) = (alone(location), alone(&format!("y ~ {}", scale.trim_start_matches('~'))));
        let layout = both.layout();
        assert_eq!(layout.coefficient_names(), mean.layout().coefficient_names(), "{location}");
        let names = layout.scale.as_ref().map(|scale| scale.coefficient_names());
        assert_eq!(names, Some(other.layout().coefficient_names()), "{scale}");
        for low_words in [false, true] {
            let options = EvaluateOptions { low_words, ..EvaluateOptions::default() };
            let found = table.evaluate(&both, options).unwrap();
            assert_eq!(found.columns, table.evaluate(&mean, options).unwrap().columns, "{location}");
            assert_eq!(found.scale_columns, table.evaluate(&other, options).unwrap().columns, "{scale}");
        }
        // As it is stored.
        let text = serde_json::to_string(&both).unwrap();
        let read: Design = serde_json::from_str(&text).unwrap();
        assert_eq!(read.layout(), layout);
        let options = EvaluateOptions::default();
        assert_eq!(table.evaluate(&read, options).unwrap(), table.evaluate(&both, options).unwrap());
    }
}

#[test]
fn what_location_and_scale_share_is_computed_once() {
    let count = |design: &Design| (design.plan.steps.len(), design.plan.categories.len());
    let table = table();
    for formula in ["x*a + poly(x, 3)", "poly(x, 3, raw):a + C(a, sum)", "scale(x) + C(x, ref=3)"] {
        let both = design(&table, &format!("y ~ {formula}"), &format!("~ {formula}")).unwrap();
        let alone = table.design(&format!("y ~ {formula}")).unwrap();
        assert_eq!(count(&both), count(&alone), "{formula}");
        assert_eq!(both.plan.scale_outputs, both.plan.outputs);
    }
}

#[test]
fn a_row_is_complete_where_the_scale_s_columns_are_too() {
    let table = table();
    let design = design(&table, "y ~ x", "~ z").unwrap();
    let evaluated = table.evaluate(&design, EvaluateOptions::default()).unwrap();
    assert_eq!((evaluated.kept, evaluated.missing), (vec![0, 1, 2, 4, 5], 1));
    assert_eq!(evaluated.scale_columns[0].0, [2.0, 2.5, 2.0, 3.0, 3.5]);
    // A prediction needs them.
    let names: Vec<&str> = design.columns_needed(Scope::Design).iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["x", "z"]);
}

#[test]
fn dot_is_all_columns_but_the_response_and_the_weights() {
    let table = table();
    let formula = Formula::parse("y ~ x").unwrap().with_scale("~ . - z").unwrap();
    let model = formula.resolve(&table.fields, Some(&Expression::column("w")), None).unwrap();
    let design = learn(model, std::slice::from_ref(&table)).unwrap();
    assert_eq!(design.layout().scale.as_ref().map(|scale| scale.terms.join(" ")), Some("a[v] x".to_owned()));
    // Stored with all fields that the dot stands for.
    let read: Design = serde_json::from_str(&serde_json::to_string(&design).unwrap()).unwrap();
    assert_eq!(read.layout(), design.layout());
}

#[test]
fn errors_point_into_the_scale_s_formula() {
    let table = table().text("same", &["s"; 6]);
    for (scale, message) in [
        ("y ~ x", "y ~ x\n^\na formula of the scale has no response; write ~ x"),
        ("log(y) ~ x + a", "log(y) ~ x + a\n^^^^^^\na formula of the scale has no response; write ~ x + a"),
        ("", "\n^\nthe formula of the scale is empty; write for example ~ x"),
        ("~ ", "~\n ^\nnothing follows '~'"),
        ("~ x ~ a", "~ x ~ a\n    ^\na second '~'; a formula has one"),
        ("~ x + incom", "~ x + incom\n      ^^^^^\nno column 'incom'"),
        ("~ x + y", "~ x + y\n      ^\nthe response y cannot be a term as well"),
        ("0", "0\n^\nneither an intercept nor a term is left"),
        ("~ a + same", "~ a + same\n      ^^^^\nsame has the one level 's' in the complete rows"),
        ("~ C(a, ref='q')", "~ C(a, ref='q')\n           ^^^\n'q' is no level of a; its levels are u, v"),
    ] {
        let error = design(&table, "y ~ x", scale).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
