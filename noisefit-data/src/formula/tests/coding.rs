//! Terms, names and coding against what R's `terms` and `model.matrix` give, written out by hand.

use super::*;

/// A two by three layout with a number, one row a cell.
fn table() -> Table {
    Table::default()
        .number("y", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .text("a", &["u", "v", "u", "v", "u", "v"])
        .text("b", &["p", "p", "q", "q", "r", "r"])
        .number("x", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .number("z", &[2.0, 2.0, 2.0, 3.0, 3.0, 3.0])
}

#[track_caller]
fn assert_names(formula: &str, names: &[&str]) {
    let table = table();
    let design = table.design(formula).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(design.layout().terms, names, "{formula}");
}

#[test]
fn terms_expand_as_in_r() {
    for (formula, intercept, names) in [
        ("y ~ x + z", true, vec!["x", "z"]),
        ("y ~ x*z", true, vec!["x", "z", "x:z"]),
        ("y ~ x:z + x", true, vec!["x", "x:z"]),
        ("y ~ z + x:z + x", true, vec!["z", "x", "z:x"]),
        ("y ~ (x + z)^2", true, vec!["x", "z", "x:z"]),
        ("y ~ (x + z + log(x))^2 - x:z", true, vec!["x", "z", "log(x)", "x:log(x)", "z:log(x)"]),
        ("y ~ x/z", true, vec!["x", "x:z"]),
        ("y ~ z %in% x + x", true, vec!["x", "z:x"]),
        ("y ~ x + x + x:x", true, vec!["x"]),
        ("y ~ x*z - x", true, vec!["z", "x:z"]),
        ("y ~ . - a - b", true, vec!["x", "z"]),
        ("log(y) ~ . - a - b - z", true, vec!["x"]),
        ("y ~ 1", true, vec![]),
        ("y ~ x - 1", false, vec!["x"]),
        ("y ~ 0 + x", false, vec!["x"]),
        ("y ~ x + 0", false, vec!["x"]),
        ("y ~ -1 + x", false, vec!["x"]),
        ("y ~ x - 1 + 1", true, vec!["x"]),
        ("y ~ x - 0", true, vec!["x"]),
        ("y ~ I(x^2) + log( z+1 )", true, vec!["I(x^2)", "log(z + 1)"]),
        ("y ~ poly(x, 3, raw)", true, vec!["poly(x, 3, raw)[1]", "poly(x, 3, raw)[2]", "poly(x, 3, raw)[3]"]),
        ("~ x + z", true, vec!["x", "z"]),
    ] {
        let table = table();
        let design = table.design(formula).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(design.layout().terms, names, "{formula}");
        assert_eq!(design.layout().intercept, intercept, "{formula}");
    }
}

#[test]
fn absorbed_effects_stand_for_the_intercept() {
    for (formula, names, effects) in [
        ("y ~ x + b | a", vec!["x", "b[q]", "b[r]"], vec![("a", 2)]),
        ("y ~ 0 + b | a", vec!["b[q]", "b[r]"], vec![("a", 2)]),
        ("y ~ . - b | a + z", vec!["x"], vec![("a", 2), ("z", 2)]),
        ("y ~ a + x | b", vec!["a[v]", "x"], vec![("b", 3)]),
    ] {
        let design = table().design(formula).unwrap_or_else(|error| panic!("{error}"));
        let layout = design.layout();
        assert_eq!(layout.terms, names, "{formula}");
        assert!(!layout.intercept, "{formula}");
        let found: Vec<(&str, usize)> =
            layout.effects.iter().map(|effect| (effect.name.as_str(), effect.levels)).collect();
        assert_eq!(found, effects, "{formula}");
        // Stored and read back it is the same.
        let read: Design = serde_json::from_str(&serde_json::to_string(&design).unwrap()).unwrap();
        assert_eq!(read.layout(), layout, "{formula}");
    }
}

#[test]
fn names_of_coded_terms_as_in_r() {
    // R's names with brackets around the level.
    assert_names("y ~ a*b", &["a[v]", "b[q]", "b[r]", "a[v]:b[q]", "a[v]:b[r]"]);
    assert_names("y ~ 0 + a + b", &["a[u]", "a[v]", "b[q]", "b[r]"]);
    assert_names("y ~ 0 + b*x", &["b[p]", "b[q]", "b[r]", "x", "b[q]:x", "b[r]:x"]);
    assert_names("y ~ x:a", &["x:a[u]", "x:a[v]"]);
    assert_names("y ~ x + x:a", &["x", "x:a[v]"]);
    assert_names("y ~ a + a:x", &["a[v]", "a[u]:x", "a[v]:x"]);
    assert_names("y ~ a:b", &["a[u]:b[p]", "a[v]:b[p]", "a[u]:b[q]", "a[v]:b[q]", "a[u]:b[r]", "a[v]:b[r]"]);
    assert_names("y ~ a + a:b", &["a[v]", "a[u]:b[q]", "a[v]:b[q]", "a[u]:b[r]", "a[v]:b[r]"]);
    assert_names("y ~ a/b", &["a[v]", "a[u]:b[q]", "a[v]:b[q]", "a[u]:b[r]", "a[v]:b[r]"]);
    assert_names("y ~ C(a, sum)", &["C(a, sum)[u]"]);
    assert_names("y ~ C(b, ref='q')", &["C(b, ref='q')[p]", "C(b, ref='q')[r]"]);
    assert_names("y ~ C(z)", &["C(z)[3]"]);
    assert_names("y ~ C(z, ref=3)", &["C(z, ref=3)[2]"]);
    assert_names("y ~ 0 + C(b, sum)", &["C(b, sum)[p]", "C(b, sum)[q]", "C(b, sum)[r]"]);
}

#[test]
fn column_names_are_those_of_r_4() {
    // colnames(model.matrix(...)) of R 4, which has no brackets around the level.
    for (formula, names) in [
        ("y ~ 0 + x + x:a", "x x:au x:av"),
        ("y ~ z %in% x + x", "x z:x"),
        ("y ~ a:b + a:x", "au:bp av:bp au:bq av:bq au:br av:br au:x av:x"),
        ("y ~ x*a*b - a:b", "x av bq br x:av x:bq x:br x:av:bq x:av:br"),
        ("y ~ 0 + a:b", "au:bp av:bp au:bq av:bq au:br av:br"),
        ("y ~ 0 + x:a + b", "bp bq br x:au x:av"),
        ("y ~ (a + b)/x", "av bq br au:bp:x av:bp:x au:bq:x av:bq:x au:br:x av:br:x"),
        ("y ~ b*a*x - a", "bq br x bp:av bq:av br:av bq:x br:x av:x bq:av:x br:av:x"),
        ("y ~ b + x %in% a", "bq br x:au x:av"),
    ] {
        let table = table();
        let design = table.design(formula).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(design.layout().terms.join(" ").replace(['[', ']'], ""), names, "{formula}");
    }
}

#[test]
fn values_of_a_two_factor_interaction() {
    let columns = table().columns("y ~ a*b");
    let expected: [(&str, [f64; 6]); 5] = [
        ("a[v]", [0., 1., 0., 1., 0., 1.]),
        ("b[q]", [0., 0., 1., 1., 0., 0.]),
        ("b[r]", [0., 0., 0., 0., 1., 1.]),
        ("a[v]:b[q]", [0., 0., 0., 1., 0., 0.]),
        ("a[v]:b[r]", [0., 0., 0., 0., 0., 1.]),
    ];
    assert_eq!(columns, expected.map(|(name, values)| (name.to_owned(), values.to_vec())));
}

#[test]
fn values_of_sum_coding_and_slopes_within_levels() {
    let columns = table().columns("y ~ C(b, sum) + C(b, sum):x");
    let values: Vec<&[f64]> = columns.iter().map(|(_, values)| values.as_slice()).collect();
    // contr.sum: the last level is -1 in every column; without x alone, the slopes are coded in full.
    let expected: [[f64; 6]; 5] = [
        [1., 1., 0., 0., -1., -1.],
        [0., 0., 1., 1., -1., -1.],
        [1., 2., 0., 0., 0., 0.],
        [0., 0., 3., 4., 0., 0.],
        [0., 0., 0., 0., 5., 6.],
    ];
    assert_eq!(values, expected.iter().map(|column| column.as_slice()).collect::<Vec<_>>());
    assert_eq!(columns[4].0, "C(b, sum)[r]:x");
    // Both coded to sum zero: the interaction is the product of the contrasts.
    let columns = table().columns("y ~ C(a, sum)*C(b, sum)");
    assert_eq!(columns[3], ("C(a, sum)[u]:C(b, sum)[p]".to_owned(), vec![1., -1., 0., 0., -1., 1.]));
}

#[test]
fn booleans_numbers_and_odd_names_are_categories_and_columns() {
    let table = Table::default()
        .number("my y", &[1.0, 2.0, 3.0, 4.0])
        .category("flag", Kind::Boolean, &["true", "false", "true", "false"])
        .number("size", &[10.0, 9.0, 9.0, -1.5])
        .add("day", Kind::Date, Column::Number { high: vec![0.0, 1.0, 2.0, 3.0], low: None });
    let columns = table.columns("`my y` ~ flag + C(size) + day + I(day^2)");
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["flag[true]", "C(size)[9]", "C(size)[10]", "day", "I(day^2)"]);
    assert_eq!(columns[0].1, [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(columns[2].1, [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(columns[4].1, [0.0, 1.0, 4.0, 9.0]);
    assert_eq!(table.columns("day ~ C(flag, ref=TRUE)")[0].1, [0.0, 1.0, 0.0, 1.0]);
    let design = table.design("day ~ `my y`").unwrap();
    assert_eq!(design.layout().coefficient_names(), ["(Intercept)", "`my y`"]);
}

#[test]
fn dot_leaves_out_response_and_bare_weights() {
    let table = table();
    let formula = Formula::parse("log(y) ~ .").unwrap();
    let weights = Expression::parse("z").unwrap();
    let model = formula.resolve(&table.fields, Some(&weights), None).unwrap();
    let design = learn(model, std::slice::from_ref(&table)).unwrap();
    assert_eq!(design.layout().terms, ["a[v]", "b[q]", "b[r]", "x"]);
    let names: Vec<&str> = design.columns_needed(Scope::All).iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "x", "y", "z"]);
    assert_eq!(design.columns_needed(Scope::Response).len(), 4);
    assert_eq!(design.columns_needed(Scope::Design).len(), 3);
}
