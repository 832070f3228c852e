//! Values: arithmetic in doubles and double-doubles, polynomials, transformed responses, weights, missing and infinite
//! values.

use super::*;
use noisefit_core::numeric::double_double::DoubleDouble;

const LOW: EvaluateOptions = EvaluateOptions {
    low_words: true,
    draw: None,
    scope: Scope::All,
    unseen: Unseen::Refuse,
    undefined: Undefined::Refuse,
};

#[track_caller]
fn assert_close(found: &[f64], exact: &[f64], tolerance: f64) {
    assert_eq!(found.len(), exact.len());
    for (found, exact) in found.iter().zip(exact) {
        assert!((found - exact).abs() <= tolerance, "{found} instead of {exact}");
    }
}

#[test]
fn orthogonal_polynomials_are_r_s() {
    // R's poly(1:5, 2): (-2..2) / sqrt(10) and (2, -1, -2, -1, 2) / sqrt(14); the next is (-1, 2, 0, -2, 1) / sqrt(10).
    let table = Table::default().number("y", &[0.0; 5]).number("x", &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let columns = table.columns("y ~ poly(x, 3)");
    let by = |divisor: f64, whole: [f64; 5]| whole.map(|whole| whole / divisor.sqrt());
    // A few roundings of numbers below one.
    assert_close(&columns[0].1, &by(10.0, [-2., -1., 0., 1., 2.]), 4e-16);
    assert_close(&columns[1].1, &by(14.0, [2., -1., -2., -1., 2.]), 4e-16);
    assert_close(&columns[2].1, &by(10.0, [-1., 2., 0., -2., 1.]), 4e-16);
    assert_eq!(columns[2].0, "poly(x, 3)[3]");
}

#[test]
fn orthogonal_polynomials_of_uneven_points_are_r_s() {
    // The first, third and last rows of poly(c(1, 2, 4, 7, 11, 16, 22), 4) in R 4, to the digits that its QR keeps.
    let x = [1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 22.0];
    let table = Table::default().number("y", &[0.0; 7]).number("x", &x);
    let columns = table.columns("y ~ poly(x, 4)");
    for (row, expected) in [
        (0, [-0.41931393468876726, 0.413954168611689, -0.4010360110914126, 0.3802528761961018]),
        (2, [-0.26207120918047966, -0.04982781659214759, 0.3709583102595561, -0.49432873905493213]),
        (6, [0.681385143869247, 0.5481059825136255, 0.2867407479303597, 0.09886574781098643]),
    ] {
        let found: Vec<f64> = columns.iter().map(|(_, values)| values[row]).collect();
        assert_close(&found, &expected, 1e-14);
    }
}

#[test]
fn orthogonal_polynomials_of_high_degree_are_orthonormal() {
    // Filip's x are 82 such points; here 40 uneven ones far from zero.
    let x: Vec<f64> = (0..40).map(|i| 1000.0 + f64::from(i) + 0.3 * f64::from(i * i % 7)).collect();
    let table = Table::default().number("y", &vec![0.0; x.len()]).number("x", &x);
    let design = table.design("y ~ poly(x, 10)").unwrap();
    let columns = table.evaluate(&design, LOW).unwrap().columns;
    let word = |j: usize, i: usize| DoubleDouble::from_sum(columns[j].0[i], columns[j].1[i]);
    for j in 0..10 {
        for k in 0..=j {
            let product = (0..x.len()).fold(DoubleDouble::ZERO, |sum, i| sum + word(j, i) * word(k, i));
            let error = product - f64::from(u8::from(j == k));
            // The recurrence loses digits with the degree; double-double has them to lose.
            assert!(error.to_f64().abs() < 1e-24, "{j} {k}: {error:?}");
        }
    }
}

#[test]
fn center_and_scale_by_hand() {
    let table = Table::default().number("y", &[0.0; 4]).number("x", &[1e9, 1e9 + 1.0, 1e9 + 2.0, 1e9 + 5.0]);
    let columns = table.columns("y ~ center(x) + scale(x) + I(center(x)^2) + scale(log(x) - log(x)/2)");
    assert_eq!(columns[0].1, [-2.0, -1.0, 0.0, 3.0]);
    let deviation = (14.0f64 / 3.0).sqrt();
    assert_close(&columns[1].1, &[-2.0, -1.0, 0.0, 3.0].map(|d| d / deviation), 1e-15);
    assert_eq!(columns[2], ("I(center(x)^2)".to_owned(), vec![4.0, 1.0, 0.0, 9.0]));
    // log is linear over so short a range.
    assert_close(&columns[3].1, &columns[1].1, 1e-6);
    // What is learned from what is learned: the mean of squares about the mean is 14/4.
    let columns = table.columns("y ~ center(center(x)^2)");
    assert_eq!(columns[0].1, [0.5, -2.5, -3.5, 5.5]);
}

#[test]
fn double_double_columns_agree_with_exact_arithmetic() {
    // x is the decimal 0.1 and z the decimal 3.7, each in two words; the exact results are rational numbers, divided
    // out in double-double from whole numbers.
    let table = Table::default()
        .words("y", &[0.1], &[-5.551115123125783e-18])
        .words("x", &[0.1], &[-5.551115123125783e-18])
        .words("z", &[3.7], &[-1.7763568394002505e-16])
        .text("a", &["u"]);
    for (formula, numerator, denominator) in [
        ("y ~ x", 1.0, 10.0),
        ("y ~ I(x^2)", 1.0, 100.0),
        ("y ~ I(x^-3)", 1000.0, 1.0),
        ("y ~ I(x*z)", 37.0, 100.0),
        ("y ~ x:z", 37.0, 100.0),
        ("y ~ I(x/z)", 1.0, 37.0),
        ("y ~ I(x+z)", 38.0, 10.0),
        ("y ~ I(z-x)", 36.0, 10.0),
        ("y ~ I(0.3*x-1.7)", -167.0, 100.0),
        ("y ~ I(-abs(-x))", -1.0, 10.0),
        ("y ~ sqrt(I(x^2))", 1.0, 10.0),
        ("y ~ poly(x, 4, raw)", 1.0, 10000.0),
    ] {
        let design = table.design(formula).unwrap();
        let columns = table.evaluate(&design, LOW).unwrap().columns;
        let (high, low) = columns.last().unwrap();
        let exact = DoubleDouble::from(numerator) / denominator;
        let error = ((high[0] - exact.high) + (low[0] - exact.low)).abs();
        // The two words of the inputs are 2^-107 of them off, and a few operations more.
        assert!(error <= 40.0 * 2f64.powi(-106) * exact.high.abs(), "{formula}: {} {} {exact:?}", high[0], low[0]);
    }
}

#[test]
fn functions_carry_low_words_to_first_order() {
    let h = 2f64.powi(-60);
    let table = Table::default().number("y", &[0.0]).words("x", &[0.75], &[h]);
    for (name, derivative) in [
        ("log(x)", 1.0 / 0.75),
        ("log1p(x)", 1.0 / 1.75),
        ("log2(x)", 1.0 / (0.75 * 2f64.ln())),
        ("log10(x)", 1.0 / (0.75 * 10f64.ln())),
        ("exp(x)", 0.75f64.exp()),
        ("expm1(x)", 0.75f64.exp()),
        ("sin(x)", 0.75f64.cos()),
        ("cos(x)", -0.75f64.sin()),
        ("tanh(x)", 1.0 - 0.75f64.tanh().powi(2)),
        ("I(x^0.5)", 0.5 / 0.75f64.sqrt()),
        ("I(2^x)", 2f64.powf(0.75) * 2f64.ln()),
    ] {
        let design = table.design(&format!("y ~ {name}")).unwrap();
        let columns = table.evaluate(&design, LOW).unwrap().columns;
        assert!((columns[0].1[0] / h / derivative - 1.0).abs() < 1e-14, "{name}");
    }
}

#[test]
fn jacobians_agree_with_finite_differences() {
    let y = [0.3, 1.0, 2.5, 7.0];
    let table = Table::default().number("y", &y).number("x", &[1.0, 2.0, 3.0, 4.0]);
    let shifted = |h: f64| Table::default().number("y", &y.map(|y| y + h)).number("x", &[0.0; 4]);
    for response in [
        "log(y)",
        "log(y + 1)",
        "log2(y)",
        "log10(2 * y)",
        "log1p(y)",
        "sqrt(y)",
        "I(y/100)",
        "1/y",
        "y^3",
        "y^-2",
        "y^0.3",
        "2^y",
        "y^y",
        "exp(-y)",
        "expm1(y/2)",
        "sin(y/10)",
        "cos(y/10)",
        "tanh(y/3)",
        "abs(y)*y",
        "log(y/(8 - y))",
        "(y^0.25 - 1)/0.25",
        "-y",
    ] {
        let design = table.design(&format!("{response} ~ x")).unwrap();
        let found = table.evaluate(&design, EvaluateOptions::default()).unwrap();
        let at = |h: f64| shifted(h).evaluate(&design, EvaluateOptions::default()).unwrap().response.0;
        let (above, below) = (at(1e-5), at(-1e-5));
        for i in 0..y.len() {
            let slope = ((above[i] - below[i]) / 2e-5).abs();
            // Central differences: truncation of the order of h^2, rounding of the order of 1e-16 / h.
            assert!((found.log_jacobian[i] - slope.ln()).abs() < 1e-7, "{response} at {}", y[i]);
        }
    }
    let plain = table.design("y ~ x").unwrap();
    assert!(!plain.transforms_response());
    assert!(table.evaluate(&plain, EvaluateOptions::default()).unwrap().log_jacobian.is_empty());
    let logarithm = table.design("log(y) ~ x").unwrap();
    assert!(logarithm.transforms_response());
    let found = table.evaluate(&logarithm, EvaluateOptions::default()).unwrap();
    assert_close(&found.log_jacobian, &y.map(|y| -y.ln()), 1e-15);
}

#[test]
fn incomplete_rows_are_left_out_and_counted() {
    let table = Table::default()
        .number("y", &[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0])
        .number("x", &[1.0, f64::NAN, 3.0, 4.0, 5.0, 6.0])
        .text("city", &["Rome", "Rome", "Oslo", "", "Oslo", "Rome"])
        .number("w", &[1.0, 1.0, 1.0, 1.0, 2.0, 0.0])
        .number("n", &[3.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let formula = Formula::parse("y ~ x + city").unwrap();
    let (weights, frequencies) = (Expression::parse("10*w").unwrap(), Expression::column("n"));
    let model = formula.resolve(&table.fields, Some(&weights), Some(&frequencies)).unwrap();
    let design = learn(model, std::slice::from_ref(&table)).unwrap();
    let fit = table.evaluate(&design, EvaluateOptions::default()).unwrap();
    assert_eq!((fit.kept, fit.missing, fit.weightless), (vec![0, 4], 3, 1));
    assert_eq!(fit.columns[0].0, [1.0, 5.0]);
    assert_eq!(fit.columns[1].0, [1.0, 0.0]);
    assert_eq!(fit.response.0, [1.0, 5.0]);
    assert_eq!((fit.weights, fit.frequencies), (vec![10.0, 20.0], vec![3.0, 1.0]));
    // A prediction needs neither response nor weights.
    let options = EvaluateOptions { scope: Scope::Design, ..EvaluateOptions::default() };
    let predicted = table.evaluate(&design, options).unwrap();
    assert_eq!((predicted.kept, predicted.missing), (vec![0, 2, 4, 5], 2));
    assert!(predicted.response.0.is_empty());
}

#[test]
fn complete_columns_are_borrowed() {
    let table = Table::default().number("y", &[1.0, 2.0]).number("x", &[3.0, 4.0]);
    let design = table.design("y ~ x").unwrap();
    let frame = table.frame(&["x", "y"]);
    let mut workspace = Workspace::default();
    let bound = design.bind(&frame, EvaluateOptions::default()).unwrap();
    let rows = bound.evaluate(1..2, &mut workspace).unwrap();
    let Column::Number { high, .. } = &frame.columns[0] else { panic!() };
    assert!(std::ptr::eq(rows.design()[0].high, &high[1..]));
}

#[test]
fn values_that_are_not_finite_name_their_record() {
    let table = Table::default()
        .number("y", &[1.0, 2.0, -3.0])
        .number("x", &[1.0, 0.0, 2.0])
        .number("z", &[1.0, 2.0, f64::INFINITY])
        .text("city", &["Rome", "Oslo", "Rome"]);
    for (formula, message) in [
        ("y ~ log(x)", "record 2: log(x) is -inf where x = 0; every term must be finite"),
        ("y ~ x + I(1/x)", "record 2: I(1/x) is inf where x = 0;"),
        ("log(y) ~ x", "record 3: log(y) is NaN where y = -3;"),
        ("y ~ sqrt(y - x) + x", "record 3: sqrt(y - x) is NaN where y = -3, x = 2;"),
        ("y ~ z", "record 3: column z is inf; values must be finite"),
        ("y ~ center(log(x))", "record 2: what center(log(x)) is learned from is -inf where x = 0;"),
        ("y ~ city:I(log(x))", "record 2: I(log(x)) is -inf where x = 0;"),
        ("I(x^2) ~ y", "record 2: the derivative of I(x^2) is 0 where x = 0; a transformed response needs"),
    ] {
        let found = table.failure(formula);
        assert!(found.starts_with(message), "{formula}: {found}");
    }
    let big = Table::default().number("y", &[1.0]).number("x", &[1e200]).number("z", &[1e200]);
    assert!(big.failure("y ~ x:z").starts_with("record 1: x:z is inf where x = "));
    let error = EvaluateError::Value {
        file: 0,
        record: 1,
        what: "x".into(),
        value: 1.0,
        inputs: Vec::new(),
        advice: "".into(),
    };
    assert!(error.after_records(10).to_string().starts_with("record 12: x is 1"));
}

#[test]
fn weights_must_be_positive() {
    let table = Table::default().number("y", &[1.0, 2.0]).number("x", &[1.0, 2.0]).number("w", &[1.0, -0.5]);
    let formula = Formula::parse("y ~ x").unwrap();
    let message = |weights: &str| {
        let weights = Expression::parse(weights).unwrap();
        let model = formula.resolve(&table.fields, Some(&weights), None).unwrap();
        let design = learn(model, std::slice::from_ref(&table)).unwrap();
        table.evaluate(&design, EvaluateOptions::default()).unwrap_err().to_string()
    };
    assert!(message("w").starts_with("record 2: the weight w is -0.5; it must be positive, or zero"));
    assert!(message("1/(x-1)").starts_with("record 1: the weight 1/(x - 1) is inf where x = 1;"));
    let error = formula.resolve(&table.fields, Some(&Expression::parse("1/ww").unwrap()), None).unwrap_err();
    assert!(error.to_string().starts_with("1/ww\n  ^^\nno column 'ww'; did you mean 'w'?"), "{error}");
}
